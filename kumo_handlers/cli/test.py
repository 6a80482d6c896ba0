"""``kumo-handlers test``: expectations about a policy, as a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kumo_handlers.cli import expectation_file
from kumo_handlers.cli.columns import columns
from kumo_handlers.cli.errors import explained
from kumo_handlers.cli.policy_choice import Chosen, choose, load, policy_options
from kumo_handlers.errors import ConfigurationError, PolicyError
from kumo_handlers.pipeline.expectation import judge
from kumo_handlers.policy import situation
from kumo_handlers.policy.explaining import explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.pipeline.expectation import Expectation


@click.command()
@click.argument("file", type=click.Path(), metavar="FILE")
@policy_options
@explained
def test(
    *,
    file: str,
    files: tuple[str, ...],
    policy: str | None,
    settings: str | None,
    map_path: tuple[str, ...],
) -> None:
    """Decide what FILE asks, and say what is not as it expects. Exit status 1 if anything is not.

    The policy is the one that FILE names, unless an option names another.
    """
    named, expectations = expectation_file.read(file)
    chosen = load(choose(files, policy, settings, map_path, named))
    failed = 0
    for expectation in expectations:
        if told := list(_failure(expectation, chosen)):
            failed += 1
            click.secho("FAILED ", fg="red", nl=False)
            click.echo(f"{expectation.place.file}:{expectation.place.line}: {expectation.name}")
            click.echo("\n".join(told) + "\n")
    passed = len(expectations) - failed
    click.secho(f"{passed} passed, {failed} failed", fg="red" if failed else "green")
    raise click.exceptions.Exit(1 if failed else 0)


def _failure(expectation: Expectation, chosen: Chosen) -> Iterator[str]:
    """What is not as expected, and why; nothing where all of it is."""
    try:
        differences = judge(expectation, chosen.policy, chosen.listeners)
    except (ConfigurationError, PolicyError) as error:
        yield f"  {error}"
        return
    if not differences:
        return
    yield from columns(
        [
            ("", "expected", "actual"),
            *((each.what, each.expected, each.actual) for each in differences),
        ]
    )
    why = explain(
        chosen.policy, situation.of(expectation.question, chosen.listeners, chosen.policy.events)
    )
    for who, lookup in (("recipient", why.recipient), ("sender", why.sender)):
        found = lookup.found
        yield f"  {who}: " + (f"{found.key} at {found.origin}" if found else "no entry")
    for rule in why.rules:
        if rule.holds or not why.accepted:
            yield f"  {rule.name}: {rule.because}"
