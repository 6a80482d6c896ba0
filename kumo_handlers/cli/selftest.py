"""``kumo-handlers selftest``: a listener tried from outside, as a stranger would."""

from __future__ import annotations

import errno
import ipaddress
import smtplib
import socket
from typing import TYPE_CHECKING, Any

import click
import msgspec

from kumo_handlers.cli import probes
from kumo_handlers.cli.columns import columns
from kumo_handlers.cli.errors import explained
from kumo_handlers.cli.policy_choice import choose, load, policy_options
from kumo_handlers.cli.probes import Finding, Verdict
from kumo_handlers.cli.wire import Target, Wire
from kumo_handlers.journal.readable import printable
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.options import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kumo_handlers.cli.probes import Expected

_COLOURS = {
    Verdict.PASS: "green",
    Verdict.WARN: "yellow",
    Verdict.FAIL: "red",
    Verdict.SKIP: "blue",
}


@click.command()
@click.argument("where", metavar="HOST:PORT")
@policy_options
@click.option(
    "--relay-hosts",
    multiple=True,
    metavar="CIDR",
    help="What the listener's option says, where no settings do. May be repeated.",
)
@click.option("--to", "recipient", default="", metavar="ADDRESS", help="A recipient it accepts.")
@click.option("--source", default="", metavar="IP", help="Ask from this address of this machine.")
@click.option("--remote", is_flag=True, help="HOST is another machine, and it is mine to test.")
@click.option("--limit", default=1000, show_default=True, help="At most so many domains.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@explained
def selftest(
    where: str,
    *,
    remote: bool,
    limit: int,
    as_json: bool,
    relay_hosts: tuple[str, ...],
    files: tuple[str, ...],
    **words: Any,  # noqa: ANN401 - the other options that choose a policy
) -> None:
    """Try whether a listener relays for anyone, can be smuggled through, and begins TLS.

    With rules, each of their domains is tried, too: does it answer as they say?

    No mail is left behind, but up to eight letters for the recipient that smuggling is tried
    with: --to, or else the first that the rules accept. Exit status 1 if anything fails.
    """
    target = _target(where, words["source"] or "", remote=remote)
    asked = _asked(target, files, words, relay_hosts, limit)
    recipient = words["recipient"] or next((e.recipient for e in asked if e.accepted), "")
    findings = list(_tried(target, recipient, asked))
    if as_json:
        for each in findings:
            click.echo(msgspec.json.encode(each._asdict()))
    else:
        _table(findings)
    raise click.exceptions.Exit(any(each.verdict is Verdict.FAIL for each in findings))


def _target(where: str, source: str, *, remote: bool) -> Target:
    """Whom to try. A host that is not this machine is tried only if that was said."""
    host, _, port = where.rpartition(":")
    if not host or not port.isdigit():
        raise click.BadParameter("expected HOST:PORT", param_hint="HOST:PORT")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except OSError as error:
        raise click.ClickException(f"{host}: {error.strerror}") from error
    address = str(found[0][4][0])
    if not (remote or ipaddress.ip_address(address.partition("%")[0]).is_loopback):
        raise click.UsageError(f"{host} is another machine; --remote says that it is yours to test")
    return Target(address, int(port), source)


def _asked(
    target: Target,
    files: tuple[str, ...],
    words: dict[str, Any],
    relay_hosts: tuple[str, ...],
    limit: int,
) -> list[Expected]:
    """What is expected of the domains, where rules are given."""
    if not (files or words["policy"] or words["settings"]):
        return []
    chosen = load(choose(files, words["policy"], words["settings"], words["map_path"]))
    listeners = chosen.listeners
    try:
        with Wire(target) as wire:
            local = wire.ends[1]
        if not listeners:
            given = {"relay_hosts": list(relay_hosts)} if relay_hosts else {}
            listeners = (Listener.read({"listen": local, **given}, Place()),)
        return probes.expectations(target, chosen.policy, listeners, limit)
    except OSError as error:
        raise _unreachable(target, error) from error


def _tried(target: Target, recipient: str, asked: list[Expected]) -> Iterator[Finding]:
    """Every probe; what breaks off is a failure of its own."""
    tries: dict[str, Callable[[], Iterable[Finding]]] = {
        "relays for anyone": lambda: [probes.open_relay(target)],
        "smuggling": lambda: [probes.smuggling(target, recipient)],
        "STARTTLS": lambda: [probes.starttls(target)],
        "commands before TLS": lambda: [probes.injection(target)],
    }
    if asked:
        tries["listener domains"] = lambda: probes.domains(target, asked)
    for what, probe in tries.items():
        try:
            yield from probe()
        except ConnectionRefusedError as error:
            raise _unreachable(target, error) from error
        except (OSError, smtplib.SMTPException) as error:
            if error.errno == errno.EADDRNOTAVAIL:  # --source is not ours
                raise _unreachable(target, error) from error
            yield Finding(what, Verdict.FAIL, f"the server broke off: {error}")


def _unreachable(target: Target, error: OSError) -> click.ClickException:
    return click.ClickException(f"{target.host}:{target.port}: {error.strerror or error}")


def _table(findings: list[Finding]) -> None:
    rows = [(each.verdict.upper(), each.what, printable(each.detail)) for each in findings]
    for each, line in zip(findings, columns(rows, ""), strict=True):
        click.secho(line[:4], fg=_COLOURS[each.verdict], nl=False)
        click.echo(line[4:])
