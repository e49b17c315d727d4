"""The request: one run as one message, which the caller writes and the training process reads.

Together with the code it is all that a run needs, so it can be sent to another machine. Its keys belong to this run
only. It is one line of JSON, with names in camelCase and keys in base64, and is passed on standard input only.

VERSION grows when a reader of the previous version would misunderstand the request.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, get_type_hints

from sealift.contents.codec import decode, encode, names_of
from sealift.contents.errors import ContentsError
from sealift.names import camel_case
from training.errors import RunRequestError
from training.job import Job

VERSION: Final = 1
LARGEST_BYTES: Final = 4 * 2**20
KEY_BYTES: Final = 32
RUN_ID: Final = re.compile("[0-9a-f]{16,128}")
WAY_OUT: Final = "see training/request.py"


@dataclass(frozen=True)
class RunRequest:
    """One run, and the destination of its artifact."""

    job: Job = field(repr=False)
    """Settings of the run, whose URLs may contain a password."""
    store_url: str
    run_key: bytes = field(repr=False)
    """Key of 32 bytes that seals the run's record and opens no other."""
    recipients: tuple[str, ...]
    """PEM public keys, at least one. The owner of each can open the artifact."""
    run_id: str
    """Run identity in hex, which is also its record's name in the store. Equal ids must mean equal runs."""
    keys_url: str | None = None
    """URL of the store of keys, where the run's artifacts get key-encryption keys of their own."""
    data_digest: str | None = None
    """Digest of the data set that the caller planned with. If it differs, the run is refused. The same holds for the
    next three.
    """
    code_digest: str | None = None
    libraries: str | None = None
    processor: str | None = None
    mask_key: bytes = field(default=b"", repr=False)
    """Key of 32 bytes for masks that hash. Empty if the job has none."""
    checkpoint_seconds: float = 30.0
    """Seconds between checkpoints. 0 saves as often as possible."""
    init_key: bytes | None = field(default=None, repr=False)
    """Data key (32 bytes) of the artifact that `job.init_from` names. It opens no other."""
    deployed_metrics: Mapping[str, float] | None = None
    """Metrics of the model that the stack has now."""
    expose_metrics: bool = False
    """Whether messages may show the model's metrics."""
    trains: bool = True
    """Whether this process may train. False if another machine trains: its record must then have the trained model."""


def write_request(request: RunRequest) -> bytes:
    """Returns the request as one line of JSON."""
    values = {"version": VERSION, **encode(request), "job": request.job.properties()}
    return json.dumps(values, allow_nan=False).encode() + b"\n"


def read_request(line: bytes, code_folder: Path) -> RunRequest:
    """Reads a request. `code_folder` has the user's modules and data files. Raises RunRequestError, which names every
    problem and no secret.
    """
    values = _object(line)
    if values.get("version") != VERSION:
        raise RunRequestError(f"the request on standard input has another version than {VERSION}", WAY_OUT)
    settings = values.get("job")
    job, wrong = Job.validate(settings if isinstance(settings, dict) else {}, code_folder)
    problems = list(_problems(values)) + [f"job.{one.property} {one.message}" for one in wrong]
    if job is not None and job.hashes and not values.get("maskKey"):
        problems.append("mask_key is missing; masking needs it to hash a column")
    if problems or job is None:
        raise RunRequestError("the training request is invalid: " + "; ".join(problems), WAY_OUT)
    return RunRequest(job=job, **{name: _value(values, name) for name in RULES if camel_case(name) in values})


def read_identity(line: str) -> tuple[str, bytes]:
    """Returns the run's id and key, before its files are there. Raises RunRequestError."""
    values = _object(line.encode())
    try:
        return str(_value(values, "run_id")), bytes(_value(values, "run_key"))
    except (KeyError, ContentsError):
        raise RunRequestError("the training request has no runId or no runKey", WAY_OUT) from None


def _object(line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise RunRequestError(
            "the request on standard input is not JSON", "write one JSON object on one line"
        ) from None
    if not isinstance(values, dict):
        raise RunRequestError("the request on standard input is not a JSON object", "write one JSON object on one line")
    return values


def _problems(values: Mapping[str, Any]) -> Iterator[str]:
    """Yields the problems of all fields except the job's settings."""
    if not isinstance(values.get("job"), dict):
        yield "job must be an object of the run's settings"
    for name, (holds, allowed) in RULES.items():
        try:
            fits = holds(_value(values, name)) if camel_case(name) in values else name not in REQUIRED
        except ContentsError:
            fits = False
        if not fits:
            yield f"{name} {allowed}{'' if name in REQUIRED else ', or absent'}"
    for strange in sorted(values.keys() - names_of(RunRequest) - {"version"}):
        yield f"{strange} is not a field of a request"


def _value(values: Mapping[str, Any], name: str) -> Any:
    """Decodes one field. Raises ContentsError."""
    return decode(TYPES[name], values[camel_case(name)], name)


def _is_key(key: bytes) -> bool:
    return len(key) == KEY_BYTES


RULES: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "store_url": (bool, "must be the store's URL"),
    "run_key": (_is_key, "must be 32 bytes in base64"),
    "recipients": (lambda keys: keys != () and all(keys), "must be a list of at least one public key in PEM"),
    "run_id": (lambda name: RUN_ID.fullmatch(name) is not None, "must be 16 to 128 lower-case hex digits"),
    "keys_url": (bool, "must be the URL of a store"),
    "data_digest": (bool, "must be text"),
    "code_digest": (bool, "must be text"),
    "libraries": (bool, "must be text"),
    "processor": (bool, "must be text"),
    "mask_key": (lambda key: key == b"" or _is_key(key), "must be 32 bytes in base64"),
    "checkpoint_seconds": (lambda seconds: 0 <= seconds < math.inf, "must be a number of seconds, at least 0"),
    "init_key": (_is_key, "must be 32 bytes in base64"),
    "deployed_metrics": (lambda metrics: True, "must be an object of numbers"),
    "expose_metrics": (lambda expose: True, "must be true or false"),
    "trains": (lambda trains: True, "must be true or false"),
}
"""Checks that a field's type does not make, and what is allowed."""
REQUIRED: Final = frozenset(one.name for one in fields(RunRequest) if one.default is MISSING)
TYPES: Final = get_type_hints(RunRequest)
