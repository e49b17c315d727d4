"""The audit log: whatever is done to its files, the check says which line was removed, altered or put there."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sealift.stores import (
    AuditHead,
    AuditLine,
    Store,
    StoreUnwritable,
    artifact_ids,
    audit_log,
    audited,
    check_log,
    delete_artifact,
    get_manifest,
    open_store,
    parse_head,
    put_artifact,
    read_log,
)
from sealift.stores.audit_log import LINE_BYTES, append, clean, line_digest, line_name, parse_line, read_line
from sealift.stores.file_store import FileStore
from sealift.stores.store import AUDIT, Folder
from tests.unit.stores.contract import ID, OTHER, lines

LINES = 9


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"file://{tmp_path / 'store'}")


@pytest.fixture
def log(store: Store, tmp_path: Path) -> Path:
    """Folder of a log of LINES lines."""
    for at in range(LINES):
        append(store, "open", ID, f"{at:064x}", "done")
    return tmp_path / "store" / "audit"


def altered(content: bytes, **fields: object) -> bytes:
    return json.dumps({**json.loads(content), **fields}, sort_keys=True, separators=(",", ":")).encode()


def write_anew(log: Path, first: int, number: int) -> None:
    """An attacker's own chain from the line `first` on."""
    for at in range(first, number + 1):
        before = line_digest((log / line_name(at - 1)).read_bytes())
        line = log / line_name(at)
        line.write_bytes(altered(line.read_bytes(), previous=before, artifactId=OTHER))


def said(store: Store, noted: AuditHead | None = None) -> list[str]:
    return [one.message for one in (check_log(store) if noted is None else check_log(store, noted)).damage]


def test_a_line_says_who_did_what_when_and_how_it_ended(store: Store) -> None:
    put_artifact(store, ID, b"payload", b"manifest")
    with pytest.raises(ValueError, match="other"), audited(store, "open", ID) as entry:
        entry.begin("ab" * 32)
        raise ValueError("other\nwords: hush")

    *_, begun, refused = lines(store)
    assert (begun.number, begun.action, begun.artifact_id, begun.payload_digest) == (3, "open", ID, "ab" * 32)
    assert (begun.outcome, begun.error, refused.outcome, refused.error) == ("begun", "", "refused", "ValueError")
    assert refused.previous == line_digest(read_line(store, 3)) and lines(store)[0].previous == "0" * 64
    assert "@" in begun.who and begun.time.endswith("Z")
    assert b"hush" not in read_line(store, 4), "an error's text may have a secret in it"


def test_an_action_of_which_nothing_begins_has_no_line(store: Store) -> None:
    with audited(store, "rewrap", ID):
        pass
    with pytest.raises(ValueError, match="x"), audited(store, "open", ID):
        raise ValueError("x")

    assert not Path(store.location).exists(), "the URL may be another folder's"


def test_a_refusal_has_a_line_where_the_artifact_or_a_log_is(store: Store) -> None:
    store.put("manifests", ID, b"manifest of a release without a log")
    for artifact_id in (ID, OTHER):
        with pytest.raises(ValueError, match="x"), audited(store, "open", artifact_id):
            raise ValueError("x")

    assert [(one.artifact_id, one.outcome) for one in lines(store)] == [(ID, "refused"), (OTHER, "refused")]


def test_without_a_line_nothing_happens(store: Store, tmp_path: Path) -> None:
    put_artifact(store, ID, b"payload", b"manifest")
    folder = tmp_path / "store" / "audit"
    folder.rename(tmp_path / "away")
    folder.write_text("a file where the log was")

    with pytest.raises(StoreUnwritable, match="audit log cannot be written") as refused:
        delete_artifact(store, ID)
    with pytest.raises(StoreUnwritable, match="audit log cannot be written"):
        put_artifact(store, OTHER, b"payload", b"manifest")
    assert "an action without a line" in refused.value.hint
    assert artifact_ids(store) == [ID] and get_manifest(store, ID) == b"manifest"


