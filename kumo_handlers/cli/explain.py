"""``kumo-handlers explain``: what would be decided about one recipient, and why."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from kumo_handlers.cli import expectation_file
from kumo_handlers.cli.errors import explained
from kumo_handlers.cli.explanation_text import lines
from kumo_handlers.cli.policy_choice import choose, load, policy_options
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.pipeline import expectation
from kumo_handlers.pipeline.prospect import prospects
from kumo_handlers.pipeline.replies import not_permitted
from kumo_handlers.policy import objection, situation
from kumo_handlers.policy.explaining import explain as reasons
from kumo_handlers.policy.situation import Question
from kumo_handlers.smtp.replies import RECIPIENT_OK

if TYPE_CHECKING:
    from kumo_handlers.cli.policy_choice import Chosen
    from kumo_handlers.pipeline.rehearsal import Rehearsal
    from kumo_handlers.policy.relaying import RelayDisposition
    from kumo_handlers.policy.situation import Situation


@click.command()
@policy_options
@click.option(
    "--listener",
    default="",
    metavar="IP:PORT",
    help="The address the client connects to.  [default: the first listener's]",
)
@click.option("--peer", required=True, metavar="IP[:PORT]", help="The client's address.")
@click.option("--authz", metavar="ID", help="Who the client authenticated as.")
@click.option(
    "--from", "sender", required=True, metavar="ADDRESS", help='The envelope sender; "" is null.'
)
@click.option("--to", "recipient", required=True, metavar="ADDRESS", help="The recipient.")
@click.option(
    "--content", type=click.Path(), metavar="FILE", help="What becomes of this very message."
)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.option(
    "--save", type=click.Path(), metavar="FILE", help="Add the decision to a file for `test`."
)
@explained
def explain(
    *,
    files: tuple[str, ...],
    policy: str | None,
    settings: str | None,
    map_path: tuple[str, ...],
    content: str | None,
    as_json: bool,
    save: str | None,
    **asked: str,
) -> None:
    """Say what is decided about a recipient, the reply, and why, step by step."""
    choice = choose(files, policy, settings, map_path)
    chosen = load(choice)
    question = Question(**asked)
    at = situation.of(question, chosen.listeners, chosen.policy.events)
    disposition, objects = at.decide(chosen.policy), objection.find(chosen.policy, at)
    is_accepted = disposition.accepted and objects is None
    rehearsal = _rehearse(content, at, disposition, chosen) if content and is_accepted else None
    answer = {
        "decision": "accept" if is_accepted else "refuse",
        "reply": str(objects.reply) if objects else _reply(at, disposition),
        "refused_at": objects.step if objects else None,
        **msgspec.structs.asdict(reasons(chosen.policy, at)),
        "then": prospects(disposition) if is_accepted else (),
        "content": rehearsal,
    }
    if rehearsal and chosen.policy.events and chosen.policy.events.sees_messages:
        click.echo("the policy's script is not shown the message: it may change it", err=True)
    if content and rehearsal is None:
        click.echo(f"{content}: never sent, the recipient is refused before DATA", err=True)
    if as_json:
        _print_json(answer)
    else:
        for line in lines(answer, at):
            click.echo(line)
    if save:
        table = expectation.of(question, disposition, objects)
        expectation_file.append(save, choice, table)


def _reply(at: Situation, disposition: RelayDisposition) -> str:
    """The reply to RCPT as the peer sees it; a port that was not given has no number."""
    if disposition.accepted:
        return str(RECIPIENT_OK)
    peer = at.session.peer
    text = str(not_permitted(peer))
    return text if peer.port else f"{text.removesuffix(':0')}:PORT"


def _rehearse(name: str, at: Situation, disposition: RelayDisposition, chosen: Chosen) -> Rehearsal:
    """What becomes of a message, which comes as far as DATA."""
    from kumo_handlers.pipeline.rehearsal import rehearse  # noqa: PLC0415 - messages alone need it
    from kumo_handlers.reports import classification  # noqa: PLC0415 - likewise

    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            Problem(message="cannot be read", file=name, hint=error.strerror)
        ) from error
    return rehearse(
        at, disposition, content, classification.load(chosen.classification), time.time()
    )


def _print_json(answer: dict[str, object]) -> None:
    from kumo_handlers.journal.record import encode_json  # noqa: PLC0415 - JSON alone needs it

    click.echo(msgspec.json.format(encode_json(answer)))
