"""Where a crash is worth a test: each point is a step of the code, named here and only here.

The code under test knows nothing of it. In the child that is to crash, the method that makes the
step is wrapped, and the process kills itself, with SIGKILL, when the step is made for the nth
time. A method that was renamed is an error, and a point that is never reached is reported.
"""

from __future__ import annotations

import errno
import functools
import importlib
import os
import signal
from typing import Any, NamedTuple


class Point(NamedTuple):
    """A step: ``module:Class.method``, and whether the crash comes before or after it.

    Of what is done ``half-way`` only the files with that ``suffix`` count.
    """

    step: str
    when: str = "after"
    suffix: str = ""


QUEUE = "kumo_handlers.queue"
JOURNAL = "kumo_handlers.journal"

POINTS = {
    # receive
    "received": Point(f"{QUEUE}.commit:Committer._submit", "before"),
    "submitted": Point(f"{QUEUE}.commit:Committer._submit"),
    # write
    "kept, not named": Point(f"{QUEUE}.kept:KeptFolder._write", "before"),
    "kept": Point(f"{QUEUE}.kept:KeptFolder._write"),
    "about to write a page": Point(f"{QUEUE}.daybook:Daybook.write", "before"),
    "half a page": Point(f"{JOURNAL}.segment:Segment._write", "half-way", ".pages"),
    "page written": Point(f"{QUEUE}.daybook:Daybook.write"),
    "page handed in": Point(f"{QUEUE}.books:Books.hand_in"),
    # enter
    "lines written": Point(f"{QUEUE}.outbox:Outbox.add"),
    "mail written": Point(f"{QUEUE}.spool:Spool.add"),
    "key written": Point(f"{QUEUE}.report_keys:ReportKeys.add"),
    # flush
    "committed": Point(f"{QUEUE}.books:Books._show", "before"),
    # append
    "half a line": Point(f"{JOURNAL}.segment:Segment._write", "half-way", ".jsonl"),
    "appended": Point(f"{JOURNAL}.segment:Segment.append"),
    "segment begun": Point(f"{JOURNAL}.jsonl:JsonLines._begin"),
    "shown": Point(f"{QUEUE}.books:Books._show"),
    # reply
    "before the reply": Point("kumo_handlers.queue.unit:AwaitedJob.settle", "before"),
    "reply under way": Point("kumo_handlers.queue.unit:AwaitedJob.settle"),
    # deliver
    "about to hand over": Point(f"{QUEUE}.in_flight:InFlight.mark"),
    "handed over": Point(f"{QUEUE}.verdict:Server.of"),
    "delivery committed": Point(f"{QUEUE}.delivery:Delivery._commit"),
    "entry finished": Point(f"{QUEUE}.spool:Spool.finish"),
    # in step
    "log synced": Point(f"{QUEUE}.outbox:Outbox.sync"),
    "outbox struck": Point(f"{QUEUE}.outbox:Outbox.struck"),
    "about to forget pages": Point(f"{QUEUE}.daybook:Daybook.forget", "before"),
    # start
    "reconciled": Point(f"{QUEUE}.outbox:Outbox.reconcile"),
    "left over entered": Point(f"{QUEUE}.books:Books._reconcile"),
    "left over marked": Point(f"{QUEUE}.delivery:Delivery._mark_left_over"),
}


# What a broken disk refuses, so many times from the nth on.
FAILURES = 10
FAULTS = {
    "the database": Point(f"{QUEUE}.database:Database._usable", "fails"),
    "a page": Point(f"{QUEUE}.daybook:Daybook._begun", "fails"),
    "a line or a page": Point(f"{JOURNAL}.segment:Segment._write", "fails"),
    "a flush of the log": Point(f"{JOURNAL}.segment:Segment.sync", "fails"),
    "a kept message": Point(f"{QUEUE}.kept:KeptFolder._write", "fails"),
}


def install(name: str, nth: int) -> None:
    """Make this process kill itself at that point, the nth time it comes by; or have it fail."""
    step, when, suffix = POINTS[name] if name in POINTS else FAULTS[name]
    module, _, path = step.partition(":")
    owner_name, _, method = path.partition(".")
    owner = getattr(importlib.import_module(module), owner_name)
    if method not in vars(owner):
        raise LookupError(f"{step} is no step any more")
    is_class_method = isinstance(vars(owner)[method], classmethod)
    original = getattr(owner, method)
    left = [nth]

    @functools.wraps(original)
    def wrapped(*args: Any, **fields: Any) -> Any:
        if suffix and args[0].path.suffix != suffix:
            return original(*args, **fields)
        left[0] -= 1
        if when == "fails":
            if -FAILURES < left[0] <= 0:
                raise OSError(errno.EIO, "injected")
            return original(*args, **fields)
        if left[0] == 0 and when == "half-way":
            segment, lines = args
            os.write(segment._file, lines[: len(lines) // 2])
        if left[0] == 0 and when != "after":
            die()
        answer = original(*args, **fields)
        if left[0] == 0:
            die()
        return answer

    setattr(owner, method, staticmethod(wrapped) if is_class_method else wrapped)


def die() -> None:
    """As the kernel kills: nothing is flushed, nothing is closed, nobody is told."""
    os.kill(os.getpid(), signal.SIGKILL)
