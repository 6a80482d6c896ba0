"""Frames between processes: whatever is said arrives, however the stream is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.queue.kept import KeptMail
from kumo_handlers.queue.queued_mail import Facts, QueuedMail
from kumo_handlers.queue.unit import Job, Unit
from kumo_handlers.queue.wire import Answer, Frames, Order, Posted, Said, Word, frame

ADDRESSES = st.binary(max_size=20).map(lambda octets: octets.decode("utf-8", "surrogateescape"))
MAILS = st.builds(
    QueuedMail,
    id=st.text("abc", max_size=5),
    reverse_path=ADDRESSES,
    recipients=st.lists(ADDRESSES, max_size=3).map(tuple),
    content=st.binary(max_size=200),
    time=st.floats(0, 4e9),
    facts=st.builds(Facts, meta=st.dictionaries(st.text(max_size=5), st.integers(-9, 9))),
)
SAID = st.one_of(
    st.builds(Answer, st.integers(0, 99), st.text(max_size=9), st.text(max_size=9)),
    st.builds(Word, st.binary(max_size=300)),
)


@given(st.lists(SAID, max_size=6), st.integers(1, 50))
def test_however_it_is_cut(said: list[Said], step: int) -> None:
    """All of it comes out, in order, and nothing else."""
    stream = b"".join(frame(each) for each in said)
    frames = Frames()
    heard = [
        each
        for start in range(0, len(stream), step)
        for each in frames.feed(stream[start : start + step])
    ]
    assert heard == said


@given(MAILS)
def test_mail_arrives_as_it_was(mail: QueuedMail) -> None:
    """Addresses that are no UTF-8, and all that the records will need."""
    assert Posted.of(mail).mail() == mail


def test_an_order_has_all_of_a_unit() -> None:
    """Lines and keys are encoded already; mail and kept messages come whole."""
    mail = QueuedMail(id="1", reverse_path="", recipients=("a@b",), content=b"x", time=1.0)
    job = Job(Unit(mails=(mail,), kept=(KeptMail("1", b"y"),)), [b"{}\n"], ["key"])
    (order,) = Frames().feed(frame(Order.of(7, job)))
    assert isinstance(order, Order)
    assert (order.number, order.lines, order.keys) == (7, [b"{}\n"], ["key"])
    assert [each.mail() for each in order.mails] == [mail]
    assert order.kept == [KeptMail("1", b"y")]
