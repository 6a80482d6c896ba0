"""``kumo.configure_local_logs``: what of it has a meaning here."""

from typing import Annotated, Final

import msgspec

from kumo_handlers.policy.kinds import BYTES, DURATION, STRINGS
from kumo_handlers.policy.options import Declared, declared


class LocalLogs(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy says about records; None where it leaves that to the settings."""

    max_segment_duration: Annotated[
        float | None, Declared(DURATION, "after this a new log file is begun")
    ] = None
    max_file_size: Annotated[int | None, Declared(BYTES, "after this a new log file is begun")] = (
        None
    )
    headers: Annotated[
        frozenset[str], Declared(STRINGS, "headers of the message that go into its records")
    ] = frozenset()


_ALWAYS: Final = "records have all of it, and stand in the log folder of run_dir"
OPTIONS: Final = declared(
    LocalLogs,
    log_dir=_ALWAYS,
    meta=_ALWAYS,
    per_record=_ALWAYS,
    filter_event=_ALWAYS,
    back_pressure="a record is on disk before the reply is said",
    compression_level="segments are plain text",
    log_dir_timezone="times are UTC",
    max_record_size="records are written whole",
    min_free_inodes="a full disk is answered with 452",
    min_free_space="a full disk is answered with 452",
)
