"""Artifacts that somebody altered, exchanged or made, opened in every way: the right plaintext or one clear error.

Every test counts its cases. Some forgeries are made with the data key, as a former recipient can make them.
"""

import io
import itertools
import json
import os
import pickle
import random
import secrets
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sealift.sealing import (
    SealedArtifact,
    SealingError,
    payload_digest,
    rewrap,
    seal,
    unwrap,
)
from sealift.sealing.manifest import parse_manifest
from sealift.sealing.recipients import pem
from sealift.sealing.recipients.x25519 import X25519Recipient
from sealift.sealing.segments import FIRST_PIECE_BYTES, PIECE_BYTES, SEGMENT_BYTES
from sealift.serving.errors import StartError
from sealift.serving.model import load
from sealift.serving.opening import Opening, Source
from sealift.stores import MANIFESTS, PAYLOADS, ArtifactDamaged, ArtifactMissing, StoreError, get_manifest, open_store
from sealift.stores.store import Folder
from tests.unit.serving.tiny import DESCRIPTION, onnx_model
from tests.ways_to_open import ALL, COUNTS, IN_FILES, PROCESSES, QUICK, Given, Refused, attempt, refused_by, run_here

BOUNDARIES: Final = (-17, -16, -1, 0, 1, 16, 40)
"""Places around a segment's boundary: before its tag, within it, and within a header."""


def new_key() -> str:
    return pem.private_text(X25519PrivateKey.generate())


KEY, OTHER_KEY = new_key(), new_key()


def recipient(key: str) -> X25519Recipient:
    private = pem.read_private_key(key, trusted=True)
    return X25519Recipient(pem.public_text(private.public_key()))


def sealed_for(plain: bytes, *keys: str, artifact_id: str | None = None) -> tuple[SealedArtifact, Given]:
    artifact = seal(plain, {"name": "model"}, [recipient(key) for key in keys or (KEY,)], artifact_id)
    return artifact, Given.of(artifact, artifact.payload, (keys or (KEY,))[0])


@pytest.fixture(scope="module")
def small() -> Given:
    return sealed_for(b"small model")[1]


@pytest.fixture(scope="module")
def large() -> Given:
    """Three segments."""
    return sealed_for(random.Random(0).randbytes(2 * SEGMENT_BYTES + 100))[1]


@pytest.fixture(autouse=True, scope="module")
def counted() -> Iterator[None]:
    COUNTS.clear()
    yield
    print(f"{COUNTS.total()} cases: {dict(sorted(COUNTS.items()))}")


def resigned(given: Given, **fields: Any) -> Given:
    """What a holder of the data key makes: a manifest with other fields and a right MAC, and pins that follow."""
    parsed = parse_manifest(given.manifest)
    data_key = unwrap(given.manifest, [given.identity])
    forged = replace(parsed, **fields).for_recipients(parsed.recipients, data_key)
    return given.but(manifest=forged.encode(), artifact_id=forged.artifact_id, payload_digest=forged.payload_digest)


def with_payload(given: Given, payload: bytes) -> Given:
    """Another payload, with a manifest that a holder of the data key made for it."""
    made = resigned(given, payload_size=max(1, len(payload)), payload_digest=payload_digest(payload))
    return made.but(payload=payload)


def changed(manifest: bytes, **fields: Any) -> bytes:
    told = {name: value for name, value in (json.loads(manifest) | fields).items() if value is not ...}
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def segments(payload: bytes) -> list[bytes]:
    return [payload[at : at + SEGMENT_BYTES] for at in range(0, len(payload), SEGMENT_BYTES)]


@pytest.mark.parametrize(
    "size",
    [0, 1, FIRST_PIECE_BYTES - 1, FIRST_PIECE_BYTES, FIRST_PIECE_BYTES + 1, FIRST_PIECE_BYTES + PIECE_BYTES],
)
def test_an_artifact_of_any_number_of_segments_opens_in_every_way(size: int, tmp_path: Path) -> None:
    plain = random.Random(size).randbytes(size)
    _, given = sealed_for(plain)

    assert {name: attempt(name, given, tmp_path) == plain for name in ALL} == dict.fromkeys(ALL, True)


