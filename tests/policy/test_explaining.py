"""Explanations agree with the decision, and the changes they offer do what they say."""

from __future__ import annotations

from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.policy import tables
from kumo_handlers.policy.explaining import Explanation, explain
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.networks import Networks
from kumo_handlers.policy.situation import Question, Situation, of

PEERS = ("127.0.0.1", "10.0.0.1", "192.0.2.1", "2001:db8::1")
HERE, ELSEWHERE = "127.0.0.1:25", "127.0.0.1:26"
DOMAINS = ("example.com", "a.example.com", "b.a.example.com", "example.net", "[192.0.2.9]")
KEYS = st.sampled_from([*DOMAINS[:4], "*.example.com", "*.a.example.com", "*"])
REPORTS = st.sampled_from([True, False, "LogThenDrop", "LogThenRelay"])
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "relay_to": st.booleans(),
        "relay_from": st.lists(st.sampled_from(["10.0.0.0/8", "192.0.2.1", "any"]), max_size=2),
        "relay_from_authz": st.lists(st.sampled_from(["ann", "bob"]), max_size=2, unique=True),
        "log_oob": REPORTS,
        "log_arf": REPORTS,
    },
)
PART = st.dictionaries(KEYS, OPTIONS, max_size=4)
RULES = st.builds(
    lambda general, section: general | ({"listener": {HERE: section}} if section else {}),
    PART,
    PART,
)
ADDRESSES = st.sampled_from(DOMAINS).map("x@{}".format)
QUESTIONS = st.builds(
    Question,
    peer=st.sampled_from(PEERS),
    sender=ADDRESSES | st.just(""),
    recipient=ADDRESSES | st.just("postmaster"),
    listener=st.sampled_from([HERE, ELSEWHERE]),
    authz=st.none() | st.sampled_from(["ann", "eve"]),
)


def explained(rules: dict[str, Any], question: Question) -> tuple[Explanation, Situation]:
    """The explanation under ``rules``, and what was asked."""
    at = of(question)
    return explain(tables.load([rules]), at), at


@given(RULES, QUESTIONS)
def test_agrees_with_the_decision(rules: dict[str, Any], question: Question) -> None:
    """The first rule that holds is the one that decided, and the entries are those it had."""
    why, at = explained(rules, question)
    decided = at.decide(tables.load([rules]))
    assert why.accepted == decided.accepted
    assert next((rule.name for rule in why.rules if rule.holds), "none") == decided.rule
    found = why.recipient.found
    assert (found and (found.section, found.key)) == (
        decided.found and (decided.found.section, decided.found.key)
    )


@given(RULES, QUESTIONS)
def test_each_change_would_accept(rules: dict[str, Any], question: Question) -> None:
    """Each change offered, made alone, accepts; none is offered where nothing has to change."""
    why, at = explained(rules, question)
    assert bool(why.remedies) is not why.accepted
    for remedy in why.remedies:
        change = tomli.loads("\n".join(remedy.lines))
        if "relay_hosts" in change:
            listener = Listener(
                listen=at.listener.listen, relay_hosts=Networks.parse(change["relay_hosts"])
            )
            assert of(question, [listener]).decide(tables.load([rules])).accepted
        else:
            assert at.decide(tables.load([rules, change])).accepted


@given(RULES, QUESTIONS)
def test_a_change_leaves_the_rest_of_an_entry_alone(
    rules: dict[str, Any], question: Question
) -> None:
    """Whoever was accepted at the domain in question before still is."""
    why, at = explained(rules, question)
    before = tables.load([rules])
    for remedy in why.remedies:
        change = tomli.loads("\n".join(remedy.lines))
        if "relay_hosts" in change:
            continue
        after = tables.load([rules, change])
        for domain in (at.forward_path.domain, at.reverse_path.domain):
            entry = before.find(domain, at.session)
            changed = after.find(domain, at.session)
            if entry and changed:
                kept = set(entry.options.relay_from.blocks)
                assert kept <= set(changed.options.relay_from.blocks)
                assert entry.options.relay_from_authz <= changed.options.relay_from_authz
                assert entry.options.relay_to <= changed.options.relay_to


def test_what_was_passed_over_is_said() -> None:
    """An entry of its own hides the wildcard above it, and a section hides the general part."""
    rules = {
        "www.example.com": {},
        "*.example.com": {"relay_to": True},
        "listener": {HERE: {"*.example.com": {"log_oob": True}}},
    }
    question = Question(
        peer="192.0.2.1", sender="", recipient="x@www.example.com", listener=ELSEWHERE
    )
    why, _ = explained(rules, question)
    assert [(step.key, step.answer) for step in why.recipient.asked] == [
        ("www.example.com", "found"),
        ("*.example.com", "passed over"),
    ]
    assert why.recipient.asked[1].options == {"relay_to": "true"}
    why, _ = explained(
        rules, Question(peer="::1", sender="", recipient="x@www.example.com", listener=HERE)
    )
    assert [(step.section, step.key, step.answer) for step in why.recipient.asked] == [
        (HERE, "www.example.com", "nothing"),
        (HERE, "*.example.com", "found"),
        ("", "www.example.com", "passed over"),
        ("", "*.example.com", "passed over"),
    ]


@pytest.mark.parametrize(
    ("rule", "because"),
    [
        ("relay_hosts", '192.0.2.1 is not in ["127.0.0.1", "::1"], listener 127.0.0.1:25'),
        ("relay_from", '192.0.2.1 is not in ["10.0.0.0/8"], ["example.com"]'),
        ("relay_from_authz", '["example.com"] names no identities'),
        ("relay_to", "no entry for the recipient's domain"),
    ],
)
def test_reasons_are_said(rule: str, because: str) -> None:
    """The reason of each rule names what it compared."""
    rules = {"example.com": {"relay_from": ["10.0.0.0/8"]}}
    question = Question(
        peer="192.0.2.1", sender="x@example.com", recipient="x@example.net", listener=HERE
    )
    why, _ = explained(rules, question)
    reasons = {each.name: each.because for each in why.rules}
    assert reasons[rule] == because
