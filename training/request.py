"""What is asked for: one line of JSON on standard input, and nowhere else, since it holds the run's key."""

import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from training.errors import RequestError
from training.job import Job

LARGEST_BYTES: Final = 4 * 2**20
CHECKPOINT_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Request:
    """One run, and where its artifact goes."""

    job: Job
    store_url: str
    run_key: bytes = field(repr=False)
    """32 bytes: seals the run's record, and opens no other."""
    recipients: tuple[str, ...]
    """PEM public keys, at least one: each one's owner can open the artifact."""
    run_id: str
    """Hex; the run's identity and its record's name in the store. Equal ids must mean equal runs."""
    data_digest: str | None = None
    """What the caller took the data set for; the run is refused if it is not that. So are the three below."""
    code_digest: str | None = None
    libraries: str | None = None
    processor: str | None = None
    mask_key: bytes = field(default=b"", repr=False)
    """32 bytes, where the job has masks that hash; empty where not."""
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    """Time between checkpoints; 0: as often as there is an opportunity."""
    code_folder: Path = field(default_factory=Path.cwd)
    """Where the user's modules and data files are."""
    init_key: bytes | None = field(default=None, repr=False)
    """32 bytes: the data key of the artifact that `job.init_from` names, which opens no other."""
    deployed_metrics: Mapping[str, float] | None = None
    """Of the model that the stack has now."""
    expose_metrics: bool = False
    """Whether messages may say how good the model is."""


def parse(line: bytes) -> Request:
    """Raises RequestError that names every problem, and no secret."""
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        raise RequestError("the request on standard input is not JSON", "write one JSON object on one line") from None
    if not isinstance(raw, dict):
        raise RequestError("the request on standard input is not a JSON object", "write one JSON object on one line")
    problems = [f"{name}: {what}" for name, (valid, what) in FIELDS.items() if not valid(raw.get(name))]
    settings = raw.get("job")
    folder = raw.get("code_folder")
    job, job_problems = Job.validate(
        settings if isinstance(settings, dict) else {}, Path(folder) if isinstance(folder, str) else None
    )
    problems += [f"job.{problem.property} {problem.message}" for problem in job_problems]
    if job is not None and job.hashes and not raw.get("mask_key"):
        problems.append("mask_key: is missing, and masking hashes a column")
    if problems or job is None:
        raise RequestError("the training request cannot be: " + "; ".join(problems), "see training/request.py")
    return _request(job, raw)


def _request(job: Job, raw: Mapping[str, Any]) -> Request:
    return Request(
        job=job,
        store_url=raw["store_url"],
        run_key=base64.b64decode(raw["run_key"]),
        recipients=tuple(raw["recipients"]),
        run_id=raw["run_id"],
        data_digest=raw.get("data_digest"),
        code_digest=raw.get("code_digest"),
        libraries=raw.get("libraries"),
        processor=raw.get("processor"),
        mask_key=base64.b64decode(raw["mask_key"]) if raw.get("mask_key") else b"",
        checkpoint_seconds=float(raw.get("checkpoint_seconds", CHECKPOINT_SECONDS)),
        code_folder=Path(raw.get("code_folder") or Path.cwd()),
        init_key=base64.b64decode(raw["init_key"]) if raw.get("init_key") else None,
        deployed_metrics=raw.get("deployed_metrics"),
        expose_metrics=raw.get("expose_metrics", False),
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_key(value: object) -> bool:
    try:
        return isinstance(value, str) and len(base64.b64decode(value, validate=True)) == 32
    except ValueError:
        return False


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


FIELDS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "job": (lambda value: isinstance(value, dict), "must be an object of the run's properties"),
    "store_url": (_is_text, "must be the store's URL"),
    "run_key": (_is_key, "must be 32 bytes in base64"),
    "mask_key": (lambda value: value is None or _is_key(value), "must be 32 bytes in base64, or absent"),
    "recipients": (
        lambda value: isinstance(value, list) and value != [] and all(map(_is_text, value)),
        "must be a list of at least one public key in PEM",
    ),
    "run_id": (
        lambda value: isinstance(value, str) and re.fullmatch("[0-9a-f]{16,128}", value) is not None,
        "must be 16 to 128 lower-case hex digits",
    ),
    "data_digest": (lambda value: value is None or _is_text(value), "must be text, or absent"),
    "code_digest": (lambda value: value is None or _is_text(value), "must be text, or absent"),
    "libraries": (lambda value: value is None or _is_text(value), "must be text, or absent"),
    "processor": (lambda value: value is None or _is_text(value), "must be text, or absent"),
    "checkpoint_seconds": (
        lambda value: value is None or _is_seconds(value),
        "must be a number of seconds from 0, or absent",
    ),
    "code_folder": (lambda value: value is None or _is_text(value), "must be a folder, or absent"),
    "init_key": (lambda value: value is None or _is_key(value), "must be 32 bytes in base64, or absent"),
    "expose_metrics": (lambda value: value is None or isinstance(value, bool), "must be true or false, or absent"),
    "deployed_metrics": (lambda value: value is None or isinstance(value, dict), "must be an object, or absent"),
}
