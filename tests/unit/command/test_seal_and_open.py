"""What the command seals opens again, with the library, the server and Tink too; what is not authentic is not
released."""

import io
import json
import os
import secrets
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from sealift.command import seal
from sealift.durable.new_file import Buffer
from sealift.sealing import data_key_text, find_key_pair, open_artifact, unwrap
from sealift.serving.opening import Opening, Source
from sealift.stores import (
    MANIFESTS,
    PAYLOADS,
    StoreUnwritable,
    artifact_ids,
    get_manifest,
    get_payload,
    open_store,
)
from sealift.stores.file_store import FileStore
from sealift.stores.store import Folder
from tests.keys import key_pair
from tests.openbao import OpenBao
from tests.store_files import store_files
from tests.unit.command.typed import SEALIFT, environment, hear_interrupts, is_refused, key_files, sealift, succeeds
from tests.unit.sealing.tink_oracle import streaming_primitive

SEGMENT = 1 << 20
SIZES = [0, 1, SEGMENT - 57, SEGMENT - 56, SEGMENT - 55, 3 * SEGMENT + 1]
"""The first segment holds 56 bytes less: header and tag."""


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "keys").mkdir()
    return key_files(tmp_path / "keys")


@pytest.mark.parametrize("size", SIZES)
def test_a_file_comes_back_through_files_and_pipes(tmp_path: Path, keys: tuple[Path, Path], size: int) -> None:
    plain, (private, public) = secrets.token_bytes(size), keys
    (tmp_path / "model").write_bytes(plain)

    succeeds("seal", tmp_path / "model", "-r", public, "-o", tmp_path / "file")
    succeeds("seal", "-", "-r", public, "-o", tmp_path / "pipe", given=plain)

    for name in ("file", "pipe"):
        place = ("--payload", tmp_path / f"{name}.payload", "--manifest", tmp_path / f"{name}.manifest")
        assert succeeds("open", *place, "-i", private).output == plain
        succeeds("open", *place, "-i", "-", "-o", tmp_path / f"{name}.plain", given=private.read_bytes())
        assert (tmp_path / f"{name}.plain").read_bytes() == plain
        assert stat.S_IMODE((tmp_path / f"{name}.plain").stat().st_mode) == 0o600


def test_an_artifact_in_a_store_opens_with_every_program(
    tmp_path: Path, keys: tuple[Path, Path], store_url: str
) -> None:
    plain, (private, public) = secrets.token_bytes(2 * SEGMENT), keys
    sealed = succeeds(
        "seal", "-", "-r", public, "--store", store_url, "--json", "--description", '{"name": "é"}', given=plain
    ).json

    store, artifact_id = open_store(store_url), sealed["artifactId"]
    assert artifact_ids(store) == [artifact_id]
    manifest, payload = get_manifest(store, artifact_id), get_payload(store, artifact_id)
    pins = {"artifact_id": artifact_id, "payload_digest": sealed["payloadDigest"]}
    opened = open_artifact(manifest, payload, key_pair(0), **pins)
    assert (bytes(opened.model), opened.description) == (plain, {"name": "é"})

    (tmp_path / "payload").write_bytes(payload)
    (tmp_path / "manifest").write_bytes(manifest)
    source = Source(tmp_path / "payload", tmp_path / "manifest", private, artifact_id, sealed["payloadDigest"])
    with Opening(source) as opening:
        served, description = opening.result()
        assert bytes(served) == plain and description == {"name": "é"}
        served.release()

    context = b"sealift/v1\0" + bytes.fromhex(artifact_id)
    with streaming_primitive(unwrap(manifest, [key_pair(0)])).new_decrypting_stream(
        io.BytesIO(payload), context
    ) as one:
        assert one.read() == plain

    place = (artifact_id, "--store", store_url, "-i", private, "--payload-digest", sealed["payloadDigest"])
    assert succeeds("open", *place).output == plain
    told = succeeds("open", *place, "-o", tmp_path / "plain", "--json").json
    assert told["description"] == {"name": "é"} and (tmp_path / "plain").read_bytes() == plain


def test_several_recipients_of_every_form_can_open(tmp_path: Path, bao: OpenBao) -> None:
    address = f"hashivault://{bao.make_key()}"
    (first, first_public), (second, second_public) = key_files(tmp_path), key_files(tmp_path, 1)
    listed = tmp_path / "recipients"
    listed.write_text(f"# ours\n{second_public.read_text()}\n# in the KMS\n{address}\n{second_public.read_text()}")

    sealed = succeeds(
        "seal", "-", "-r", first_public.read_text(), "-R", listed, "-o", tmp_path / "model", "--json", given=b"plain"
    ).json

    in_kms = find_key_pair(address)
    assert sealed["recipients"] == sorted([key_pair(0).key_id, key_pair(1).key_id, in_kms.key_id])
    place = ("--payload", tmp_path / "model.payload", "--manifest", tmp_path / "model.manifest")
    for identity in (first, second, address):
        assert succeeds("open", *place, "-i", identity).output == b"plain"
    other, _ = key_files(tmp_path, 2)
    assert succeeds("open", *place, "-i", other, "-i", second).output == b"plain"
    is_refused(sealift("open", *place, "-i", other), "no given private key belongs to a recipient")


