"""The audit log of a store: who did what to which artifact, in lines that are chained by their digests.

Line n is the file `audit/n`, with n in hexadecimal, which is created only if it does not exist. So of several writers
one gets the number, and the others go on with the next one. A line has the digest of the one before it: audit_check.py
finds altered and removed lines. Whoever can write to the store can also write a new chain; only a digest that was noted
elsewhere shows that.

A line is written before its effect, so there is no effect without a line. After a kill, a line may have no effect.
Only what makes space goes on without a line where there is no space for one. Its line is written directly afterwards.
"""

import functools
import json
import os
import pwd
import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal, get_args

from sealift.stores.errors import Conflict, StoreError, StoreForbidden, StoreFull, StoreUnwritable
from sealift.stores.store import AUDIT, MANIFESTS, NAME, TOMBSTONES, Store, check_name, exists

Action = Literal["seal", "open", "sign", "rewrap", "delete", "erase"]
Outcome = Literal["begun", "done", "refused"]
LINE_BYTES: Final = 4096
"""Limit on a line. More of a file is not read."""
NOTHING: Final = "0" * 64
"""Digest before the first line."""
WHO_CHARACTERS: Final = 64
"""Longest name of a user, and of a machine."""
MAKES_SPACE: Final[Mapping[Action, str]] = {"delete": "deleted", "erase": "erased"}
"""Actions that make space, with their participles."""
_FIELDS: Final = {
    "action": re.compile("|".join(get_args(Action))),
    "artifactId": NAME,
    "error": re.compile(r"\w{0,64}", re.ASCII),
    "outcome": re.compile("|".join(get_args(Outcome))),
    "payloadDigest": re.compile(r"(?:[0-9a-f]{64})?"),
    "previous": re.compile(r"[0-9a-f]{64}"),
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII),
    "who": re.compile(rf".{{1,{2 * WHO_CHARACTERS + 1}}}"),
}
"""Text fields of a line, with what is allowed in each."""


@dataclass(frozen=True)
class AuditLine:
    """One line. `time` is UTC. `payload_digest` is empty while it is unknown. `error` is the class of the error that
    refused the action. `previous` is the digest of the line before.
    """

    number: int
    time: str
    who: str
    action: str
    artifact_id: str
    payload_digest: str
    outcome: str
    error: str
    previous: str

    @property
    def fields(self) -> dict[str, Any]:
        """The fields by their names in JSON."""
        return {
            "number": self.number, "time": self.time, "who": self.who, "action": self.action,
            "artifactId": self.artifact_id, "payloadDigest": self.payload_digest, "outcome": self.outcome,
            "error": self.error, "previous": self.previous,
        }  # fmt: skip

    def encode(self) -> bytes:
        return json.dumps(self.fields, sort_keys=True, separators=(",", ":")).encode("ascii")


def parse_line(content: bytes) -> AuditLine | None:
    """Parses a line. Returns None unless it is one, byte for byte."""
    try:
        fields = json.loads(content) if len(content) <= LINE_BYTES else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or fields.keys() != {*_FIELDS, "number"} or type(fields["number"]) is not int:
        return None
    texts = {name: fields[name] for name in _FIELDS}
    if not all(isinstance(text, str) and text.isprintable() for text in texts.values()):
        return None
    if not all(form.fullmatch(texts[name]) for name, form in _FIELDS.items()):
        return None
    line = AuditLine(
        fields["number"], texts["time"], texts["who"], texts["action"], texts["artifactId"], texts["payloadDigest"],
        texts["outcome"], texts["error"], texts["previous"],
    )  # fmt: skip
    return line if line.encode() == content else None


def line_name(number: int) -> str:
    """Name of the line's file."""
    return f"{number:016x}"


def read_line(store: Store, number: int) -> bytes:
    """Reads a line, and at most one byte more than is allowed. Raises StoreError."""
    return store.get_range(AUDIT, line_name(number), 0, LINE_BYTES + 1)


def line_digest(content: bytes) -> str:
    return sha256(content).hexdigest()


