"""A cluster under load, any part of it killed again and again; and then the account.

    PYTHONPATH=. python tests/crash/cluster.py --rounds 200

Intakes and workers with a RabbitMQ between them, records shipped to a PostgreSQL, in which the
example's suppressions are, too. Each round is a ``kill -9`` at a random moment; who was killed is
started again on what it has on disk. The exit status is 0 only if nothing that was acknowledged
is missing, and nothing counts twice.
"""

from __future__ import annotations

import itertools
import random
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
from cluster_account import ClusterAccount, Logs, Shared, dump
from cluster_bench import DEAD, Cluster
from cluster_load import Clients, MixedLoad

from tests.servers import postgresql, rabbitmq

if TYPE_CHECKING:
    from collections.abc import Iterator

# One RabbitMQ that is killed takes as long as several of the others.
WEIGHTS = {"intake": 4, "worker": 4, "PostgreSQL": 2, "RabbitMQ": 1}
PACE = 0.02  # seconds between two messages of a client: as the machine has other work, too
CLIENTS = 3  # at each intake
PAUSE = 0.3  # seconds, at most, between a kill and the start


def victims(rounds: int) -> Iterator[str]:
    """Who is killed: each kind once at first, then at random."""
    kinds = list(WEIGHTS)
    random.shuffle(kinds)
    yield from kinds[:rounds]
    yield from random.choices(kinds, [WEIGHTS[each] for each in kinds], k=max(0, rounds - 4))  # noqa: S311 - no secret


def rounds_of(cluster: Cluster, rounds: int, spell: float) -> Counter[str]:
    """Kill, and start; how many of each kind."""
    killed: Counter[str] = Counter()
    for victim in victims(rounds):
        time.sleep(random.uniform(0.2, spell))  # noqa: S311 - no secret
        cluster.kill(victim, random.uniform(0.0, PAUSE))  # noqa: S311 - no secret
        killed[victim] += 1
    return killed


def account(cluster: Cluster, load: MixedLoad) -> ClusterAccount:
    """Let what is on its way arrive, stop all nodes, and look at the books."""
    cluster.drain()
    return ClusterAccount(
        load,
        Logs(node.run_dir for node in cluster.nodes),
        Shared(cluster.database.url),
        Counter(cluster.book.read_text().split()),
        cluster.queues()[DEAD],
    )


@click.command()
@click.option("--rounds", default=200, show_default=True, help="How many kills.")
@click.option("--intakes", default=3, show_default=True, help="Processes that listen.")
@click.option(
    "--workers", default=3, show_default=True, help="Processes that take from the broker."
)
@click.option("--spell", default=2.5, show_default=True, help="Seconds, at most, between kills.")
@click.option("--seed", type=int, help="To have the same random choices again.")
def main(rounds: int, intakes: int, workers: int, spell: float, seed: int | None) -> None:
    """Kill, start again, and account for every message."""
    if why_not := rabbitmq.WHY_NOT or postgresql.missing():
        raise click.ClickException(why_not)
    random.seed(seed)
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    load = MixedLoad(pace=PACE)
    times = [time.monotonic()]
    with Cluster(folder, intakes, workers) as cluster:
        times.append(time.monotonic())
        clients = Clients(load, cluster.ports, CLIENTS)
        killed = rounds_of(cluster, rounds, spell)
        clients.end()
        times.append(time.monotonic())
        found = account(cluster, load)
        times.append(time.monotonic())
    start, kills, drain = (late - early for early, late in itertools.pairwise(times))
    click.echo(f"{rounds:8} kills in {kills:.0f} s: {dict(killed)}")
    click.echo(f"         {start:.0f} s to start, {drain:.0f} s until nothing was on its way")
    click.echo(f"{load.repeated:8} reports sent again, though they were accepted")
    click.echo(dump(found.figures()))
    if any(found.faults().values()):
        raise click.ClickException(f"see {folder}; missing: {found.missing()[:10]}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
