"""Rules from files to a table, and back."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from kumo_handlers.cli.main import main
from kumo_handlers.policy.database.engine import open_engine
from tests.servers.postgresql import PASSWORD

RULES = """["*.example.com"]
log_oob = true
log_arf = "LogThenRelay"

["Example.COM"]
relay_to = true
relay_from = ["10.0.0.0/8", "any"]
relay_from_authz = ["ann", "B \\"b\\""]

["plain.example"]

[listener."0:25"."example.com"]
inherit = true
log_oob = false
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path}/rules.sqlite3"
    found: str = request.getfixturevalue("database")
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of rules."""
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    return path


def run(*words: object, status: int = 0) -> str:
    """What a command prints."""
    done = CliRunner().invoke(main, ["domains", *map(str, words)])
    assert done.exit_code == status, done.output
    assert PASSWORD not in done.output
    return done.output


def numbers(printed: str) -> str:
    """The end of what an import prints."""
    return printed.rstrip().rpartition(": ")[2]


def test_there_and_back(url: str, file: Path, tmp_path: Path) -> None:
    """What is exported makes the same policy, and imported again changes nothing."""
    assert numbers(run("import", url, file)) == "4 put, 0 taken out, 0 as they were"
    out = tmp_path / "out.toml"
    run("export", url, out)
    assert run("export", url) == out.read_text()
    with closing(open_engine(url)) as engine:
        before = engine.version()
        for again in (file, out):
            printed = run("import", "--replace", url, again)
            assert numbers(printed) == "0 put, 0 taken out, 4 as they were"
        assert engine.version() == before
    assert '[listener."0.0.0.0:25"."example.com"]\nlog_oob = false\ninherit = true\n' in (
        out.read_text()
    )


def test_only_what_differs(url: str, file: Path) -> None:
    """One row is put; with --replace the others go; another spelling goes always."""
    run("import", url, file)
    file.write_text('["plain.example"]\nrelay_to = true\n["new.example"]\n')
    assert numbers(run("import", url, file)) == "2 put, 0 taken out, 0 as they were"
    with closing(open_engine(url)) as engine, engine.snapshot(writing=True) as now:
        now.put([[("", "New.Example.", *[None] * 6)]], [], many=False)
    assert numbers(run("import", url, file)) == "0 put, 1 taken out, 2 as they were"
    assert numbers(run("import", "--replace", url, file)) == "0 put, 3 taken out, 2 as they were"


def test_wrong_files_change_nothing(url: str, file: Path) -> None:
    """Every problem, with file and line."""
    run("import", url, file)
    file.write_text('["a.example"]\nlog_oob = 7\n["b.example"]\nlog_arf = "Log"\n')
    printed = run("import", url, file, status=1)
    assert f"{file}:2: domain a.example, option log_oob" in printed
    assert f"{file}:4: domain b.example, option log_arf" in printed
    assert "example.com" in run("export", url)


def test_created(url: str) -> None:
    """Twice is once."""
    assert run("create", url) == run("create", url)
    assert run("create", url).endswith("table listener_domains: version 1\n")


@pytest.mark.parametrize("command", [("create",), ("export",), ("import", "RULES")])
def test_nobody_answers(file: Path, command: tuple[str, ...]) -> None:
    """Said in one line, without the password."""
    name, *files = command
    url = f"postgresql://mail:{PASSWORD}@127.0.0.1:1/rules"
    printed = run(name, url, *(file for _ in files), status=1)
    assert printed.startswith("error: postgresql://mail:***@127.0.0.1:1/rules table")


@pytest.mark.parametrize("there", [True, False])
def test_nothing_to_export(file: Path, tmp_path: Path, *, there: bool) -> None:
    """With the database down, what was exported before stays: nodes go on with it."""
    out = file if there else tmp_path / "new.toml"
    url = f"postgresql://mail:{PASSWORD}@127.0.0.1:1/rules"
    run("export", url, out, status=1)
    assert file.read_text() == RULES
    assert list(tmp_path.iterdir()) == [file]


def test_exported_whole_or_not_at_all(
    url: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node never reads half a file; the disk full, it reads the one before."""
    run("import", url, file)
    out = tmp_path / "out.toml"
    out.write_text("# before")
    out.chmod(0o640)
    seen = []
    monkeypatch.setattr("os.fsync", lambda _: seen.append(out.read_text()))
    run("export", url, out)
    assert seen[0] == "# before"
    assert seen[-1] == out.read_text() == run("export", url)
    assert stat.S_IMODE(out.stat().st_mode) == 0o640

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    run("import", "--replace", url, os.devnull)
    printed = run("export", url, out, status=1)
    assert printed == f"error: {out}: cannot be written: No space left on device\n"
    assert out.read_text() == seen[-1]
    assert not list(tmp_path.glob(".out*"))


def test_exported_through_a_link(url: str, file: Path, tmp_path: Path) -> None:
    """What it leads to is replaced, not the link; what is no file is written to."""
    run("import", url, file)
    out, link = tmp_path / "out.toml", tmp_path / "link.toml"
    link.symlink_to(out)
    run("export", url, link)
    assert link.is_symlink()
    assert out.read_text() == run("export", url, "-")
    run("export", url, os.devnull)
    assert not Path(os.devnull).is_file()


def test_checked_and_explained(url: str, file: Path) -> None:
    """The other commands take the URL where they take a file; a row is named as a line is."""
    run("import", url, file)
    done = CliRunner().invoke(main, ["check", url])
    assert "1 source, 4 entries" in done.output
    done = CliRunner().invoke(
        main,
        [
            "explain",
            "--listener-domains",
            url,
            "--to",
            "ann@sub.example.com",
            "--peer",
            "::1",
            "--from",
            "",
        ],
    )
    assert PASSWORD not in done.output
    assert 'table listener_domains row ["*.example.com"]' in done.output