@pytest.mark.parametrize("part", ["payload", "manifest"])
def test_every_flipped_byte_is_refused_in_every_way(
    small: Given, part: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """In each quick way each byte, in the ways with files a part of them, and some in processes."""
    moments = request.config.getoption("moments")
    content: bytes = getattr(small, part)
    chance, cases = random.Random(part), 0
    for place in range(len(content)):
        flips = [1 << chance.randrange(8)] if moments < 10 else [1, 0x80, 0xFF, chance.randrange(1, 256)]
        for flip in flips:
            altered = small.but(**{part: content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :]})
            ways = [*QUICK]
            if place % max(1, 50 // moments) == 0:
                ways += IN_FILES
            cases += len(refused_by(ways, altered, tmp_path))
    for place in chance.sample(range(len(content)), min(len(content), moments // 2 + 1)):
        altered = small.but(**{part: content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]})
        cases += len(refused_by([*PROCESSES], altered, tmp_path))
    print(f"{part}: {cases} flipped bytes refused")
    assert cases >= len(content) * len(QUICK)


@pytest.mark.parametrize("resigning", [False, True], ids=["", "by a holder of the data key"])
def test_a_truncation_around_each_boundary_is_refused(large: Given, resigning: bool, tmp_path: Path) -> None:
    cuts = {0, 1, 39, 40, 41, len(large.payload) - 1, len(large.payload) - 16}
    cuts |= {at * SEGMENT_BYTES + off for at in (1, 2) for off in BOUNDARIES}
    for cut in sorted(cuts):
        payload = large.payload[:cut]
        given = with_payload(large, payload) if resigning else large.but(payload=payload)
        refused_by([*QUICK, *IN_FILES], given, tmp_path)
    for extra in (b"\0", bytes(SEGMENT_BYTES)):
        payload = large.payload + extra
        given = with_payload(large, payload) if resigning else large.but(payload=payload)
        refused_by([*QUICK, *IN_FILES], given, tmp_path)


Rearrange = Callable[[list[bytes], list[bytes]], Sequence[bytes]]
REARRANGED: Final[dict[str, Rearrange]] = {
    "first dropped": lambda own, _: own[1:],
    "middle dropped": lambda own, _: [own[0], own[2]],
    "last dropped": lambda own, _: own[:2],
    "middle doubled": lambda own, _: [own[0], own[1], own[1], own[2]],
    "first doubled": lambda own, _: [own[0], *own],
    "last doubled": lambda own, _: [*own, own[2]],
    "reordered": lambda own, _: [own[1], own[0], own[2]],
    "first of another": lambda own, other: [other[0], *own[1:]],
    "middle of another": lambda own, other: [own[0], other[1], own[2]],
    "last of another": lambda own, other: [*own[:2], other[2]],
    "all of another": lambda _, other: other,
    "header of another": lambda own, other: [other[0][:40] + own[0][40:], *own[1:]],
}


@pytest.mark.parametrize("resigning", [False, True], ids=["", "by a holder of the data key"])
@pytest.mark.parametrize("how", REARRANGED)
def test_segments_at_another_place_are_refused(large: Given, how: str, resigning: bool, tmp_path: Path) -> None:
    other = sealed_for(random.Random(1).randbytes(2 * SEGMENT_BYTES + 100))[1]
    payload = b"".join(REARRANGED[how](segments(large.payload), segments(other.payload)))
    given = with_payload(large, payload) if resigning else large.but(payload=payload)

    refused_by([*QUICK, *IN_FILES], given, tmp_path)


def test_manifests_that_were_swapped_are_refused(small: Given, tmp_path: Path) -> None:
    other = sealed_for(b"another one")[1]
    for given in (
        small.but(manifest=other.manifest),
        small.but(payload=other.payload),
        small.but(manifest=other.manifest, payload=other.payload),
        small.but(manifest=small.payload, payload=small.manifest),
        small.but(manifest=b""),
        small.but(payload=b""),
    ):
        refused_by([*ALL], given, tmp_path)


def test_wrong_retired_and_foreign_keys_are_refused(small: Given, tmp_path: Path) -> None:
    data_key = unwrap(small.manifest, [small.identity])
    retired = small.but(manifest=rewrap(small.manifest, data_key, [recipient(OTHER_KEY)]))
    for given in (small.but(key=OTHER_KEY), retired):
        assert all("does not belong" in said or "no given private key" in said for said in refused_by(
            [*ALL], given, tmp_path
        ))  # fmt: skip
    assert {attempt(name, retired.but(key=OTHER_KEY), tmp_path) for name in ALL} == {b"small model"}


def test_a_recipient_whose_stanza_wraps_another_data_key_is_refused_and_the_others_open_it(
    small: Given, tmp_path: Path
) -> None:
    both = sealed_for(b"for both", KEY, OTHER_KEY)[1]
    parsed = parse_manifest(both.manifest)
    data_key = unwrap(both.manifest, [both.identity])
    foreign = recipient(OTHER_KEY).wrap(secrets.token_bytes(32))
    forged = both.but(manifest=parsed.for_recipients([parsed.recipients[0], foreign], data_key).encode())
    unsigned = both.but(manifest=replace(parsed, recipients=(parsed.recipients[0], foreign)).encode())

    assert {attempt(name, forged, tmp_path) for name in ALL} == {b"for both"}
    refused_by([*ALL], forged.but(key=OTHER_KEY), tmp_path)
    for key in (KEY, OTHER_KEY):
        refused_by([*ALL], unsigned.but(key=key), tmp_path)


def hostile_manifests(manifest: bytes) -> dict[str, bytes]:
    one = json.loads(manifest)["recipients"][0]
    many = [one | {"keyId": f"{number:064x}"} for number in range(10_000)]
    return {
        "version 0": changed(manifest, version=0),
        "version 2": changed(manifest, version=2),
        "version as text": changed(manifest, version="1"),
        "version 1.0": changed(manifest, version=1.0),
        "version null": changed(manifest, version=None),
        "huge version": changed(manifest, version=10**4000),
        "no version": changed(manifest, version=...),
        "no MAC": changed(manifest, mac=...),
        "empty MAC": changed(manifest, mac=""),
        "MAC of zeros": changed(manifest, mac="A" * 43 + "="),
        "MAC not ASCII": changed(manifest, mac="é" * 44),
        "100 MB": manifest + b" " * (100 << 20),
        "100 MB of brackets": b"[" * (100 << 20),
        "10,000 recipients": changed(manifest, recipients=many),
        "no recipients": changed(manifest, recipients=[]),
        "size 2^63": changed(manifest, payloadSize=2**63),
        "size 2^52": changed(manifest, payloadSize=2**52),
        "size 2^51": changed(manifest, payloadSize=2**51),
        "size 0": changed(manifest, payloadSize=0),
        "size -1": changed(manifest, payloadSize=-1),
        "size as fraction": changed(manifest, payloadSize=67.5),
        "size of many digits": manifest.replace(b'"payloadSize":', b'"payloadSize":' + b"9" * 5000),
        "id that leads out": changed(manifest, artifactId="../../../../etc/passwd"),
        "id with a line end": changed(manifest, artifactId="ab" * 15 + "a\n"),
        "another id": changed(manifest, artifactId="ab" * 16),
        "wrapped key not ASCII": changed(manifest, recipients=[one | {"wrappedKey": "é" * 8}]),
        "empty wrapped key": changed(manifest, recipients=[one | {"wrappedKey": ""}]),
        "no JSON": b"\x00\xff",
        "pickle": pickle.dumps(json.loads(manifest)),
        "UTF-16": manifest.decode().encode("utf-16"),
        "byte order mark": b"\xef\xbb\xbf" + manifest,
        "line end": manifest + b"\n",
    }


def test_a_manifest_that_cannot_be_is_refused_in_every_way(small: Given, tmp_path: Path) -> None:
    for name, manifest in hostile_manifests(small.manifest).items():
        given = small.but(manifest=manifest)
        assert given.manifest != small.manifest, name
        refused_by([*QUICK, *IN_FILES], given, tmp_path)


def test_sizes_and_digests_of_a_holder_of_the_data_key_are_refused(small: Given, tmp_path: Path) -> None:
    for size in (1, len(small.payload) - 1, len(small.payload) + 1, 1 << 40, (1 << 52) - 1):
        refused_by([*QUICK, *IN_FILES], resigned(small, payload_size=size), tmp_path)
    pinned = [name for name in QUICK | IN_FILES if name not in ("with a reader", "in ranges")]  # they read no digest
    refused_by(pinned, resigned(small, payload_digest="ab" * 32), tmp_path)
    refused_by([*QUICK, *IN_FILES], resigned(small, artifact_id="ab" * 16), tmp_path)


def test_an_older_artifact_and_an_attacker_s_own_are_refused_under_a_pinned_name(tmp_path: Path) -> None:
    """Each is valid. The attacker has the public key, and chose the same id."""
    old = sealed_for(b"older model")[1]
    pinned = sealed_for(b"newer model", artifact_id=old.artifact_id)[1]
    attackers = sealed_for(b"attacker's model", artifact_id=old.artifact_id)[1]

    for other in (old, attackers):
        assert attempt("in memory", other, tmp_path)
        refused_by([*ALL], pinned.but(manifest=other.manifest, payload=other.payload), tmp_path)
        refused_by([*ALL], pinned.but(payload=other.payload), tmp_path)


class _Trap:
    """A pickle of it makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.path),)


def foreign_models(trap: Path) -> dict[str, bytes]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:  # as torch.save writes it
        file.writestr("archive/data.pkl", pickle.dumps(_Trap(trap), 2))
        file.writestr("archive/version", "3\n")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("../../outside", b"x")
    return {
        "pickle": pickle.dumps(_Trap(trap)),
        "torch": archive.getvalue(),
        "zip": out.getvalue(),
        "safetensors": b"\x02\0\0\0\0\0\0\0{}",
        "nothing": b"",
        "text": b"model",
        "noise": random.Random(3).randbytes(3000),
        "cut ONNX": onnx_model()[:-20],
    }


@pytest.mark.parametrize("name", foreign_models(Path()))
def test_a_file_that_is_no_onnx_model_is_not_served_and_runs_nothing(name: str, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    plain = foreign_models(trap)[name]
    artifact = seal(plain, DESCRIPTION, [recipient(KEY)])
    for path, content in (("payload", artifact.payload), ("manifest", artifact.manifest), ("key", KEY.encode())):
        (tmp_path / path).write_bytes(content)
    source = Source(
        tmp_path / "payload", tmp_path / "manifest", tmp_path / "key", artifact.artifact_id, artifact.payload_digest
    )

    with pytest.raises(StartError) as refused, Opening(source) as opening:
        load(opening)
    assert str(refused.value).isprintable() and "Error:" not in str(refused.value)
    assert not trap.exists()


HOSTILE_NAMES: Final = (
    "../../etc/passwd", "..", "", "/etc/passwd", "ab" * 16 + "/..", "AB" * 16, "ab" * 16 + "\n", "é" * 32, "-" * 32,
    "ab" * 5000, "\x1b[2J", "%2e%2e%2f", "--help", "ab" * 15 + "a ",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_a_hostile_name_reaches_no_file(name: str, small: Given, tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/store")
    store.put(PAYLOADS, small.artifact_id, small.payload)
    for use in (lambda: get_manifest(store, name), lambda: store.put(MANIFESTS, name, b"x"),
                lambda: store.delete(PAYLOADS, name), lambda: store.swap(MANIFESTS, name, b"x", None)):  # fmt: skip
        with pytest.raises(ArtifactMissing) as missing:
            use()
        assert missing.value.message.isprintable()
    if name != "--help":
        (tmp_path / "key").write_text(KEY)
        for command in (
            ["open", name, "-i", str(tmp_path / "key"), "-o", str(tmp_path / "out")], ["verify", name],
            ["erase", name, "--reason", "x", "--yes"], ["rewrap", name, "-i", str(tmp_path / "key"), "-r", "x"],
        ):  # fmt: skip
            with pytest.raises(Refused) as refused:
                run_here(*command, "--store", f"file://{tmp_path}/store")
            assert str(refused.value).isprintable()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "key") == ["store"]
    assert store.names(PAYLOADS) == [small.artifact_id]


def test_links_in_a_store_are_not_followed(small: Given, tmp_path: Path) -> None:
    cases = 0
    places: tuple[tuple[Folder, bytes], ...] = ((PAYLOADS, small.payload), (MANIFESTS, small.manifest))
    for number, (folder, content) in enumerate(places):
        root = tmp_path / str(number)
        store = open_store(f"file://{root}/store")
        store.put(PAYLOADS, small.artifact_id, small.payload)
        store.put(MANIFESTS, small.artifact_id, small.manifest)
        outside, inside = root / "outside", root / "store" / folder / small.artifact_id
        outside.write_bytes(content)
        (root / "key").write_text(KEY)
        for target in (outside, root / "nowhere", inside, Path("/dev/zero")):
            inside.unlink()
            inside.symlink_to(target)
            with pytest.raises((ArtifactDamaged, ArtifactMissing)), store.open(folder, small.artifact_id) as stream:
                stream.read(1)
            for command in (["open", "-o", str(root / "out")], ["verify"]):
                with pytest.raises(Refused) as refused:
                    run_here(
                        command[0], small.artifact_id, *command[1:], "--store", f"file://{root}/store", "-i",
                        str(root / "key"),
                    )  # fmt: skip
                assert "is not a file" in str(refused.value)
                cases += 1
        inside.unlink()
        (root / "store" / folder).rename(root / "moved")
        (root / "store" / folder).symlink_to(root / "moved")
        with pytest.raises(StoreError):
            store.get(folder, small.artifact_id)
    assert cases == 16


def test_pairs_of_forgeries_are_refused(small: Given, tmp_path: Path) -> None:
    """Two at a time, the second in what the first one left."""
    other = sealed_for(b"another one")[1]
    alter: dict[str, Callable[[Given], Given]] = {
        "payload flipped": lambda one: one.but(payload=one.payload[:-1] + bytes([one.payload[-1] ^ 1])),
        "payload cut": lambda one: one.but(payload=one.payload[:-1]),
        "payload of another": lambda one: one.but(payload=other.payload),
        "manifest of another": lambda one: one.but(manifest=other.manifest),
        "manifest without MAC": lambda one: one.but(manifest=changed(one.manifest, mac=...)),
        "manifest flipped": lambda one: one.but(manifest=one.manifest.replace(b'"', b"'", 1)),
        "foreign key": lambda one: one.but(key=OTHER_KEY),
        "another pin": lambda one: one.but(payload_digest="ab" * 32),
        "another id": lambda one: one.but(artifact_id="ab" * 16),
    }
    cases = 0
    for first, second in itertools.permutations(alter, 2):
        try:
            given = alter[second](alter[first](small))
        except (ValueError, KeyError):  # no manifest is left to alter
            continue
        cases += len(refused_by([*QUICK, "from a store", "by the command"], given, tmp_path))
    assert cases > 400


def test_what_was_refused_is_one_of_our_errors_even_for_noise(tmp_path: Path, small: Given) -> None:
    chance = random.Random(7)
    for _ in range(50):
        noise = chance.randbytes(chance.randrange(200))
        for given in (small.but(manifest=noise), small.but(payload=noise), small.but(manifest=noise, payload=noise)):
            with pytest.raises(SealingError):
                ALL["in memory"](given, tmp_path)
            refused_by([*QUICK], given, tmp_path)
