"""Runs a fuzz target: with atheris, guided by coverage, where it is installed; else by mutation.

    python fuzz/smtp_core.py                 60 seconds
    python fuzz/smtp_core.py -seconds=5      as long as you like
    python fuzz/smtp_core.py FILE...         each file once, to look at a finding

What is found is written to ``run/fuzz/`` beside the target's name. An input that takes longer than
a second is a finding too.
"""

from __future__ import annotations

import hashlib
import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    Target = Callable[[bytes], None]

FINDINGS = Path(__file__).parent.parent / "run" / "fuzz"
LONGEST_RUN = 1.0
SECONDS = 60.0
try:
    import atheris
except ImportError:
    atheris = None


class InvariantError(AssertionError):
    """The invariant of a target does not hold."""


def require(truth: object) -> None:
    """An assert that no option of Python's removes."""
    if not truth:
        raise InvariantError


def main(target: Target, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    """Run the target as the command line says. ``words`` are what mutation puts together."""
    arguments = sys.argv[1:]
    files = [Path(name) for name in arguments if not name.startswith("-")]
    seconds = [float(name[9:]) for name in arguments if name.startswith("-seconds=")]
    if files:
        for file in files:
            target(file.read_bytes())
    elif atheris is not None:
        _run_guided(target, seeds, seconds)
    else:
        _run_mutations(target, seeds, words, *seconds)


def _run_guided(target: Target, seeds: Sequence[bytes], seconds: list[float]) -> None:
    corpus = FINDINGS / "corpus" / Path(sys.argv[0]).stem
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    limit = int(seconds[0] if seconds else SECONDS)
    # libFuzzer's clock counts whole seconds; 2 is the first limit above ours
    options = [f"-max_total_time={limit}", "-timeout=2", f"-artifact_prefix={FINDINGS}/"]
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *options, str(corpus)], target)
    atheris.Fuzz()


def _run_mutations(
    target: Target, seeds: Sequence[bytes], words: Sequence[bytes], seconds: float = SECONDS
) -> None:
    seed = random.randrange(2**32)  # noqa: S311 - chance, not secrecy
    print(f"{Path(sys.argv[0]).stem}: mutation, seed {seed}, {seconds:g} s")
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    signal.signal(signal.SIGALRM, _too_slow)
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        octets = _mutate(chance, chance.choice(seeds), words)
        signal.setitimer(signal.ITIMER_REAL, LONGEST_RUN)
        try:
            target(octets)
        except BaseException:
            _keep(octets)
            raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        count += 1
    print(f"{count} inputs, {count / seconds:.0f} a second, nothing found")


def _too_slow(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"longer than {LONGEST_RUN:g} s")


def _keep(octets: bytes) -> None:
    FINDINGS.mkdir(parents=True, exist_ok=True)
    name = f"{Path(sys.argv[0]).stem}-{hashlib.sha256(octets).hexdigest()[:16]}"
    (FINDINGS / name).write_bytes(octets)
    print(f"kept as {FINDINGS / name}")


def _mutate(chance: random.Random, octets: bytes, words: Sequence[bytes]) -> bytes:
    """Some changes, each of one of the ways that grammars are broken by."""
    for _ in range(chance.randint(1, 8)):
        start = chance.randint(0, len(octets))
        end = min(len(octets), start + chance.randint(0, 12))
        match chance.randrange(5):
            case 0:
                octets = octets[:start] + chance.choice(words) + octets[start:]
            case 1:
                octets = octets[:start] + octets[end:]
            case 2:
                octets = octets[:start] + octets[start:end] * 2 + octets[end:]
            case 3:
                octets = octets[:start] + bytes([chance.randrange(256)]) + octets[start + 1 :]
            case _:
                octets = octets[:start] + chance.choice(words) + octets[end:]
    return octets
