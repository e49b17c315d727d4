"""What the commands write into a store's audit log, and what they say about it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sealift.sealing import SealedArtifact, seal
from sealift.stores import MANIFESTS, PAYLOADS, AuditLine, open_store, put_artifact
from tests.damage import with_another_last_byte
from tests.keys import key_pair
from tests.unit.command.typed import is_refused, key_files, sealift, succeeds
from tests.unit.stores.contract import lines

MISSING = "0" * 32


def written(store_url: str, since: int = 0) -> list[tuple[str, str, str, str]]:
    return [(one.action, one.artifact_id, one.outcome, one.error) for one in lines(open_store(store_url))[since:]]


def put(store_url: str) -> SealedArtifact:
    """An artifact with two lines in the log."""
    artifact = seal(b"plain", {}, [key_pair(0).recipient])
    put_artifact(open_store(store_url), artifact.artifact_id, artifact.payload, artifact.manifest)
    return artifact


def line_of(artifact_id: str) -> bytes:
    """The first line of a log, an opening in 2020."""
    who, empty = "somebody@somewhere", ""
    line = AuditLine(1, "2020-01-01T00:00:00Z", who, "open", artifact_id, empty, "done", empty, "0" * 64)
    return line.encode()


def test_every_command_has_its_lines_in_every_store(tmp_path: Path, store_url: str) -> None:
    (private, public), (_, other), plain = key_files(tmp_path), key_files(tmp_path, 1), tmp_path / "plain"
    plain.write_bytes(b"model")
    sealed = succeeds("seal", plain, "-r", public, "--store", store_url, "--json").json
    place = (sealed["artifactId"], "--store", store_url)
    succeeds("open", *place, "-i", private, "-o", tmp_path / "opened")
    assert succeeds("open", *place, "-i", private).output == b"model"
    succeeds("rewrap", *place, "-i", private, "--add", other)
    succeeds("rewrap", *place, "-i", private, "--add", other)
    succeeds("inspect", *place)
    succeeds("verify", *place)
    succeeds("list", "--store", store_url)
    succeeds("erase", *place, "--reason", "request 17", "--yes")

    log = lines(open_store(store_url))
    actions = ["seal", "open", "open", "rewrap", "erase"]
    assert [(one.action, one.outcome) for one in log] == [
        (action, outcome) for action in actions for outcome in ("begun", "done")
    ]
    assert {one.artifact_id for one in log} == {sealed["artifactId"]}
    assert {one.payload_digest for one in log[1:8]} == {sealed["payloadDigest"]}
    head = succeeds("verify", "--audit", "--store", store_url, "--json").json
    assert head == {"intact": True, "lines": 10, "head": head["head"], "older": []} and head["head"].startswith("10:")
    listed = succeeds("list", "--audit", "--store", store_url, "--json").lines
    assert listed == [one.fields for one in log]


def test_refusals_have_lines(tmp_path: Path) -> None:
    url, (private, _), (foreign, public) = f"file://{tmp_path}/store", key_files(tmp_path), key_files(tmp_path, 1)
    kept, damaged, erased = (put(url) for _ in range(3))
    (tmp_path / "store" / PAYLOADS / damaged.artifact_id).write_bytes(with_another_last_byte(damaged.payload))
    succeeds("erase", erased.artifact_id, "--store", url, "--reason", "request 17", "--yes")
    before = len(written(url))
    place = ("--store", url, "-i", private, "-o", tmp_path / "new")

    is_refused(sealift("open", kept.artifact_id, "--store", url, "-i", foreign, "-o", tmp_path / "new"), "key")
    is_refused(sealift("open", kept.artifact_id, *place, "--payload-digest", "0" * 64), "not the expected one")
    is_refused(sealift("open", damaged.artifact_id, *place))
    is_refused(sealift("open", MISSING, *place), "has no artifact")
    is_refused(sealift("open", erased.artifact_id, *place), "request 17")
    is_refused(sealift("rewrap", kept.artifact_id, "--store", url, "-i", foreign, "--add", public))
    is_refused(sealift("erase", MISSING, "--store", url, "--reason", "request 18", "--yes"))

    assert not (tmp_path / "new").exists()
    assert written(url, before) == [
        ("open", kept.artifact_id, "refused", "WrongKey"),
        ("open", kept.artifact_id, "refused", "PinMismatch"),
        ("open", damaged.artifact_id, "begun", ""),
        ("open", damaged.artifact_id, "refused", "ArtifactCorrupt"),
        ("open", MISSING, "refused", "ArtifactMissing"),
        ("open", erased.artifact_id, "refused", "ArtifactErased"),
        ("rewrap", kept.artifact_id, "refused", "WrongKey"),
        ("erase", MISSING, "refused", "ArtifactMissing"),
    ]
    for path in (tmp_path / "store" / "audit").iterdir():
        assert b"PRIVATE KEY" not in path.read_bytes() and b"request 1" not in path.read_bytes()


def test_nothing_is_opened_where_the_log_cannot_be_written(tmp_path: Path) -> None:
    url, (private, _) = f"file://{tmp_path}/store", key_files(tmp_path)
    artifact = put(url)
    (tmp_path / "store" / "audit").rename(tmp_path / "away")
    (tmp_path / "store" / "audit").touch()
    place = (artifact.artifact_id, "--store", url, "-i", private)

    is_refused(sealift("open", *place, "-o", tmp_path / "new"), "the audit log cannot be written")
    is_refused(sealift("open", *place), "the audit log cannot be written")
    assert not (tmp_path / "new").exists()


def test_a_reader_without_write_permission_opens_and_is_told_that_there_is_no_line(tmp_path: Path) -> None:
    url, (private, _), store = f"file://{tmp_path}/store", key_files(tmp_path), tmp_path / "store"
    artifact = put(url)
    place = (artifact.artifact_id, "--store", url, "-i", private)
    bound = subprocess.run(["mount", "--bind", store, store], capture_output=True, text=True)
    if bound.returncode != 0:
        pytest.skip(f"a mount of its own needs root: {bound.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", store], check=True)
        to_file = succeeds("open", *place, "-o", tmp_path / "new")
        to_pipe = succeeds("open", *place)
        is_refused(sealift("erase", artifact.artifact_id, "--store", url, "--reason", "17", "--yes"), "Read-only")
    finally:
        subprocess.run(["umount", store], check=True)

    assert (tmp_path / "new").read_bytes() == to_pipe.output == b"plain"
    for opened in (to_file, to_pipe):
        (warning,) = [line for line in opened.errors.splitlines() if line.startswith("warning:")]
        assert f"artifact {artifact.artifact_id} is opened without a line in the store's audit log" in warning
        assert "Read-only file system" in warning
    assert len(written(url)) == 2


def test_an_artifact_in_files_has_no_log(tmp_path: Path) -> None:
    (private, public), plain = key_files(tmp_path), tmp_path / "plain"
    plain.write_bytes(b"model")
    succeeds("seal", plain, "-r", public, "-o", tmp_path / "x")
    succeeds("open", "--payload", tmp_path / "x.payload", "--manifest", tmp_path / "x.manifest", "-i", private)

    assert list(tmp_path.rglob("audit")) == []


def test_a_damaged_log_is_one_error_a_line_and_exit_code_1(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/store"
    for _ in range(3):
        put(url)
    noted = succeeds("verify", "--audit", "--store", url).output.decode().splitlines()[1].removeprefix("head: ")
    folder = tmp_path / "store" / "audit"
    (folder / f"{2:016x}").unlink()
    (folder / f"{4:016x}").write_bytes(b"\x1b[2J\n4  done")
    (folder / f"{6:016x}").unlink()

    text = sealift("verify", "--audit", "--store", url)
    told = sealift("verify", "--audit", "--store", url, "--audit-head", noted, "--json")
    listed = sealift("list", "--audit", "--store", url)

    is_refused(text, "line 2 is missing", "line 4 was altered or put there")
    assert text.errors.count("error:") == 2
    assert told.code == 1 and [one["number"] for one in told.lines] == [2, 4, 6]
    assert "the log had 6 lines" in told.lines[2]["error"]
    shown = listed.output.decode().splitlines()
    assert listed.code == 1 and [line.split()[0] for line in shown] == ["1", "3", "4", "5"]
    assert shown[2] == "4  damaged: it is not a line of an audit log"


@pytest.mark.parametrize(
    "arguments",
    [
        ("0" * 32,),
        ("--all",),
        ("-i", "key.pem"),
        ("--payload", "x"),
        ("--manifest", "x"),
        ("--payload-digest", "0" * 64),
    ],
)
def test_what_is_of_artifacts_is_not_ignored_beside_the_log(arguments: tuple[str, ...]) -> None:
    is_refused(sealift("verify", "--audit", "--store", "file:///x", *arguments), "beside --audit", code=2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("verify", "--audit"), "store is missing"),
        (("verify", "--all", "--store", "file:///x", "--audit-head", f"1:{'0' * 64}"), "add --audit"),
        (("verify", "--audit", "--store", "file:///x", "--audit-head", "1:x"), "is not a head"),
        (("list", "--audit"), "--store"),
    ],
)
def test_a_wrong_command_line_about_the_log_ends_with_2(arguments: tuple[str, ...], says: str) -> None:
    is_refused(sealift(*arguments), says, code=2)


def test_a_log_that_was_removed_is_no_empty_log(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/store"
    names = [put(url).artifact_id for _ in range(2)]
    shutil.rmtree(tmp_path / "store" / "audit")

    is_refused(sealift("verify", "--audit", "--store", url), "the log has no lines, but the store has 2 artifacts")
    os.utime(tmp_path / "store" / "manifests" / names[0], (1, 1))
    open_store(url).swap("audit", f"{1:016x}", line_of(names[0]), None)
    is_refused(
        sealift("verify", "--audit", "--store", url), f"artifact {names[1]} was stored on ", "without a line that it"
    )


def test_artifacts_that_are_older_than_the_log_are_named(tmp_path: Path) -> None:
    """A release without a log sealed two; the key of one is wrapped again since."""
    url, (private, _), (_, other) = f"file://{tmp_path}/store", key_files(tmp_path), key_files(tmp_path, 1)
    old = [seal(b"plain", {}, [key_pair(0).recipient]) for _ in range(2)]
    names = sorted(one.artifact_id for one in old)
    for one in old:
        open_store(url).put(PAYLOADS, one.artifact_id, one.payload)
        open_store(url).put(MANIFESTS, one.artifact_id, one.manifest)
        os.utime(tmp_path / "store" / MANIFESTS / one.artifact_id, (1, 1))
    succeeds("rewrap", names[0], "--store", url, "-i", private, "--add", other)
    put(url)

    told = succeeds("verify", "--audit", "--store", url)

    assert "audit log intact: 4 lines" in told.output.decode()
    assert "2 artifacts stored before the log's first line" in told.errors and ", ".join(names) in told.errors
    assert succeeds("verify", "--audit", "--store", url, "--json").json["older"] == names


def test_a_log_whose_end_was_cut_off_lacks_the_seal_of_what_is_stored(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/store"
    put(url)
    late = put(url).artifact_id
    for number in (3, 4):
        (tmp_path / "store" / "audit" / f"{number:016x}").unlink()

    is_refused(sealift("verify", "--audit", "--store", url), f"artifact {late} was stored on ")


def test_a_store_that_is_not_there_has_no_empty_log(tmp_path: Path) -> None:
    for command in ("verify", "list"):
        is_refused(sealift(command, "--audit", "--store", f"file://{tmp_path}/missing"), "does not exist")
    assert succeeds("list", "--audit", "--store", f"file://{tmp_path}").output == b""
    assert f"head: 0:{'0' * 64}" in succeeds("verify", "--audit", "--store", f"file://{tmp_path}").output.decode()
