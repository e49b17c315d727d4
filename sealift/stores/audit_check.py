"""The check of a store's audit log: its lines in order, and which of them were removed, altered or put there.

Each artifact has a line that it was sealed, unless it is older than the log.
"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from sealift.names import counted
from sealift.stores.audit_log import NOTHING, AuditLine, line_digest, line_name, parse_line, read_line
from sealift.stores.errors import ArtifactDamaged, ArtifactMissing
from sealift.stores.every_artifact import map_all
from sealift.stores.store import AUDIT, MANIFESTS, Entry, Store

HEAD: Final = re.compile(r"(0|[1-9]\d{0,17}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True)
class AuditHead:
    """Number and digest of the last line. Noted elsewhere, it shows later that the log was cut off or rewritten."""

    lines: int
    digest: str

    def __str__(self) -> str:
        return f"{self.lines}:{self.digest}"


NO_LINES: Final = AuditHead(0, NOTHING)


def parse_head(text: str) -> AuditHead | None:
    """Parses `LINES:DIGEST`. Returns None unless it is one."""
    found = HEAD.fullmatch(text)
    return AuditHead(int(found[1]), found[2]) if found else None


@dataclass(frozen=True)
class AuditFile:
    """A file of the log: its number, its content, and its line, or what is wrong with it."""

    number: int
    content: bytes
    line: AuditLine | str


@dataclass(frozen=True)
class AuditDamage:
    """What is wrong with the log, and the number of the first line that it concerns."""

    number: int
    message: str


@dataclass(frozen=True)
class AuditCheck:
    """The log's head, and what is wrong with it, in the order of the lines. `older` are the artifacts that were stored
    before its first line: by a release without a log, or under a log that was removed since.
    """

    head: AuditHead
    damage: list[AuditDamage]
    older: list[str]


def read_log(store: Store) -> Iterator[AuditFile]:
    """Yields the files of the log in the order of their numbers, whatever is in them. Raises StoreUnwritable."""
    store.reach()
    for _, found in map_all(_numbers(store), partial(_read, store)):
        if found is not None:
            yield found


def check_log(store: Store, noted: AuditHead = NO_LINES) -> AuditCheck:
    """Checks the whole log. `noted` is a head that it had before. Raises StoreUnwritable."""
    chain, seals = _Chain(noted), _Seals()
    artifacts = store.entries(MANIFESTS)  # before the log: each has its line by now
    strange = [name for name in store.names(AUDIT) if not _is_line_name(name)]
    for found in read_log(store):
        chain.take(found)
        seals.take(found)
    end = chain.last.lines + 1
    damage = [*chain.end(), *(AuditDamage(end, f"{name} is not a line") for name in strange)]
    damage += [AuditDamage(end, message) for message in seals.find_missing(artifacts)]
    return AuditCheck(chain.last, sorted(damage, key=lambda one: one.number), seals.find_older(artifacts))


def _numbers(store: Store) -> list[int]:
    """Returns the numbers of the lines. A listing may miss a line that was written while it was made, but then the next
    listing has it.
    """
    numbers = {int(name, 16) for name in filter(_is_line_name, store.names(AUDIT))}
    if numbers and max(numbers) != len(numbers):
        numbers |= {int(name, 16) for name in filter(_is_line_name, store.names(AUDIT))}
    return sorted(numbers)


def _is_line_name(name: str) -> bool:
    """The first line is line 1."""
    return len(name) == len(line_name(1)) and name != line_name(0)


def _read(store: Store, number: int) -> AuditFile | None:
    try:
        content = read_line(store, number)
    except ArtifactMissing:  # it was removed meanwhile, so that the chain has a gap
        return None
    except ArtifactDamaged as error:
        return AuditFile(number, b"", error.message)
    line = parse_line(content)
    if line is None:
        return AuditFile(number, content, "it is not a line of an audit log")
    if line.number != number:
        return AuditFile(number, content, f"it is line {line.number}, in another one's place")
    return AuditFile(number, content, line)


@dataclass
class _Seals:
    """The artifacts of which the log says that they were sealed, and when it began."""

    _begun: str | None = None
    _sealed: set[str] = field(default_factory=set)
    _rewrapped: set[str] = field(default_factory=set)

    def take(self, found: AuditFile) -> None:
        if isinstance(found.line, str):
            return
        self._begun = self._begun or found.line.time
        kinds = {"seal": self._sealed, "rewrap": self._rewrapped}
        if found.line.action in kinds:
            kinds[found.line.action].add(found.line.artifact_id)

    def find_missing(self, artifacts: Sequence[Entry]) -> Iterator[str]:
        """Yields what is wrong with a log that does not say of an artifact that it was sealed."""
        if self._begun is None and artifacts:
            yield (
                f"the log has no lines, but the store has {counted(len(artifacts), 'artifact')}: it was removed, or "
                "nothing has been done since a release without a log (0.1.0 or 0.2.0) sealed them"
            )
            return
        for one in artifacts:
            if one.name not in self._sealed and not self._is_older(one):
                yield (
                    f"artifact {one.name} was stored on {_utc(one.modified)}, after the log began, without a line that "
                    "it was sealed: its lines were removed, or somebody copied it there"
                )

    def find_older(self, artifacts: Sequence[Entry]) -> list[str]:
        """Returns the ids of those that are older than the first line."""
        return [one.name for one in artifacts if one.name not in self._sealed and self._is_older(one)]

    def _is_older(self, artifact: Entry) -> bool:
        """Whether it was stored before the first line. A manifest that was rewrapped since has another time."""
        begun = self._begun
        return begun is not None and (artifact.name in self._rewrapped or _utc(artifact.modified) < begun)


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@dataclass
class _Chain:
    """The check of lines that come in order.

    A line that does not continue the one before it shows that one of the two was altered. The line after them tells
    which: it names the digest of the second.
    """

    noted: AuditHead
    last: AuditHead = NO_LINES
    _last_is_line: bool = True
    _broken_after: int | None = None
    _damage: list[AuditDamage] = field(default_factory=list)

    def take(self, found: AuditFile) -> None:
        follows = found.number == self.last.lines + 1
        if not follows:
            self._settle()
            self._add(self.last.lines + 1, f"{_lines(self.last.lines + 1, found.number - 1)} missing")
        if isinstance(found.line, str):
            self._settle()
            self._add(found.number, f"line {found.number} was altered or put there: {found.line}")
        elif follows and self._last_is_line:
            self._compare(found.number, continues=found.line.previous == self.last.digest)
        self._last_is_line = not isinstance(found.line, str)
        self.last = AuditHead(found.number, line_digest(found.content))
        if self.noted.lines == found.number and self.noted.digest != self.last.digest:
            self._add(found.number, f"line {found.number} is not the one of the noted head: the log was rewritten")

    def end(self) -> list[AuditDamage]:
        """Returns what is wrong with the chain as a whole."""
        self._settle()
        if self.last.lines < self.noted.lines:
            had = f"the log had {self.noted.lines} lines when its head was noted"
            self._add(self.last.lines + 1, f"{_lines(self.last.lines + 1, self.noted.lines)} missing: {had}")
        elif self.noted.lines == 0 and self.noted.digest != NOTHING:
            self._add(1, "the noted head is not one of a log without lines")
        return self._damage

    def _compare(self, number: int, *, continues: bool) -> None:
        if continues:
            self._settle(alone=True)
        elif self._broken_after is None:
            self._broken_after = number - 1
        else:  # the line before continues neither, nor is it continued
            self._broken_after = None
            self._add(number - 1, f"line {number - 1} was altered or put there")

    def _settle(self, *, alone: bool = False) -> None:
        """Ends the search for an altered line. `alone`: the second of the two is the one that was written."""
        if self._broken_after is None:
            return
        first, self._broken_after = self._broken_after, None
        if first == 0:
            self._add(1, "line 1 was altered: it continues another log")
        elif alone:
            self._add(first, f"line {first} was altered")
        else:
            self._add(first, f"line {first} or line {first + 1} was altered")

    def _add(self, number: int, message: str) -> None:
        self._damage.append(AuditDamage(number, message))


def _lines(first: int, last: int) -> str:
    return f"line {first} is" if first == last else f"lines {first} to {last} are"
