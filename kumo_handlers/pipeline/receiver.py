"""`settings.receiver`: the listeners, on an event loop of their own, with Salmon's `start`.

Made, it has its addresses; started, it listens and opens its files. Between the two ``salmon start
--uid --gid`` gives up root's rights.

SIGTERM and SIGINT stop it: what is in flight is finished, the rest is told to come again. SIGHUP
reloads the rules; but ``salmon stop`` sends SIGHUP too, and removes its pid file, and by that it
is told apart.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from concurrent import futures
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from salmon.routing import Router

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.pipeline import handler_order, privileges, residents
from kumo_handlers.pipeline.metrics_endpoint import MetricsEndpoint
from kumo_handlers.pipeline.readiness import Readiness
from kumo_handlers.pipeline.reload import Reloader
from kumo_handlers.pipeline.worker import Worker
from kumo_handlers.pipeline.workers import Workers
from kumo_handlers.pipeline.workforce import Workforce
from kumo_handlers.reports.nonstandard import flufl
from kumo_handlers.smtp.activation import Activation
from kumo_handlers.smtp.server import Server

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Container, Sequence
    from types import FrameType

    from kumo_handlers.mail.session import Peer
    from kumo_handlers.pipeline.installation import Installation
    from kumo_handlers.pipeline.reload import Watched
    from kumo_handlers.pipeline.residents import Engage
    from kumo_handlers.pipeline.tally import Tally

_log = logging.getLogger(__name__)
PID_FILE = Path("run/smtp.pid")
# How long after SIGHUP `salmon stop` may take to remove the pid file.
STOP_NOTICE = 1.0
# How long an import that was begun may take until we end all the same.
IMPORT = 5.0
_LOOK = 0.5  # seconds between two looks whether a signal was missed


class Receiver:
    """The listeners of an installation. ``start`` returns when they listen.

    ``engage`` says who lives on the event loop, if it is not only the listeners. Raises
    `ConfigurationError` where an address cannot be had.
    """

    def __init__(
        self,
        installed: Installation,
        watched: Sequence[Watched],
        check_handlers: Callable[[], None],
        pid_file: Path = PID_FILE,
        engage: Engage = residents.listening,
    ) -> None:
        settings = installed.settings
        self._installed = installed
        self._check_handlers = check_handlers
        self._pid_file = pid_file
        self._had_pid_file = False
        self._threads = Workers(settings.handler_threads)
        self._readiness = Readiness()
        self._reloader = Reloader(watched, self._say_ready)
        self._residents = engage(installed, self._threads)
        self._servers = [each for each in self._residents if isinstance(each, Server)]
        self._workforce: Workforce | None = None
        self.metrics = MetricsEndpoint(installed, self._servers, self._tallies)
        self._bind()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_asked = asyncio.Event()
        self._started = threading.Event()
        self._error: BaseException | None = None
        self._is_awaited = False
        self._is_lost = False
        self._is_up = False
        self._preparing: futures.Future[None] | None = None
        self._was_told_to_stop = False
        self._thread = threading.Thread(target=self._run, name="listeners")

    @property
    def addresses(self) -> tuple[Peer, ...]:
        """Where each listener listens, in their order; port 0 has become a real one."""
        return tuple(server.sockname for server in self._servers)

    def start(self) -> None:
        """Listen. Raises `ConfigurationError` or `StorageError` where that is impossible.

        In the main thread, signals are minded from now on; told to stop meanwhile, it raises
        SystemExit.
        """
        try:
            self._check_handlers()
            privileges.check(Router.UNDELIVERABLE_QUEUE)
            if self._installed.settings.workers > 1:  # before there is any thread
                flufl.prepare()  # once, for all of them
                self._workforce = Workforce(self._installed, self._be_worker, self._lose_workers)
            self._installed.committer  # noqa: B018 - opens the queue: what is in it goes on its way
        except BaseException:
            self.stop()
            raise
        self._had_pid_file = _is_ours(self._pid_file)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._stop_signalled)
            signal.signal(signal.SIGHUP, self._hang_up_signalled)
        self._loop = _new_loop()
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error
        self._reloader.start()
        if self._workforce is None:
            # now that clients are greeted
            self._preparing = self._threads.submit(self._prepare)
        self._hold_main_thread()
        self._say_ready()
        self._is_up = True
        if self._was_told_to_stop:
            self.stop()
            raise SystemExit(0)

    def _hold_main_thread(self) -> None:
        """Have it wait for the end where it would otherwise be over: there it has no more to do.

        QUIRK: after it Python lets no executor take work any more, and 3.12 before 3.12.3 lets no
        thread begin, without which nothing is relayed. ``salmon start`` is a command of click's,
        which waits before it closes; for a script, public hooks come too late.
        """
        if "click" in sys.modules:
            import click  # noqa: PLC0415 - not for those who have no command

            if (command := click.get_current_context(silent=True)) is not None:
                command.call_on_close(self.join)
        threading._register_atexit(self.join)  # type: ignore[attr-defined] # noqa: SLF001

    def _prepare(self) -> None:
        """What the first bounce, and the first STARTTLS, would wait for."""
        flufl.prepare()
        for server in self._servers:
            server.prepare()

    def stop(self) -> None:
        """Finish what is in flight, answer 421 to the others, flush, and return."""
        if self._thread.ident is None:  # it was never started
            if self._workforce is not None:
                self._workforce.close()
            self._close()
            return
        with suppress(RuntimeError):  # the loop is closed: it has stopped already
            assert self._loop is not None  # noqa: S101 - the thread runs it
            self._loop.call_soon_threadsafe(self._stop_asked.set)
        self.join()

    def join(self) -> None:
        """Return when it has stopped."""
        if threading.current_thread() is threading.main_thread():
            self._is_awaited = True
        # QUIRK: a signal that comes just before a wait without an end is noted by the interpreter
        # and wakes nobody: its handler would run with the next signal.
        while self._thread.is_alive():
            self._thread.join(_LOOK)

    def reload(self) -> None:
        """Load the rules again now."""
        self._readiness.reloading()
        self._reloader.ask()
        if self._workforce is not None:
            self._workforce.reload()

    def _tallies(self) -> Sequence[Tally]:
        return () if self._workforce is None else self._workforce.tallies()

    def _be_worker(self, number: int, line: socket.socket) -> int:
        """The life of a process that was forked: it listens, and what it takes goes down the line.

        Its start and its end are the workforce's business; the app's and Salmon's are not.
        """
        _log.debug("worker %d is process %d", number, os.getpid())
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(Worker(self._installed, self._servers, self._reloader).serve(line))
        return 0

    def _bind(self) -> None:
        """Have each listener's address: from systemd, or else by ourselves; all or none."""
        activation = Activation.of()
        try:
            for server in self._servers:
                server.bind(activation)
        except ConfigurationError:
            for server in self._servers:
                server.close()
            raise
        finally:
            activation.close()

    def _say_ready(self) -> None:
        addresses = ", ".join(listener.listen for listener in self._installed.listeners)
        doing = f"listening on {addresses}" if self._servers else "working"
        self._readiness.ready(f"{doing}; rules {self._installed.policy.version}")

    def _run(self) -> None:
        """The thread of the event loop."""
        assert self._loop is not None  # noqa: S101 - start() has made it
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001 - whoever started it raises it
            self._error = error
            self._started.set()
        finally:
            self._close()
        if self._is_lost:
            # whoever supervises us learns it: the main thread may be over, and has no status then
            logging.shutdown()
            os._exit(1)

    def _lose_workers(self) -> None:
        """Stop as if asked to, but with a status that says to start anew."""
        self._is_lost = True
        self._stop_asked.set()

    def _close(self) -> None:
        """Let go of all there is; of what is closed, a second time does no harm."""
        for server in self._servers:
            server.close()
        if self._preparing is not None:
            # an interpreter that ends in the middle of a thread's import may hang in its locks
            futures.wait([self._preparing], IMPORT)
        self._threads.shutdown()
        self._installed.close()
        if self._loop is not None:
            self._loop.close()

    async def _serve(self) -> None:
        living = asyncio.create_task(self._readiness.live())
        try:
            await self.metrics.start()
            await self._begin()
            self._started.set()
            await self._stop_asked.wait()
            _log.info("stopping")
            self._readiness.stopping()
            self._reloader.stop()
        finally:
            living.cancel()
            grace = self._installed.settings.stop_timeout
            await self.metrics.stop()
            if self._workforce is not None:
                await self._workforce.stop()
            await asyncio.gather(*(server.stop(grace) for server in self._servers))
            for resident in reversed(self._residents):
                if resident not in self._servers:
                    await resident.stop(grace)
        _log.info("stopped")

    async def _begin(self) -> None:
        """Here, or in as many processes as the settings say."""
        if self._workforce is not None:
            await self._workforce.start()
            return
        for resident in self._residents:
            await resident.start()

    def _stop_signalled(self, number: int, frame: FrameType | None) -> None:
        """SIGTERM, SIGINT. What was interrupted may hold a lock: nothing here may wait."""
        del frame
        was_told, self._was_told_to_stop = self._was_told_to_stop, True
        if not self._is_up:  # clients may be here already, but start() has more to do, and looks
            return
        with suppress(RuntimeError):  # as in stop()
            assert self._loop is not None  # noqa: S101 - as there
            self._loop.call_soon_threadsafe(self._told_to_stop, signal.Signals(number).name)
        # Salmon's main thread may be asleep for good (--debug); once, as the end is held then.
        # QUIRK: Python up to 3.12 takes a thread for ended when its join() is left by an exception.
        if not (was_told or self._is_awaited):
            raise SystemExit(0)

    def _told_to_stop(self, name: str) -> None:
        _log.info("received %s", name)
        self._stop_asked.set()

    def _hang_up_signalled(self, number: int, frame: FrameType | None) -> None:
        """SIGHUP: reload, or stop if it was ``salmon stop``."""
        del number, frame
        self.reload()
        if self._had_pid_file:
            threading.Timer(STOP_NOTICE, self._stop_if_told).start()

    def _stop_if_told(self) -> None:
        if not self._pid_file.exists():
            os.kill(os.getpid(), signal.SIGTERM)


def _is_ours(pid_file: Path) -> bool:
    """Whether Salmon wrote our process into its pid file."""
    try:
        return int(pid_file.read_text().split()[0]) == os.getpid()
    except (OSError, ValueError, IndexError):
        return False


def _new_loop() -> asyncio.AbstractEventLoop:
    """A loop of uvloop where that is installed, which is what the extra is for."""
    try:
        import uvloop  # noqa: PLC0415 - an extra
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def require_loaded(handlers: Sequence[str], loaded: Container[str]) -> None:
    """Raise `ConfigurationError` for handlers that Salmon did not load, and those of ours missing.

    Salmon logs an ImportError and goes on, without the handler: mail would be accepted and lost.
    """
    problems = [
        Problem(
            message="the handler was not loaded",
            option="handlers",
            value=repr(name),
            hint="see the log for an ImportError; is Router.load(...) in boot?",
        )
        for name in handlers
        if name not in loaded
    ]
    problems += handler_order.missing(handlers)
    if problems:
        raise ConfigurationError(problems)
    for problem in handler_order.check(handlers):
        _log.warning("%s", problem)