@pytest.mark.parametrize("at", [0, 100, SEGMENT + 5, -1])
@pytest.mark.parametrize("to", ["-", "file"])
def test_a_changed_payload_releases_nothing(tmp_path: Path, keys: tuple[Path, Path], at: int, to: str) -> None:
    private, public = keys
    succeeds("seal", "-", "-r", public, "-o", tmp_path / "model", given=bytes(2 * SEGMENT))
    payload = tmp_path / "model.payload"
    changed = bytearray(payload.read_bytes())
    changed[at] ^= 1
    payload.write_bytes(changed)

    output = "-" if to == "-" else tmp_path / "plain"
    ended = sealift(
        "open", "--payload", payload, "--manifest", tmp_path / "model.manifest", "-i", private, "-o", output
    )

    is_refused(ended, "differs from") if "differs from" in ended.errors else is_refused(ended)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("plain")]


def test_another_artifact_than_the_pinned_one_is_refused(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    private, public = keys
    succeeds("seal", "-", "-r", public, "-o", tmp_path / "model", given=b"plain")
    place = ("--payload", tmp_path / "model.payload", "--manifest", tmp_path / "model.manifest", "-i", private)

    is_refused(sealift("open", *place, "--payload-digest", "0" * 64), "not the expected one")
    is_refused(sealift("open", "0" * 32, *place), "not of 00000000")


def test_a_terminal_gets_no_plaintext(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    private, public = keys
    succeeds("seal", "-", "-r", public, "-o", tmp_path / "model", given=b"plain")
    place = ("--payload", str(tmp_path / "model.payload"), "--manifest", str(tmp_path / "model.manifest"))
    ours, theirs = os.openpty()

    ran = subprocess.run(
        [*SEALIFT, "open", *place, "-i", str(private)],
        stdout=theirs, stderr=subprocess.PIPE, env=environment(), check=False,
    )  # fmt: skip
    os.close(theirs)

    assert ran.returncode == 1 and b"the plain content is not written to a terminal\nhint: give -o" in ran.stderr
    with pytest.raises(OSError, match="Input/output"):
        os.read(ours, 1)
    os.close(ours)


def test_no_file_is_overwritten(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    private, public = keys
    succeeds("seal", "-", "-r", public, "-o", tmp_path / "model", given=b"plain")
    before = (tmp_path / "model.payload").read_bytes()
    (tmp_path / "plain").write_text("mine")
    place = ("--payload", tmp_path / "model.payload", "--manifest", tmp_path / "model.manifest", "-i", private)

    is_refused(sealift("seal", "-", "-r", public, "-o", tmp_path / "model", given=b"other"), "model.payload exists")
    is_refused(sealift("open", *place, "-o", tmp_path / "plain"), "plain exists already")

    assert (tmp_path / "model.payload").read_bytes() == before and (tmp_path / "plain").read_text() == "mine"


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("where", ["store", "files"])
def test_an_interrupted_sealing_leaves_no_artifact(
    tmp_path: Path, keys: tuple[Path, Path], stop: signal.Signals, where: str
) -> None:
    _, public = keys
    place = ("--store", f"file://{tmp_path}/store") if where == "store" else ("-o", str(tmp_path / "model"))
    process = subprocess.Popen(
        [*SEALIFT, "seal", "-", "-r", str(public), *place],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
        preexec_fn=hear_interrupts,
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(bytes(5 * SEGMENT))  # the pipe takes it all once the command reads and seals
    process.stdin.flush()
    time.sleep(0.1)

    process.send_signal(stop)
    output, errors = process.communicate(timeout=60)

    assert process.returncode == (130 if stop == signal.SIGINT else -stop)
    assert output == b"" and b"Traceback" not in errors
    files = [path.name for path in store_files(tmp_path) if path.parent.name != "keys"]
    assert files == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("seal", "-", "-o", "x"), "nobody could open"),
        (("seal", "-", "-r", "KEY"), "needs one place"),
        (("seal", "-", "-r", "KEY", "-o", "x", "--store", "file:///x"), "needs one place"),
        (("seal", "-", "-r", "KEY", "-o", "x", "--description", "[]"), "not a JSON object"),
        (("open", "-i", "KEY"), "place is missing"),
        (("open", "-i", "KEY", "--store", "file:///x"), "id is missing"),
        (("open", "0" * 32, "-i", "KEY", "--store", "file:///x", "--manifest", "x"), "beside files"),
        (("open", "../x", "-i", "KEY", "--store", "file:///x"), "allowed: 32 lower-case hex digits"),
        (("open", "0" * 32, "--store", "file:///x"), "-i/--identity"),
        (("open", "0" * 32, "-i", "KEY", "--store", "file:///x", "--json"), "both the content and JSON"),
    ],
)
def test_a_wrong_command_line_ends_with_2(keys: tuple[Path, Path], arguments: tuple[str, ...], says: str) -> None:
    given = [str(keys[1]) if one == "KEY" and arguments[0] == "seal" else one for one in arguments]

    ended = sealift(*given, given=b"plain")

    is_refused(ended, says, code=2)


@pytest.mark.parametrize("command", [("seal", "model", "-o", "x", "-r"), ("open", "0" * 32, "--store", "x", "-i")])
@pytest.mark.parametrize("secret", ["private", "data"])
def test_a_private_key_is_no_argument_and_is_not_repeated(command: tuple[str, ...], secret: str) -> None:
    text = key_pair(0).pem if secret == "private" else "sealift-data-key:" + "A" * 43 + "="

    ended = sealift(*command, text)

    is_refused(ended, "a private key must not be an argument", "mode 0600", code=2)
    assert text[40:60] not in ended.errors


def test_a_private_key_is_no_recipient(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    ended = sealift("seal", "-", "-r", keys[0], "-o", tmp_path / "model", given=b"plain")

    is_refused(ended, "this is a private key", "-pubout")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("seal", "missing", "-r", "KEY", "-o", "x"), ["missing cannot be read: No such file"]),
        (("seal", "-", "-r", "missing", "-o", "x"), ["the key missing cannot be read"]),
        (("seal", "-", "-r", "KEY", "-o", "missing/x"), ["the folder missing cannot be used"]),
        (("seal", "-", "-r", "KEY", "--store", "ftp://x"), ["'ftp://x' is not a store's URL", "allowed: file://"]),
        (("open", "0" * 32, "-i", "PRIVATE", "--store", "file:///missing/x"), ["has no artifact 00000000"]),
        (("open", "0" * 32, "-i", "KEY", "--store", "file:///missing/x"), ["has no artifact 00000000"]),
    ],
)
def test_what_is_not_there_is_named(
    tmp_path: Path, keys: tuple[Path, Path], arguments: tuple[str, ...], says: list[str]
) -> None:
    names = {"PRIVATE": str(keys[0]), "KEY": str(keys[1])}

    is_refused(sealift(*(names.get(one, one) for one in arguments), given=b"plain", folder=tmp_path), *says)


