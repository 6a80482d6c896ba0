"""Classification: rule files as KumoMTA has them, and what our own says of real replies."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.reports import classification
from kumo_handlers.reports.classification import Classifier, Rule

REPLIES = [
    # words, with a code that says less
    ("550 5.1.1 <a@example.com>: Recipient address rejected: User unknown", "InvalidRecipient"),
    ("550 No such user here", "InvalidRecipient"),
    ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", "InvalidRecipient"),
    ("554 delivery error: dd This user doesn't have a mailbox here", "InvalidRecipient"),
    ("550 5.2.1 The account that you tried to reach is disabled", "InactiveMailbox"),
    ("550 5.1.1 This mailbox is no longer in use", "InactiveMailbox"),
    ("552 5.2.2 The email account that you tried to reach is over quota", "QuotaIssues"),
    ("452 4.2.2 Mailbox full", "QuotaIssues"),
    ("552 5.3.4 Message size exceeds fixed limit", "QuotaIssues"),
    ("550 5.4.4 Host or domain name not found", "BadDomain"),
    ("550 5.1.2 <a@example.com>: Recipient address rejected: Domain not found", "BadDomain"),
    ("550 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org", "SpamBlock"),
    ("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", "SpamBlock"),
    ("550 5.7.1 This message was identified as spam", "SpamContent"),
    ("552 5.7.0 Our system detected an illegal attachment on your message", "ProhibitedAttachment"),
    ("554 5.7.0 Message contains a virus: Eicar", "VirusRelated"),
    ("550 5.7.26 This mail is unauthenticated, SPF did not pass", "AuthenticationFailed"),
    ("550 5.7.1 <a@example.com>: Relay access denied", "RelayDenied"),
    ("553 5.1.8 <a@example.com>: Sender address rejected: Domain not found", "InvalidSender"),
    ("450 4.2.0 Greylisted, come back in five minutes", "TransientFailure"),
    ("421 Too many connections from your host", "TransientFailure"),
    ("550 4.4.7 QUEUE.Expired; message expired", "MessageExpired"),
    ("554 5.4.6 Too many hops", "RoutingErrors"),
    ("550 4.4.1 connect to mx.example.com[192.0.2.1]:25: Connection timed out", "NoAnswerFromHost"),
    ("550 4.4.2 lost connection with mx.example.com while sending RCPT TO", "BadConnection"),
    ("451 4.4.3 Temporary name server failure: lookup timed out", "DNSFailure"),
    ("452 4.5.3 Too many recipients", "TooManyRecipients"),
    ("550 5.7.1 Message refused: policy violation", "PolicyRelated"),
    ("502 5.5.2 Error: command not recognized", "ProtocolErrors"),
    ("554 5.6.0 Message headers are malformed", "ContentRelated"),
    # the code alone
    ("550 5.1.1 ", "InvalidRecipient"),
    ("550 4.1.2 ", "BadDomain"),
    ("525 5.7.13 ", "InactiveMailbox"),
    ("551 5.7.17 ", "InvalidRecipient"),
    ("551 5.7.18 ", "BadDomain"),
    ("550 5.7.27 ", "InvalidSender"),
    ("550 5.7.23 ", "AuthenticationFailed"),
    ("550 5.7.1 ", "PolicyRelated"),
    ("550 4.4.5 ", "TransientFailure"),
    ("550 5.3.5 ", "BadConfiguration"),
    # nobody knows
    ("550 5.0.0 ", "Uncategorized"),
    ("550 5.0.0 Sorry", "Uncategorized"),
    ("", "Uncategorized"),
]


@pytest.mark.parametrize(("line", "expected"), REPLIES)
def test_default_rules(line: str, expected: str) -> None:
    """A reply of a kind that is met gets the class that KumoMTA's users expect."""
    assert classification.default().classify(line) == expected


