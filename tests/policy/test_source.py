"""Reading files: TOML, JSON, and what cannot be read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy import source

if TYPE_CHECKING:
    from pathlib import Path

TABLES = {"example.com": {"relay_to": True, "relay_from": ["::1"]}}
TOML = '["example.com"]\nrelay_to = true\nrelay_from = ["::1"]\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rules.toml", TOML.encode()),
        ("rules", TOML.encode()),
        ("rules.toml", b"\xef\xbb\xbf" + TOML.encode()),
        ("rules.toml", TOML.replace("\n", "\r\n").encode()),
        ("rules.json", b'{"example.com": {"relay_to": true, "relay_from": ["::1"]}}'),
        # TOML 1.1, as KumoMTA reads it: an inline table over lines, a comma at its end.
        ("rules.toml", b'"example.com" = {\n relay_to = true,\n relay_from = ["::1"],\n}\n'),
    ],
)
def test_read(tmp_path: Path, name: str, content: bytes) -> None:
    """TOML in any file, JSON where the name says so; a byte order mark means nothing."""
    path = tmp_path / name
    path.write_bytes(content)
    read = source.from_file(str(path))
    assert (read.tables, read.warnings, read.is_file) == (TABLES, (), True)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.toml", b'["a"]\nx = \n', ":2: is not TOML: Invalid value"),
        ("a.toml", b"[\"a\"]\nx = { 'a' }\n[b\n", ":3: is not TOML: Expected ']'"),
        ("a.toml", b'["a"]\n["a"]\n', ":2: is not TOML: Cannot declare"),
        ("a.toml", b'["a"]\nx = "\xff"\n', ":2: is not UTF-8"),
        ("a.toml", b"x = " + b"[" * 5000 + b"]" * 5000, ": is nested too deeply"),
        ("a.toml", b"[\"a\"]\nx = { 'a' }\ny = " + b"[" * 5000, ": is nested too deeply"),
        ("a.toml", b'["a"]\nx = ' + b"9" * 5000, ":2: has a number of too many digits"),
        ("a.json", b'{"a":\n{"x": ' + b"9" * 5000 + b"}}", ":2: has a number of too many digits"),
        ("a.json", b'{\n"a": {,\n}}', ":2: is not JSON: "),
        ("a.json", b"[]", ":1: is not an object of domains"),
        ("a.json", b'{"a": ' + b"[" * 100_000, ": is nested too deeply"),
        ("a.json", b'{"a": {"x": 1},\n"b": {"x": 1,\n"x": 2}}', ":3: 'x' is there twice"),
        ("a.json", b'{"a": {},\n"b": {},\n"a": {}}', ":3: 'a' is there twice"),
        ("a.json", b"", ":1: is not JSON: "),
    ],
)
def test_what_cannot_be_parsed(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """The error names the file, the line, and what the parser had to say."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        source.from_file(str(path))
    assert str(caught.value).startswith(f"{path}{message}")


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    """No file, or no file but a folder."""
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        source.from_file(str(tmp_path / "none.toml"))
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        source.from_file(str(tmp_path))


def test_a_list_in_braces_is_read_with_one_warning(tmp_path: Path) -> None:
    """However many there are: the first is named, with its line, the others are counted."""
    path = tmp_path / "rules.toml"
    path.write_text("[\"a\"]\nrelay_from = { '10.0.0.0/24' }\nrelay_from_authz = { 'bob' }\n")
    read = source.from_file(str(path))
    assert read.tables == {"a": {"relay_from": ["10.0.0.0/24"], "relay_from_authz": ["bob"]}}
    (warning,) = read.warnings
    assert str(warning) == (
        f"{path}:2: a list in braces is read as a list in brackets, and 1 more like it, "
        "got { '10.0.0.0/24' }; expected [ '10.0.0.0/24' ]"
    )


def test_a_table_given_in_place() -> None:
    """It has a name for errors, and nothing to watch."""
    read = source.from_mapping("table 1", TABLES)
    assert (read.tables, read.is_file, read.name) == (TABLES, False, "table 1")
    assert read.digest != source.from_mapping("table 1", {}).digest


def test_signature_tells_a_change(tmp_path: Path) -> None:
    """Rewritten in place, replaced, gone: each is another signature."""
    path = tmp_path / "rules.toml"
    seen = [source.signature([str(path)])]
    path.write_text(TOML)
    seen.append(source.signature([str(path)]))
    assert source.signature([str(path)]) == seen[-1]
    path.write_text(TOML + "# more\n")
    seen.append(source.signature([str(path)]))
    other = tmp_path / "other.toml"
    other.write_text(TOML + "# less\n")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.rename(path)
    seen.append(source.signature([str(path)]))
    assert len(set(seen)) == 4
    assert seen[0] == (None,)