def test_a_data_key_opens_its_own_artifact_only(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    _, public = keys
    for name in ("one", "two"):
        succeeds("seal", "-", "-r", public, "-o", tmp_path / name, given=name.encode())
    data_key = tmp_path / "data-key"
    data_key.write_text(data_key_text(unwrap((tmp_path / "one.manifest").read_bytes(), [key_pair(0)])))

    def opened(name: str) -> tuple[object, ...]:
        return (
            "open", "--payload", tmp_path / f"{name}.payload", "--manifest", tmp_path / f"{name}.manifest",
            "-i", data_key,
        )  # fmt: skip

    assert succeeds(*opened("one")).output == b"one"
    is_refused(sealift(*opened("two")), "another artifact's")


def test_a_description_may_be_a_file(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    private, public = keys
    (tmp_path / "description.json").write_text(json.dumps({"inputs": [1, 2]}))

    succeeds(
        "seal", "-", "-r", public, "-o", tmp_path / "x", "--description", f"@{tmp_path}/description.json", given=b"x"
    )

    place = ("--payload", tmp_path / "x.payload", "--manifest", tmp_path / "x.manifest", "-i", private)
    assert succeeds("open", *place, "-o", tmp_path / "y", "--json").json["description"] == {"inputs": [1, 2]}


class _WithoutManifests(FileStore):
    """A store that refuses each manifest."""

    def put(self, folder: Folder, name: str, content: Buffer) -> None:
        raise StoreUnwritable(f"{folder} cannot be written")


def test_a_payload_is_removed_if_its_manifest_cannot_be_stored(tmp_path: Path) -> None:
    store = _WithoutManifests(tmp_path)

    with pytest.raises(StoreUnwritable, match="manifests"):
        seal._into_store(store, io.BytesIO(b"plain"), {}, [key_pair(0).recipient])

    assert [store.names(PAYLOADS), store.names(MANIFESTS)] == [[], []]
