"""The check of a run's data before it trains: `python -m training check`, in its own process.

Only new inputs are checked: a run without old inputs, changed data, or changed settings for reading it. Findings are
remembered while this process lives, which serves one preview or one update.
"""

import asyncio
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from components.plugin import validation
from sealift.provider import CheckFailure, Value, has_unknown, reveal_all
from sealift.settings import Problem
from training import sources
from training.job import Job
from training.options import Data, Quality
from training.process import COMMAND, environment

LOOKED_AT: Final = (
    "dataset", "data", "masking", "quality", "model", "loss", "classWeights", "earlyStopping", "search", "gates",
    "compress", "privacy", "dataDigest",
)  # fmt: skip
"""Inputs that can change the findings."""
LONGEST_SECONDS: Final = 10.0
"""Time limit of a check, so that a preview stays fast. A check usually takes one second."""


@dataclass(frozen=True)
class DataFindings:
    """Findings of a data check. `unchecked` is the reason if the check was not possible."""

    failures: tuple[CheckFailure, ...] = ()
    rows: int | None = None
    unchecked: str = ""


NOTHING: Final = DataFindings()


class DataChecks:
    """Data checks of this process, with their findings."""

    def __init__(self, command: Sequence[str] = (*COMMAND, "check"), longest_seconds: float = LONGEST_SECONDS) -> None:
        self._command, self._longest_seconds = command, longest_seconds
        self._found: dict[str, DataFindings] = {}

    async def look(self, olds: Mapping[str, Value], news: Mapping[str, Value], job: Job) -> DataFindings:
        """Checks the data, unless these inputs have passed before, or a preview cannot read the data."""
        mark = _mark(news)
        if not is_readable(job) or has_unknown(_look_at(news)) or mark == _mark(olds):
            return NOTHING
        if mark not in self._found:
            self._found[mark] = await self._ask(job)
        return self._found[mark]

    def find_known(self, news: Mapping[str, Value]) -> DataFindings:
        """Returns the findings for these inputs."""
        return self._found.get(_mark(news), NOTHING)

    async def _ask(self, job: Job) -> DataFindings:
        asked = {"job": job.properties(), "folder": str(Path.cwd())}
        process = await asyncio.create_subprocess_exec(
            *self._command, env=environment(os.environ), process_group=0,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._longest_seconds):
                answer, _ = await process.communicate(json.dumps(asked).encode())
        except TimeoutError:
            return DataFindings(unchecked=f"reading it took more than {self._longest_seconds:g} seconds")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return _find(answer, process.returncode)


def is_readable(job: Job) -> bool:
    """Whether a preview can check the data: a local file, or a built-in data set with its own settings. Remote data
    and the user's functions are left to the run.
    """
    if job.dataset in sources.BUILT_IN:
        return (job.data, job.masking, job.quality) != (Data(), {}, Quality())
    return not sources.is_url(job.dataset) and sources.form(job.dataset) != sources.FUNCTION


def rows_changed(before: Value, now: int | None) -> str:
    """Returns "3,000 → 3,001 rows", or "" if one of the numbers is unknown."""
    if not isinstance(before, int | float) or now is None:
        return ""
    return f"still {now:,} rows" if before == now else f"{int(before):,} → {now:,} rows"


def _mark(inputs: Mapping[str, Value]) -> str:
    """Returns a digest that is equal for inputs with equal findings."""
    plain = reveal_all(_look_at(inputs))
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()


def _look_at(inputs: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in inputs.items() if name in LOOKED_AT}


def _find(answer: bytes, exit_code: int | None) -> DataFindings:
    try:
        told = json.loads(answer)
    except ValueError:
        return DataFindings(unchecked=f"the checking process ended with exit code {exit_code}")
    problems = [Problem(one["property"], one["message"]) for one in told["problems"]]
    return DataFindings(tuple(validation.failures(problems)), told["rows"])
