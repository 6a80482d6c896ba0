"""Every entry of the sample in KumoMTA's guide, on a listener with a section and one without.

The sample is written again here, stands in the example application's file, and is read from the
guide itself where that is at hand.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from kumo_handlers.mail.address import NULL, parse
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.relaying import RelayDisposition, decide
from kumo_handlers.policy.tables import Tables, load

ROOT = Path(__file__).parents[2]
GUIDE = Path(os.environ.get("KUMO_HANDLERS_GUIDE", ROOT.parent / "shared" / "guide.md"))

WRITTEN_AGAIN = """
["example.com"]
relay_to = true
["bounce.example.com"]
log_oob = true
["fbl.example.com"]
log_arf = true
["send.example.com"]
relay_from = { '10.0.0.0/24' }
["*.example.com"]
log_oob = true
log_arf = true
relay_to = true
["www.example.com"]
relay_to = false
log_arf = false
log_oob = false
[listener."127.0.0.1:25"."*.example.com"]
log_oob = false
"""
WITH_SECTION = Listener(listen="127.0.0.1:25")
WITHOUT_SECTION = Listener(listen="127.0.0.2:25")


@pytest.fixture(params=["written again", "the application's", "the guide's"])
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Tables:
    """The sample, loaded as it stands."""
    path = tmp_path / "listener_domains.toml"
    if request.param == "the application's":
        path = ROOT / "config" / "listener_domains.toml"
    elif request.param == "written again":
        path.write_text(WRITTEN_AGAIN)
    elif not GUIDE.exists():
        pytest.skip(f"no guide at {GUIDE}")
    else:
        (block,) = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
        path.write_text(block)
    return load([path])


def decision(
    policy: Tables, listener: Listener, peer: str, reverse_path: str, recipient: str
) -> RelayDisposition:
    """What is decided on one recipient."""
    connected = Session("1", Peer(peer), listener=listener.listen, local=listener.listen)
    return decide(policy, listener, connected, parse(reverse_path) or NULL, parse(recipient))


# What becomes of mail to a recipient: "relay" it, log a "bounce", log a "complaint".
NOTHING: set[str] = set()
OUTSIDE_THE_WILDCARD = {
    "a@example.com": {"relay"},
    "A@EXAMPLE.COM.": {"relay"},
    "a@example.org": NOTHING,
    "a@notexample.com": NOTHING,
    "a@[192.0.2.1]": NOTHING,
    "postmaster": NOTHING,
}
BELOW_IT = {
    "a@bounce.example.com": {"bounce"},
    "a@fbl.example.com": {"complaint"},
    "a@send.example.com": NOTHING,
    "a@www.example.com": NOTHING,
    "a@x.example.com": {"relay", "bounce", "complaint"},
    "a@x.y.example.com": {"relay", "bounce", "complaint"},
    "a@x.www.example.com": {"relay", "bounce", "complaint"},
}


def outcome(made: RelayDisposition) -> set[str]:
    """The decision in those words."""
    chosen = {"relay": made.relay, "bounce": made.log_oob.logs, "complaint": made.log_arf.logs}
    assert made.accepted is any(chosen.values())
    return {word for word, said in chosen.items() if said}


@pytest.mark.parametrize(("recipient", "expected"), (OUTSIDE_THE_WILDCARD | BELOW_IT).items())
def test_on_a_listener_without_a_section(
    sample: Tables, recipient: str, expected: set[str]
) -> None:
    """Each entry for its own name, the wildcard for the names that have none."""
    made = decision(sample, WITHOUT_SECTION, "192.0.2.1", "b@example.net", recipient)
    assert outcome(made) == expected


@pytest.mark.parametrize("recipient", OUTSIDE_THE_WILDCARD | BELOW_IT)
def test_on_the_listener_with_a_section(sample: Tables, recipient: str) -> None:
    """Its wildcard is asked before any general entry, and is the whole answer: all is off."""
    made = decision(sample, WITH_SECTION, "192.0.2.1", "b@example.net", recipient)
    assert outcome(made) == OUTSIDE_THE_WILDCARD.get(recipient, NOTHING)


@pytest.mark.parametrize(
    ("peer", "reverse_path", "rule"),
    [
        ("10.0.0.7", "b@send.example.com", "relay_from"),
        ("::ffff:10.0.0.7", "b@SEND.example.com", "relay_from"),
        ("10.0.1.7", "b@send.example.com", "none"),
        ("10.0.0.7", "b@example.com", "none"),
        ("10.0.0.7", "", "none"),
        ("", "b@send.example.com", "none"),
    ],
)
def test_relay_from(sample: Tables, peer: str, reverse_path: str, rule: str) -> None:
    """To anywhere, when both the network and the envelope sender's domain are right."""
    made = decision(sample, WITHOUT_SECTION, peer, reverse_path, "a@example.org")
    assert (made.rule, made.accepted) == (rule, rule == "relay_from")
    there = decision(sample, WITH_SECTION, peer, reverse_path, "a@example.org")
    assert not there.accepted


def test_one_warning_for_the_braces(tmp_path: Path) -> None:
    """It names the file and the line, and no error is made of it."""
    path = tmp_path / "listener_domains.toml"
    path.write_text(WRITTEN_AGAIN)
    (warning,) = load([path]).warnings
    assert (warning.file, warning.line) == (str(path), 9)


def test_the_applications_file_has_the_same_entries(tmp_path: Path) -> None:
    """Correctly written, so without a warning."""
    path = tmp_path / "listener_domains.toml"
    path.write_text(WRITTEN_AGAIN)
    ours = load([ROOT / "config" / "listener_domains.toml"])
    assert ours.warnings == ()
    assert set(map(repr, ours.entries())) == set(map(repr, load([path]).entries()))
