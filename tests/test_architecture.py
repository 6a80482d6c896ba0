"""The house: imports run down, never up, never round, and no room is too large to overlook."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kumo_handlers"

FLOORS = {
    "errors": 1,
    "mail": 2,
    "service": 2,
    "policy": 3,
    "reports": 3,
    "smtp": 4,
    "journal": 4,
    "queue": 5,
    "shipping": 5,
    "broker": 5,
    "pipeline": 6,
    "handlers": 7,
    "boot": 7,
    "cli": 8,
    "testing": 8,
}


def name_of(path: Path) -> str:
    """The dotted name of a module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package, parsed."""
    return {name_of(path): ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")}


def imports(name: str) -> set[str]:
    """The modules of the package that a module imports, under TYPE_CHECKING or not."""
    found = set()
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in modules() else node.module)
    return {each for each in found if each in modules() and each not in {"kumo_handlers", name}}


def wing(name: str) -> str:
    """The room or wing a module is in."""
    return name.split(".")[1] if "." in name else ""


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_run_down(name: str) -> None:
    """A module imports only from its own wing and from the floors below."""
    if not wing(name):
        return
    own = FLOORS[wing(name)]
    upward = {
        each
        for each in imports(name)
        if wing(each) != wing(name) and FLOORS.get(wing(each), 99) >= own
    }
    assert not upward, f"{name} imports {sorted(upward)}"


def test_no_import_runs_round() -> None:
    """No module imports itself by way of others, not even for types alone."""
    graph = {name: imports(name) for name in modules()}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_modules_can_be_overlooked() -> None:
    """The median module is under 150 lines, none is over 400."""
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    long = {name: length for name, length in lengths.items() if length > 400}
    assert not long
    assert median(lengths.values()) < 150


def test_functions_fit_in_view() -> None:
    """The median function is under 10 lines, none is over 40, its docstring not counted."""
    lengths = {
        f"{name}.{node.name}": function_length(node)
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    long = {name: length for name, length in lengths.items() if length > 40}
    assert not long
    assert median(lengths.values()) < 10


def function_length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body without the docstring."""
    first = node.body[0]
    is_documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    start = first.end_lineno + 1 if is_documented and first.end_lineno else first.lineno
    return (node.end_lineno or start) - start + 1


def test_the_core_does_no_io() -> None:
    """What decides opens no socket, starts no thread and reads no clock."""
    pure = ("policy.relaying", "policy.domain_map", "smtp.protocol", "smtp.content")
    rim = {"socket", "asyncio", "threading", "time", "subprocess"}
    for room in pure:
        tree = modules()[f"kumo_handlers.{room}"]
        names = {
            alias.name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert not names & rim, f"{room} imports {sorted(names & rim)}"


def test_handlers_are_thin() -> None:
    """A handler's module is a few lines, with no state of its own."""
    for name, tree in modules().items():
        if wing(name) == "handlers":
            assert not any(isinstance(node, ast.Assign) for node in tree.body), name
            assert len(ast.unparse(tree).splitlines()) < 30, name


def test_python_is_new_enough() -> None:
    """What the package says it needs is what runs it."""
    assert sys.version_info >= (3, 11)


@pytest.mark.parametrize("library", ["cryptography", "flufl.bounce", "rich"])
def test_start_does_without(library: str) -> None:
    """What takes long to import is imported when it is wanted, not before the first greeting."""
    code = f"import sys, kumo_handlers.boot; sys.exit({library!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