MET: dict[str, list[str]] = tomllib.loads(
    (Path(__file__).parent / "replies.toml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    ("line", "expected"), [(line, name) for name, lines in MET.items() for line in lines]
)
def test_replies_that_are_met(line: str, expected: str) -> None:
    """What providers write, whose words and codes seldom agree."""
    assert classification.default().classify(line) == expected


# The classes KumoMTA defines; any other name would be a class of the user's own.
KUMOMTA = {
    "InvalidRecipient",
    "DNSFailure",
    "SpamBlock",
    "SpamContent",
    "ProhibitedAttachment",
    "RelayDenied",
    "AutoReply",
    "TransientFailure",
    "Subscribe",
    "Unsubscribe",
    "ChallengeResponse",
    "BadConfiguration",
    "BadConnection",
    "BadDomain",
    "ContentRelated",
    "InactiveMailbox",
    "InvalidSender",
    "MessageExpired",
    "NoAnswerFromHost",
    "PolicyRelated",
    "ProtocolErrors",
    "QuotaIssues",
    "RelayingIssues",
    "RoutingErrors",
    "SpamRelated",
    "VirusRelated",
    "AuthenticationFailed",
    "TooManyRecipients",
    "Uncategorized",
}


def test_default_classes_are_kumomtas() -> None:
    """Our file invents no class."""
    assert {rule.class_ for rule in classification.default()._rules} <= KUMOMTA


def test_first_rule_in_order_wins() -> None:
    """Not the one that is found first in the text: as KumoMTA merges files."""
    classifier = Classifier(
        [
            Rule("foo", "woot"),
            Rule("foo", "aaa"),
            Rule("bar", "woot"),
            Rule("bar", "bbb"),
            Rule("second_file", "bbb"),
            Rule("second_file", "ccc"),
        ]
    )
    asked = ["woot", "bbb aaa", "bbb", "ccc", "ddd"]
    assert [classifier.classify(text) for text in asked] == [
        "foo",
        "foo",
        "bar",
        "second_file",
        "Uncategorized",
    ]


def test_files_are_merged_before_ours(tmp_path: Path) -> None:
    """A user's file overrules the default one; TOML and JSON are both read."""
    toml = tmp_path / "a.toml"
    toml.write_text("[rules]\nMine = [\"^550 5\\\\.1\\\\.1 \", 'second']\n")
    json = tmp_path / "b.json"
    json.write_text('{"rules": {"Other": ["^550 ", "third"]}}')
    classifier = classification.load([toml, json])
    asked = ["550 5.1.1 x", "550 5.1.2 x", "third", "452 4.2.2 mailbox full"]
    assert [classifier.classify(text) for text in asked] == [
        "Mine",
        "Other",
        "Other",
        "QuotaIssues",
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[rules]\nA = ['ok', '(?=x)']\nB = [\n  'fine',\n  '(a',\n]\n", 2, "look-around"),
        ("[rules]\nB = [\n  'fine',\n  '(a',\n]\n", 4, "a ( without its )"),
        ('[rules]\nB = [\n  "a\\\\1",\n]\n', 3, "a back-reference"),
        ("[rules]\nA = 'x'\n", None, "no list of expressions"),
        ("[rules]\nA = [1]\n", None, "no list of expressions"),
        ("[rule]\nA = ['x']\n", None, "no rule file"),
        ("[rules]\nA = [\n", None, "(at end of document)"),
    ],
)
def test_errors_name_the_place(tmp_path: Path, text: str, line: int | None, message: str) -> None:
    """File, line, class and expression: what is needed to go and mend it."""
    file = tmp_path / "rules.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        classification.load([file])
    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == (str(file), line)
    assert message in str(problem)


def test_every_problem_of_every_file(tmp_path: Path) -> None:
    """All at once: the second file is read though the first is no good."""
    first, second = tmp_path / "1.toml", tmp_path / "2.toml"
    first.write_text("[rules]\nA = ['(', ')']\n")
    second.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError) as caught:
        classification.load([first, second, tmp_path / "missing.toml"])
    assert len(caught.value.problems) == 4


def test_only_the_beginning_is_read() -> None:
    """A megabyte of text costs no more than the longest reply line."""
    classifier = Classifier([Rule("Late", "needle")])
    assert classifier.classify("x" * 1_000_000 + "needle") == "Uncategorized"
    assert classifier.classify("x" * 500 + "needle") == "Late"
