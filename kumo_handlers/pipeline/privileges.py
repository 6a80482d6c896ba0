"""Root binds port 25, and somebody with fewer rights does the work."""

from __future__ import annotations

import grp
import logging
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from kumo_handlers.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from salmon.queue import Queue

_log = logging.getLogger(__name__)


def drop(user: str, group: str | None, run_dir: Path) -> None:
    """Become ``user``, for good, with its groups and no others; ``run_dir`` becomes the user's.

    Without ``group`` it is the user's own. Raises `ConfigurationError`.
    """
    try:
        account = pwd.getpwnam(user)
        gid = grp.getgrnam(group).gr_gid if group else account.pw_gid
    except KeyError as error:
        problem = Problem(message="no such user or group", value=group or user)
        raise ConfigurationError(problem) from error
    try:
        if run_dir.stat().st_uid == os.geteuid():
            os.chown(run_dir, account.pw_uid, gid)
        os.initgroups(user, gid)
        os.setgid(gid)
        os.setuid(account.pw_uid)
    except OSError as error:
        problem = Problem(message=f"cannot become this user: {error.strerror}", value=user)
        raise ConfigurationError(problem) from error


def check(undeliverable: Queue | None) -> None:
    """Look at what was left of root's rights and files.

    ``salmon start --uid --gid`` drops user and group and keeps root's other groups; boot has made
    its Maildir before that. A warning, and `ConfigurationError` where mail could not be kept.
    """
    if os.geteuid() != 0 and 0 in os.getgroups():
        _log.warning("privileges were dropped, root's groups were not: %s", os.getgroups())
    if undeliverable is None:
        return
    for folder in ("new", "tmp"):
        path = Path(undeliverable.dir) / folder
        if not os.access(path, os.W_OK | os.X_OK):
            raise ConfigurationError(
                Problem(
                    message="the undeliverable queue cannot be written",
                    value=str(path),
                    hint=f"give it, and the folder it is in, to user {os.geteuid()}",
                )
            )
