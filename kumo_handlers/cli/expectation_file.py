"""The file of expectations: which policy it is about, and a table for each expectation.

listener_domains = ["../config/listener_domains.toml"]   # from this file's own folder

[[expect]]
peer = "192.0.2.1"
from = "ann@elsewhere.example"
to = "bob@example.com"
answer = "accept"
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kumo_handlers import service
from kumo_handlers.cli.policy_choice import Choice, is_script
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.pipeline import expectation
from kumo_handlers.pipeline.settings import PATHS
from kumo_handlers.policy import source, toml_text
from kumo_handlers.policy.database.engine import is_url
from kumo_handlers.policy.kinds import TEXT
from kumo_handlers.policy.options import ANYTHING, Option, Place, read_strictly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.pipeline.expectation import Expectation

_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*expect[ \t]*\]\]", re.MULTILINE)
OPTIONS = {
    option.name: option
    for option in (
        Option("listener_domains", PATHS, "the rules, from the folder of this file"),
        Option("policy", TEXT, "a policy in Lua, from the folder of this file"),
        Option("settings", TEXT, "the settings of a Salmon project"),
        Option("expect", ANYTHING, "the expectations, [[expect]] before each"),
    )
}


def read(name: str) -> tuple[Choice, tuple[Expectation, ...]]:
    """Which policy, and what is expected. Raises `ConfigurationError` with all that is wrong."""
    found = source.from_file(name)
    given = read_strictly(found.tables, OPTIONS, Place(file=name))
    tables = given.get("expect", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigurationError(
            Problem(message="expect is no list of tables", file=name, hint="[[expect]]")
        )
    folder = os.path.relpath(Path(name).parent)
    script = given.get("policy")
    files = (*given.get("listener_domains", ()), *((script,) if script else ()))
    choice = Choice(
        tuple(each if is_url(each) else os.path.normpath(Path(folder, each)) for each in files),
        given.get("settings"),
    )
    return choice, tuple(_expectations(name, found.text, tables))


def _expectations(name: str, text: str, tables: list[dict[str, Any]]) -> Iterator[Expectation]:
    headers = [text.count("\n", 0, found.start()) + 1 for found in _HEADER.finditer(text)]
    problems: list[Problem] = []
    for number, table in enumerate(tables):
        line = headers[number] if len(headers) == len(tables) else None
        try:
            yield expectation.read(table, Place(file=name, line=line))
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(problems)


def append(name: str, choice: Choice, table: dict[str, Any]) -> None:
    """Add an expectation to a file, which is made where there is none yet.

    Raises `ConfigurationError` where it cannot be, and for what is no file of expectations.
    """
    path = Path(name)
    if path.exists():
        read(name)
    given = (f"{key} = {toml_text.value(each)}" for key, each in table.items())
    lines = ["", "[[expect]]", *given, ""]
    try:
        if not path.exists():
            path.write_text("\n".join(_head(choice, path.parent)) + "\n")
        with path.open("a") as file:
            file.write("\n".join(lines))
    except OSError as error:
        raise ConfigurationError(
            Problem(message="cannot be written", file=name, hint=error.strerror)
        ) from error


def _head(choice: Choice, folder: Path) -> Iterator[str]:
    """The policy that the decision was asked of."""
    yield "# What the policy is expected to decide: kumo-handlers test FILE"
    if choice.settings:
        yield f"settings = {toml_text.quoted(choice.settings)}"
    files = [toml_text.quoted(_named(each, folder)) for each in choice.files]
    if any(map(is_script, choice.files)):
        yield f"policy = {files[0]}"
    elif files:
        yield f"listener_domains = [{', '.join(files)}]"


def _named(source: str, folder: Path) -> str:
    """A source of rules as the file names it. Raises `ConfigurationError`."""
    if not is_url(source):
        return os.path.relpath(source, folder)
    if service.masked(source) != source:
        raise ConfigurationError(
            Problem(
                message="a password is not written into a file",
                value=repr(service.masked(source)),
                hint="name settings with --settings, or keep the password in ~/.pgpass",
            )
        )
    return source
