"""The grammar of MAIL and RCPT: ``FROM:<path> KEYWORD=value`` (RFC 5321, 4.1.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from kumo_handlers.smtp import replies

if TYPE_CHECKING:
    from kumo_handlers.mail.reply import Reply

# A quoted local part may hold ">". QUIRK: blanks after the colon, against RFC 5321, 3.3: old
# Microsoft clients and many scripts send them.
_PATH: Final = r' *<((?:[^">]++|"(?:[^"\\]|\\.)*+")*)>(?: +(.*))?'
# The rest has no letters: read without regard to case, it would take twice as long.
_FROM: Final = re.compile(r"(?i:FROM:)" + _PATH, re.DOTALL)
_TO: Final = re.compile(r"(?i:TO:)" + _PATH, re.DOTALL)
_PARAMETER: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\x00-\x20=\x7f]+))?")
_SIZE: Final = re.compile(r"[0-9]{1,20}")  # RFC 1870, 3


_NOT_GIVEN: Final = ""


class ParameterError(Exception):
    """A command that cannot be understood, with the reply to it."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(str(reply))


class MailParameters(msgspec.Struct, frozen=True, gc=False):
    """What MAIL said beside the reverse-path (RFC 1870, 6152, 6531)."""

    declared_size: int | None = None
    body_8bit: bool = False
    smtputf8: bool = False


NO_PARAMETERS: Final = MailParameters()


def read_mail(argument: str, *, with_auth: bool = False) -> tuple[str, MailParameters]:
    """The reverse-path, unparsed, and the parameters of MAIL. Raises `ParameterError`.

    Where AUTH is offered, MAIL may say whose mail it passes on (RFC 4954, 5). Nobody is trusted
    with that here, and then the RFC has it read as if it said ``AUTH=<>``.
    """
    path, rest = _split(argument, _FROM, replies.MAIL_SYNTAX)
    if not rest:
        return path, NO_PARAMETERS
    given = _read_parameters(rest)
    parameters = MailParameters(
        declared_size=_read_size(given), body_8bit=_read_body(given), smtputf8=_read_utf8(given)
    )
    if with_auth and given.pop("AUTH", _NOT_GIVEN) is None:
        raise ParameterError(replies.PARAMETER_SYNTAX)
    if given:
        raise ParameterError(replies.PARAMETER_UNKNOWN)
    return path, parameters


def read_recipient(argument: str) -> str:
    """The forward-path of RCPT, unparsed; no parameter is offered. Raises `ParameterError`."""
    path, rest = _split(argument, _TO, replies.RECIPIENT_SYNTAX)
    if rest:
        _read_parameters(rest)
        raise ParameterError(replies.PARAMETER_UNKNOWN)
    return path


def _split(argument: str, form: re.Pattern[str], otherwise: Reply) -> tuple[str, str | None]:
    found = form.fullmatch(argument)
    if found is None:
        raise ParameterError(otherwise)
    path, rest = found.groups()
    return path, rest


def _read_parameters(rest: str) -> dict[str, str | None]:
    """Keywords in upper case and their values; each may be given once."""
    given: dict[str, str | None] = {}
    for word in rest.split():
        found = _PARAMETER.fullmatch(word)
        if found is None or found[1].upper() in given:
            raise ParameterError(replies.PARAMETER_SYNTAX)
        given[found[1].upper()] = found[2]
    return given


def _read_size(given: dict[str, str | None]) -> int | None:
    if "SIZE" not in given:
        return None
    value = given.pop("SIZE") or ""
    if not _SIZE.fullmatch(value):
        raise ParameterError(replies.PARAMETER_SYNTAX)
    return int(value)


def _read_body(given: dict[str, str | None]) -> bool:
    if "BODY" not in given:
        return False
    value = (given.pop("BODY") or "").upper()
    if value not in ("7BIT", "8BITMIME"):
        raise ParameterError(replies.PARAMETER_SYNTAX)
    return value == "8BITMIME"


def _read_utf8(given: dict[str, str | None]) -> bool:
    if "SMTPUTF8" not in given:
        return False
    if given.pop("SMTPUTF8") is not None:  # RFC 6531, 3.4: the keyword takes no value
        raise ParameterError(replies.PARAMETER_SYNTAX)
    return True
