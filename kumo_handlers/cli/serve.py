"""``kumo-handlers serve``: the whole system without a Salmon project, for trying it out."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import SimpleNamespace

import click
from rich.logging import RichHandler
from salmon.routing import Router
from salmon.server import Relay

import kumo_handlers
from kumo_handlers.boot import receiver
from kumo_handlers.cli.errors import explained
from kumo_handlers.cli.mapped_paths import map_path_option, pairs
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.pipeline import privileges

_LAST_PORT = 65535


@click.command()
@click.option(
    "--listener-domains",
    "files",
    multiple=True,
    metavar="FILE",
    help="The rules, TOML or JSON. May be repeated; later files win.",
)
@click.option(
    "--policy",
    metavar="FILE",
    help="A policy of KumoMTA, in Lua: its rules, and its listeners if it has any.",
)
@map_path_option
@click.option(
    "--listen",
    multiple=True,
    default=("127.0.0.1:2025",),
    show_default=True,
    metavar="IP:PORT",
    help="Where to listen. May be repeated.",
)
@click.option(
    "--relay-hosts",
    multiple=True,
    metavar="CIDR",
    help="Peers that may relay anywhere. May be repeated.  [default: 127.0.0.1, ::1]",
)
@click.option("--hostname", metavar="NAME", help="The name in the greeting and in replies.")
@click.option(
    "--relay",
    metavar="HOST:PORT",
    help="The server that takes mail to relay. Without it, such mail stays in the queue.",
)
@click.option(
    "--run-dir",
    default="run",
    show_default=True,
    metavar="DIR",
    help="Where records, the queue and kept messages are.",
)
@click.option(
    "--metrics", metavar="IP:PORT", help="Where Prometheus may ask, by HTTP, for /metrics."
)
@click.option("--user", metavar="NAME", help="Become this user when the addresses are taken.")
@click.option("--group", metavar="NAME", help="... with this group.  [default: the user's]")
@explained
def serve(  # noqa: PLR0913, PLR0917 - click passes each option by its name
    files: tuple[str, ...],
    policy: str | None,
    map_path: tuple[str, ...],
    listen: tuple[str, ...],
    relay_hosts: tuple[str, ...],
    hostname: str | None,
    relay: str | None,
    run_dir: str,
    metrics: str | None,
    user: str | None,
    group: str | None,
) -> None:
    """Listen in the foreground, and say what is decided. SIGTERM or Ctrl-C stops it."""
    _log_to_standard_output()
    given = {"relay_hosts": list(relay_hosts), "hostname": hostname}
    options = {name: value for name, value in given.items() if value}
    if not files and policy is None:
        raise ConfigurationError(
            Problem(message="which rules?", expected="--listener-domains FILE, or --policy FILE")
        )
    settings = SimpleNamespace(
        listener_domains=list(files),
        map_path=dict(pairs(map_path)),
        listeners=[{"listen": each} | options for each in listen],
        run_dir=run_dir,
        sinks=["jsonl", "terminal"],
        handlers=kumo_handlers.pipeline(),
        relay=_relay(relay),
    )
    if metrics is not None:
        settings.metrics = metrics
    if policy is not None:
        settings.policy = policy
    _make_folder(run_dir)
    listening = receiver(settings)
    if user is not None:
        privileges.drop(user, group, Path(run_dir))
    elif group is not None:
        raise ConfigurationError(
            Problem(message="a group needs a user", option="--group", value=group)
        )
    Router.load(settings.handlers)
    listening.start()
    listening.join()


def _log_to_standard_output() -> None:
    """In columns for a terminal; else a line each, however long, for a file and for grep."""
    if sys.stdout.isatty():
        handler: logging.Handler = RichHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
    else:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _make_folder(run_dir: str) -> None:
    """The run folder has to be there before root's rights are given up."""
    try:
        Path(run_dir).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = Problem(
            message=f"cannot be made: {error.strerror}", option="--run-dir", value=run_dir
        )
        raise ConfigurationError(problem) from error


def _relay(where: str | None) -> Relay | None:
    """Salmon's relay for ``HOST:PORT``."""
    if where is None:
        return None
    host, _, port = where.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= _LAST_PORT:
        raise ConfigurationError(
            Problem(message="wrong value", option="--relay", value=where, expected="HOST:PORT")
        )
    return Relay(host=host.strip("[]"), port=int(port))