@dataclass
class AuditEntry:
    """One action in the log of a store."""

    store: Store
    action: Action
    artifact_id: str
    payload_digest: str = ""
    _written: Outcome | None = None
    _owed: StoreUnwritable | None = None

    def begin(self, payload_digest: str = "") -> None:
        """Writes the line that precedes the effect, once. Raises StoreUnwritable; then the action must not happen.

        What makes space happens without it on a full disk. Then this may be called again once there is space.
        """
        self.payload_digest = payload_digest or self.payload_digest
        if self._written is not None:
            return
        try:
            self._append("begun")
        except StoreFull as error:
            if self.action not in MAKES_SPACE:
                raise
            self._owed = error

    def begin_reading(self, payload_digest: str = "") -> str | None:
        """Begins what changes nothing. A user who may not write to the store does it without a line: then this returns
        a warning, which the caller shows. Raises StoreUnwritable.
        """
        try:
            self.begin(payload_digest)
        except StoreForbidden as error:
            return f"artifact {self.artifact_id} is opened without a line in the store's audit log: {error.message}"
        return None

    def refuse(self, error: Exception) -> None:
        """Writes that the action was refused, or failed. Without a log and such an artifact, nothing is written: the
        URL may be of another folder. If the line cannot be written, the action is refused without it.

        Raises StoreUnwritable if the action has begun without a line, and still has none.
        """
        with suppress(StoreError):
            if self._written is not None or self._owed is not None or self._concerns_the_store():
                self._append("refused", type(error).__name__)
        if self._owed is not None:
            why = error.message if isinstance(error, StoreError) else type(error).__name__
            raise self._unlogged("may have been {} in part, and", why) from error

    def end(self) -> None:
        """Writes that the action was done, if it has begun. It was done even if this line cannot be written, as on a
        full disk. Raises StoreUnwritable if it then has no line at all.
        """
        if self._written != "begun" and self._owed is None:
            return
        with suppress(StoreError):
            self._append("done")
        if self._owed is not None:
            raise self._unlogged("was {}, but", self._owed.message)

    def _unlogged(self, happened: str, why: str) -> StoreUnwritable:
        return StoreUnwritable(
            f"artifact {self.artifact_id} {happened.format(MAKES_SPACE[self.action])} the audit log has no line of it: "
            f"{why}",
            "free some space, do it again, and note it where you keep the log's head",
        )

    def _append(self, outcome: Outcome, error: str = "") -> None:
        append(self.store, self.action, self.artifact_id, self.payload_digest, outcome, error)
        self._written, self._owed = outcome, None

    def _concerns_the_store(self) -> bool:
        return exists(self.store, AUDIT, line_name(1)) or any(
            exists(self.store, folder, self.artifact_id) for folder in (MANIFESTS, TOMBSTONES)
        )


@contextmanager
def audited(store: Store, action: Action, artifact_id: str) -> Iterator[AuditEntry]:
    """Yields the entry of one action, which the block begins before its effect. An error of the block is a refusal.

    If nothing begins, as where nothing is to be changed, nothing is written. Raises StoreUnwritable.
    """
    check_name(artifact_id)
    entry = AuditEntry(store, action, artifact_id)
    try:
        yield entry
    except Exception as error:
        entry.refuse(error)
        raise
    entry.end()


def append(
    store: Store, action: Action, artifact_id: str, payload_digest: str, outcome: Outcome, error: str = ""
) -> None:
    """Appends a line. Raises StoreUnwritable."""
    try:
        number, previous = _find_end(store, None)
        while True:
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            line = AuditLine(
                number + 1, now, _who(), action, artifact_id, payload_digest, outcome, error, previous
            )  # fmt: skip
            content = line.encode()
            try:
                store.swap(AUDIT, line_name(number + 1), content, None)
            except Conflict:  # another writer has this number
                number, previous = _find_end(store, number + 1)
                continue
            _remember(store, number + 1, line_digest(content))
            return
    except StoreError as problem:
        kind = type(problem) if isinstance(problem, StoreForbidden | StoreFull) else StoreUnwritable
        raise kind(
            f"the audit log cannot be written: {problem.message}",
            f"an action without a line in the store's audit log is refused; {problem.hint}",
        ) from problem


_ends: Final[dict[str, tuple[int, str]]] = {}
"""Number and digest of the last line that this process wrote, by the store's identity."""


def _remember(store: Store, number: int, digest: str) -> None:
    if number > _ends.get(store.identity, (0, ""))[0]:
        _ends[store.identity] = number, digest


def _find_end(store: Store, known: int | None) -> tuple[int, str]:
    """Returns number and digest of the last line. `known`: the number of a line that exists.

    The number is found in steps that double, then by halves: 40 requests for a million lines, and none for the process
    that wrote the last one.
    """
    if known is None:
        if store.identity in _ends:
            return _ends[store.identity]
        known = 0
    step = 1
    while exists(store, AUDIT, line_name(known + step)):
        known += step
        step *= 2
    absent = known + step
    while absent - known > 1:
        middle = (known + absent) // 2
        if exists(store, AUDIT, line_name(middle)):
            known = middle
        else:
            absent = middle
    return known, line_digest(read_line(store, known)) if known else NOTHING


@functools.cache
def _who() -> str:
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user has no name
        user = f"uid {os.getuid()}"
    return f"{clean(user)}@{clean(socket.gethostname())}"


def clean(text: str) -> str:
    """Returns a name with its control characters escaped, cut to its longest length."""
    escaped = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return escaped[:WHO_CHARACTERS] or "?"