def test_the_end_is_found_by_few_requests_and_remembered(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "store" / "audit"
    folder.mkdir(parents=True)
    for number in range(1, 5001):
        (folder / line_name(number)).touch()
    asked: list[str] = []
    get_range = FileStore.get_range

    def ask(store: FileStore, folder: Folder, name: str, start: int, size: int) -> bytes:
        asked.append(name)
        return get_range(store, folder, name, start, size)

    monkeypatch.setattr(FileStore, "get_range", ask)

    append(store, "open", ID, "", "done")
    assert 0 < len(asked) < 30 and (folder / line_name(5001)).stat().st_size > 0
    asked.clear()
    append(store, "open", ID, "", "done")
    assert asked == []
    (folder / line_name(5003)).write_bytes(b"another process's")
    append(store, "open", ID, "", "done")
    assert parse_line(read_line(store, 5004)).previous == line_digest(b"another process's")  # type: ignore[union-attr]


def test_another_store_of_the_same_location_has_a_log_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        store = open_store("file://store")
        append(store, "open", ID, "", "done")
        assert check_log(store).damage == [] and check_log(store).head.lines == 1

    places = ("s3://bucket?endpoint=http://one", "s3://bucket?endpoint=http://two", "az://bucket?account=one")
    assert len({open_store(place).identity for place in places}) == 3


def test_a_whole_log_has_its_head(store: Store, log: Path) -> None:
    head = check_log(store).head

    assert said(store) == [] and head == AuditHead(LINES, line_digest((log / line_name(LINES)).read_bytes()))
    assert parse_head(str(head)) == head
    append(store, "open", ID, "", "done")
    assert said(store, head) == []
    for text in ("", "9", f"-1:{'0' * 64}", f"01:{'0' * 64}", "9:" + "A" * 64, f"{head}\n", f"1e3:{'0' * 64}"):
        assert parse_head(text) is None


def swap(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def change(line: Path, **fields: object) -> None:
    line.write_bytes(altered(line.read_bytes(), **fields))


def each(*steps: Callable[[], None]) -> None:
    for step in steps:
        step()


ALTERED = "was altered or put there"
NO_LINE = f"{ALTERED}: it is not a line of an audit log"
At = Callable[[int], Path]
DAMAGE: dict[str, tuple[Callable[[At], object], list[str]]] = {
    "first removed": (lambda at: at(1).unlink(), ["line 1 is missing"]),
    "one removed": (lambda at: at(5).unlink(), ["line 5 is missing"]),
    "several removed": (
        lambda at: each(at(5).unlink, at(6).unlink, at(8).unlink),
        ["lines 5 to 6 are missing", "line 8 is missing"],
    ),
    "first altered": (lambda at: change(at(1), artifactId=OTHER), ["line 1 was altered"]),
    "first of another log": (
        lambda at: each(
            lambda: change(at(1), previous="1" * 64),
            lambda: change(at(2), previous=line_digest(at(1).read_bytes())),
        ),
        ["line 1 was altered: it continues another log", "line 2 was altered"],
    ),
    "one altered": (lambda at: change(at(5), artifactId=OTHER), ["line 5 was altered"]),
    "digest altered": (lambda at: change(at(5), previous="1" * 64), [f"line 5 {ALTERED}"]),
    "last but one altered": (lambda at: change(at(8), artifactId=OTHER), ["line 8 or line 9 was altered"]),
    "copied": (lambda at: at(5).write_bytes(at(4).read_bytes()), [f"line 5 {ALTERED}: it is line 4, in another"]),
    "exchanged": (
        lambda at: swap(at(3), at(4)),
        [f"line 3 {ALTERED}: it is line 4, in another", f"line 4 {ALTERED}: it is line 3, in another"],
    ),
    "put at the end": (
        lambda at: at(10).write_bytes(altered(at(9).read_bytes(), number=10)),
        ["line 9 or line 10 was altered"],
    ),
    "put after the end": (
        lambda at: at(12).write_bytes(altered(at(9).read_bytes(), number=12)),
        ["lines 10 to 11 are missing"],
    ),
    "put far away": (
        lambda at: at(16**16 - 1).touch(),
        [f"lines 10 to {16**16 - 2} are missing", f"line {16**16 - 1} {NO_LINE}"],
    ),
    "empty": (lambda at: at(5).write_bytes(b""), [f"line 5 {NO_LINE}"]),
    "long": (lambda at: at(5).write_bytes(b"x" * (LINE_BYTES + 1)), [f"line 5 {NO_LINE}"]),
    "deep": (lambda at: at(5).write_bytes(b"[" * LINE_BYTES), [f"line 5 {NO_LINE}"]),
    "not canonical": (lambda at: at(5).write_bytes(at(5).read_bytes() + b" "), [f"line 5 {NO_LINE}"]),
    "a link": (lambda at: each(at(5).unlink, lambda: at(5).symlink_to("/etc/passwd")), [f"line 5 {ALTERED}"]),
    "a pipe": (lambda at: each(at(5).unlink, lambda: os.mkfifo(at(5))), [f"line 5 {ALTERED}"]),
    "a line before the first": (lambda at: at(0).touch(), [f"{line_name(0)} is not a line"]),
    "a name of no line": (lambda at: at(5).with_name("ab" * 16).touch(), [f"{'ab' * 16} is not a line"]),
}


@pytest.mark.parametrize(("damage", "says"), DAMAGE.values(), ids=DAMAGE.keys())
def test_what_was_done_to_the_log_is_said(
    store: Store, log: Path, damage: Callable[[At], object], says: list[str]
) -> None:
    damage(lambda number: log / line_name(number))

    found = check_log(store).damage

    texts = [one.message for one in found]
    assert len(texts) == len(says) and all(map(str.startswith, texts, says)), texts
    named = re.match(r"lines? (\d+)", says[0])
    assert found[0].number == (int(named[1]) if named else LINES + 1)


def test_a_rewritten_or_shorter_log_shows_by_a_noted_head_only(store: Store, log: Path) -> None:
    head = check_log(store).head
    write_anew(log, 5, LINES)
    assert said(store) == []
    assert said(store, head) == [f"line {LINES} is not the one of the noted head: the log was rewritten"]

    (log / line_name(LINES)).unlink()
    (log / line_name(LINES - 1)).unlink()
    assert said(store) == []
    (message,) = said(store, head)
    assert message.startswith("lines 8 to 9 are missing: the log had 9 lines")
    for line in log.iterdir():
        line.unlink()
    assert said(store, head) != [] and said(store) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"who": "root@host\n00 done"}, {"who": "\x1b[2J"}, {"who": ""}, {"who": "x" * 200}, {"action": "sealed"},
        {"artifactId": "../../etc"}, {"payloadDigest": "ab"}, {"outcome": "done "}, {"time": "now"}, {"error": "a b"},
        {"number": "1"}, {"number": True}, {"number": 1.0}, {"more": 1}, {"previous": None},
    ],
)  # fmt: skip
def test_what_is_no_line_is_not_parsed(store: Store, fields: dict[str, object]) -> None:
    append(store, "open", ID, "", "done")
    content = read_line(store, 1)

    assert isinstance(parse_line(content), AuditLine)
    assert parse_line(altered(content, **fields)) is None


@pytest.mark.parametrize("name", ["a\nb", "\x1b[2J", "x" * 10_000, "\ud800", "", "\u2028", "ü" * 500])
def test_a_name_of_a_user_or_machine_cannot_break_a_line(
    store: Store, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "_who", lambda: f"{clean(name)}@{clean(name)}")

    append(store, "open", "f" * 128, "f" * 64, "refused", "E" * 64)

    assert [type(one.line) for one in read_log(store)] == [AuditLine] and said(store) == []
    assert store.stat(AUDIT, line_name(1)).size_bytes <= LINE_BYTES


def test_a_kill_between_line_and_effect_leaves_a_whole_log(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt), audited(store, "seal", ID) as entry:
        entry.begin()
        raise KeyboardInterrupt

    assert [one.outcome for one in lines(store)] == ["begun"] and said(store) == []
