"""All that a start would load, loaded, and what was wrong with it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING

from kumo_handlers.cli.policy_choice import import_settings, with_rules
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.pipeline import listener_check, rules, setting_lines, shipping_check
from kumo_handlers.pipeline.settings import Settings, slips
from kumo_handlers.policy import tables
from kumo_handlers.policy.advice.subject import Subject
from kumo_handlers.policy.advice.table import Warned, warnings
from kumo_handlers.policy.database.engine import is_url
from kumo_handlers.service import ServiceURL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

    from kumo_handlers.cli.policy_choice import Choice
    from kumo_handlers.policy.listener import Listener


@dataclass
class Checked:
    """What was looked at, in words, and what was found."""

    what: str = "nothing"
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)

    @contextmanager
    def collecting(self, file: str | None = None) -> Iterator[None]:
        """Keep the problems of a `ConfigurationError`; those that say no file stand in ``file``."""
        try:
            yield
        except ConfigurationError as error:
            self.keep(error.problems, file)

    def keep(self, problems: Iterable[Problem], file: str | None) -> None:
        """Keep errors; those that say no file stand in ``file``."""
        shown = (replace(each, file=_shown(each.file) or file) for each in problems)
        self.errors += setting_lines.located(shown, file)

    def warn(self, kind: str, problems: Iterable[Problem], file: str | None) -> None:
        """Keep what may not do what was meant, all of one kind, and in ``file``."""
        placed = (replace(problem, file=file) for problem in problems)
        self.warnings += (Warned(kind, each) for each in setting_lines.located(placed, file))


def check_files(choice: Choice, checked: Checked) -> None:
    """Check rules alone. Where to listen is not known, unless a script says it."""
    with checked.collecting():
        _check_rules(with_rules(Settings(), choice), (), checked)


def check_settings(choice: Choice, checked: Checked) -> None:
    """Check settings, and all that they name; ``choice.files`` stand in for their rules."""
    name = choice.settings or ""
    checked.what = f"settings {name}"
    settings: Settings | None = None
    file: str | None = None
    with checked.collecting():
        module = import_settings(name)
        file = _shown(module.__file__)
        with checked.collecting(file):
            settings = Settings.read_silently(module)
        checked.warn("misspelt-setting", starmap(_slip, slips(module)), file)
        _check_handlers(module, file, checked)
    if settings is not None:
        with checked.collecting(file):
            _check_rest(settings)
        checked.warn("unsigned-webhook", shipping_check.unsigned(settings), file)
        with checked.collecting(file):
            settings = with_rules(settings, choice)
            checked.warn("no-entries", _no_rules(settings), file)
            _check_rules(settings, settings.listeners, checked, file)


def _slip(name: str, meant: str) -> Problem:
    return Problem(message="has no effect", option=name, hint=f"Did you mean {meant}?")


def _no_rules(settings: Settings) -> Iterator[Problem]:
    """A table without an entry is a matter of the rules; that there is none, of the settings."""
    if not settings.listener_domains and settings.policy is None:
        yield Problem(
            message="no rules: only relay_hosts may send anything",
            option="listener_domains",
            hint='listener_domains = ["config/listener_domains.toml"], or policy = "policy.lua"',
        )


def _shown(file: str | None) -> str | None:
    """A file's name, from the current folder where it is below it."""
    here = Path.cwd()
    if file is None or not Path(file).is_relative_to(here):
        return file
    return str(Path(file).relative_to(here))


def _check_rules(
    settings: Settings,
    listeners: tuple[Listener, ...],
    checked: Checked,
    file: str | None = None,
) -> None:
    """The rules, and what there is to warn of; ``file`` has the listeners."""
    number, noun = len(settings.listener_domains), "file"
    if any(isinstance(each, ServiceURL) or is_url(str(each)) for each in settings.listener_domains):
        noun = "source"
    checked.what = settings.policy or f"{number} {noun if number == 1 else f'{noun}s'}"
    with checked.collecting(), tables.collector_paused():
        subject, problems = _subject(settings, listeners)
        if not settings.policy:
            count = len(subject.entries)
            checked.what += f", {count} {'entry' if count == 1 else 'entries'}"
        checked.errors += listener_check.problems(subject.listeners, file)
        checked.warnings += (Warned("lua-list", problem) for problem in problems)
        checked.warnings += warnings(subject, file)


def _subject(
    settings: Settings, listeners: tuple[Listener, ...]
) -> tuple[Subject, tuple[Problem, ...]]:
    """The policy to warn about, and what was odd about reading it."""
    if settings.policy:
        policy = rules.load(settings)
        if policy.events and policy.events.classifier_files:
            from kumo_handlers.reports import classification  # noqa: PLC0415 - few name any

            classification.load(policy.events.classifier_files)
        return Subject(policy, policy.listeners or listeners), ()
    written = tables.read(settings.listener_domains)
    return Subject(tables.make(written), listeners, written.parts), written.warnings


def _check_rest(settings: Settings) -> None:
    """What settings name beside rules and handlers. Raises with all that is wrong with it."""
    from kumo_handlers.journal.sink import SINKS  # noqa: PLC0415 - settings alone need it
    from kumo_handlers.pipeline import broker_check  # noqa: PLC0415 - likewise
    from kumo_handlers.policy.options import suggestion  # noqa: PLC0415 - likewise
    from kumo_handlers.reports import classification, trace  # noqa: PLC0415 - likewise

    checked = Checked()
    with checked.collecting():
        classification.load(settings.classification)
    with checked.collecting():
        trace.Keys.read(settings.trace_keys, settings.trace_max_age)
    with checked.collecting():
        shipping_check.check(settings)
    with checked.collecting():
        broker_check.broker(settings)
    checked.errors += (
        Problem(
            message="there is no such sink",
            option="sinks",
            value=repr(name),
            expected=f"one of {', '.join(SINKS)}",
            hint=suggestion(name, SINKS),
        )
        for name in settings.sinks
        if name not in SINKS
    )
    if checked.errors:
        raise ConfigurationError(checked.errors)


def _check_handlers(module: ModuleType, file: str | None, checked: Checked) -> None:
    """Whether the handlers can be imported, and whether their order loses mail."""
    from kumo_handlers.cli import handler_modules  # noqa: PLC0415 - it imports Salmon
    from kumo_handlers.pipeline import handler_order  # noqa: PLC0415 - settings alone need it

    handlers = tuple(getattr(module, "handlers", ()))
    with checked.collecting(file):
        handler_modules.load(handlers)
    checked.keep(handler_order.missing(handlers), file)
    on_reports = handler_modules.on_reports(handlers)
    checked.warn("handler-order", handler_order.check(handlers, on_reports), file)
