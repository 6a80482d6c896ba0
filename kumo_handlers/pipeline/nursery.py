"""A small process that forks the others, and forks again what died.

A process with threads must not fork: whatever lock another thread holds stays held for ever. So
one is forked off before there are any, does nothing else, and has no threads, ever. It hands each
new process's end of a line to the parent, and ends all of them when the parent ends, however.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from kumo_handlers.shipping.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[int, socket.socket], int]

_log = logging.getLogger(__name__)
_SETTLED: Final = 10.0  # who lived this many seconds is forked again at once
_NUMBER: Final = 4  # bytes of a worker's number
_IGNORED: Final = (signal.SIGINT, signal.SIGHUP)  # a terminal sends them to all; the parent acts


class Arrival(NamedTuple):
    """A process that has begun: its number, from 1, and the parent's end of its line."""

    number: int
    line: socket.socket


class Nursery:
    """The parent's view of it. ``work`` is a process's life; what it returns is its status.

    Made while there is one thread only. ``grace`` is how many seconds they have to end.
    """

    def __init__(self, count: int, work: Work, grace: float) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pid = os.fork()
        if self._pid == 0:
            self.control.close()
            _leave(lambda: _Attendant(theirs, work, grace).attend(count))
        theirs.close()

    def arrival(self) -> Arrival | None:
        """The next that has begun, waited for. None: there will be none any more."""
        with suppress(ConnectionError):
            number, files, _, _ = socket.recv_fds(self.control, _NUMBER, 1)
            if number:
                return Arrival(int.from_bytes(number), socket.socket(fileno=files[0]))
        return None

    def stop(self) -> None:
        """Have all of them end, and return when they have."""
        with suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)  # a close alone does not wake who waits in it
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        self.control.close()


class _Child(NamedTuple):
    number: int
    born: float


class _Attendant:
    """The small process."""

    def __init__(self, control: socket.socket, work: Work, grace: float) -> None:
        self._control = control
        self._work = work
        self._grace = grace
        self._children: dict[int, _Child] = {}
        self._due: dict[int, float] = {}
        self._patience = Patience()
        self._is_stopping = False

    def attend(self, count: int) -> int:
        """See that there are ``count`` of them, until told to stop."""
        woken, waking = socket.socketpair()
        for end in (woken, waking):
            end.settimeout(0)
        signal.set_wakeup_fd(waking.fileno())
        signal.signal(signal.SIGCHLD, _noted)
        signal.signal(signal.SIGTERM, self._stop_signalled)
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        self._due = dict.fromkeys(range(1, count + 1), 0.0)
        while not self._is_stopping:
            self._fork_what_is_due()
            found, _, _ = select.select([self._control, woken], [], [], self._pause())
            if self._control in found:
                break  # the parent says nothing: it has gone, or it closed its end
            with suppress(BlockingIOError):
                woken.recv(4096)
            self._reap()
        self._end_all()
        return 0

    def _pause(self) -> float | None:
        """Seconds until the next is due."""
        return max(0.0, min(self._due.values()) - time.monotonic()) if self._due else None

    def _fork_what_is_due(self) -> None:
        now = time.monotonic()
        for number in [number for number, due in self._due.items() if due <= now]:
            del self._due[number]
            self._fork(number)

    def _fork(self, number: int) -> None:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self._control.close()
            ours.close()
            _leave(lambda: self._work(number, theirs))
        self._children[pid] = _Child(number, time.monotonic())
        with ours, theirs, suppress(ConnectionError):
            socket.send_fds(self._control, [number.to_bytes(_NUMBER)], [ours.fileno()])

    def _reap(self) -> None:
        """Note who died, and when the next is to be forked."""
        while (found := _waited()) is not None:
            pid, status = found
            number, born = self._children.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            how = f"with status {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
            _log.error("worker %d ended %s, and is started again", number, how)
            now = time.monotonic()
            if now - born > _SETTLED:
                self._patience.reset()
                self._due[number] = now
            else:
                self._due[number] = now + self._patience.next()

    def _end_all(self) -> None:
        """Ask them to; after the grace, see to it."""
        _tell(self._children, signal.SIGTERM)
        end = time.monotonic() + self._grace
        while self._children and time.monotonic() < end:
            if (found := _waited()) is not None:
                del self._children[found[0]]
            else:
                time.sleep(0.01)
        for child in self._children.values():
            _log.error(
                "worker %d did not end within %g s, and is killed", child.number, self._grace
            )
        _tell(self._children, signal.SIGKILL)

    def _stop_signalled(self, number: int, frame: object) -> None:
        """SIGTERM; systemd sends it to every process of a service."""
        del number, frame
        self._is_stopping = True


def _leave(work: Callable[[], int]) -> None:
    """Do it, and end this process: nothing that its parent would do at its end is done twice."""
    status = 1
    try:
        status = work()
    except BaseException:  # noqa: BLE001 - nobody above would say it
        _log.exception("process %d failed", os.getpid())
    finally:
        logging.shutdown()
        os._exit(status)


def _waited() -> tuple[int, int] | None:
    """A child that has ended, and how."""
    with suppress(ChildProcessError):
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            return pid, status
    return None


def _tell(children: dict[int, _Child], number: signal.Signals) -> None:
    for pid in children:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _noted(number: int, frame: object) -> None:
    """SIGCHLD: the loop is woken, and looks."""
    del number, frame
