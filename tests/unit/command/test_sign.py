"""What is signed is an intact artifact; who trusts a signer gets what that signer signed, and nothing else."""

import json
import shutil
import stat
from pathlib import Path

import pytest

from sealift.sealing import SealedArtifact, seal
from sealift.signing import MAX_BYTES, Signer, SigningKey
from sealift.stores import PAYLOADS, SIGNATURES, erase_artifact, get_signature, open_store, put_artifact, put_signature
from tests.damage import with_another_last_byte
from tests.keys import key_pair
from tests.unit.command.typed import is_refused, key_files, sealift, succeeds
from tests.unit.signing.official import model_signing, needs_official, official_verify


def put(store_url: str) -> SealedArtifact:
    artifact = seal(b"plain", {}, [key_pair(0).recipient])
    put_artifact(open_store(store_url), artifact.artifact_id, artifact.payload, artifact.manifest)
    return artifact


def signer_files(folder: Path, name: str = "signer.pem") -> tuple[Path, Path]:
    key = SigningKey.generate()
    private, public = folder / name, folder / f"{name}.pub"
    private.write_text(key.pem)
    public.write_text(key.signer.pem)
    return private, public


def in_files(folder: Path) -> tuple[SealedArtifact, tuple[object, ...]]:
    artifact = seal(b"plain", {}, [key_pair(0).recipient])
    payload, manifest = folder / "model.payload", folder / "model.manifest"
    payload.write_bytes(artifact.payload)
    manifest.write_bytes(artifact.manifest)
    return artifact, ("--payload", payload, "--manifest", manifest)


def test_a_signing_pair_is_private_and_fits_together(tmp_path: Path) -> None:
    made = succeeds("keygen", "--signing", "-o", tmp_path / "signer.pem", "--json").json

    private, public = tmp_path / "signer.pem", tmp_path / "signer.pem.pub"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert made["keyId"] == SigningKey(private.read_text()).signer.key_id == Signer(public.read_text()).key_id
    assert made["algorithm"] == "ECDSA-P256" and "PRIVATE" not in str(made)
    is_refused(sealift("keygen", "--signing", "--algorithm", "RSA-4096"), "not allowed with", code=2)


def test_a_signed_artifact_of_any_store_is_verified_and_no_other(tmp_path: Path, store_url: str) -> None:
    signed, unsigned = put(store_url), put(store_url)
    private, public = signer_files(tmp_path)
    key_id = Signer(public.read_text()).key_id

    told = succeeds("sign", signed.artifact_id, "--store", store_url, "--key", private, "--json").json
    assert (told["artifactId"], told["signer"]) == (signed.artifact_id, key_id)

    one = succeeds("verify", signed.artifact_id, "--store", store_url, "--signer", public)
    assert one.output.decode() == f"{signed.artifact_id}: intact, signed by {key_id}\n"
    every = sealift("verify", "--all", "--store", store_url, "--signer", public, "--json")
    assert every.code == 1
    assert {line["artifactId"]: line.get("signer") for line in every.lines} == {
        signed.artifact_id: key_id, unsigned.artifact_id: None,
    }  # fmt: skip
    says = f"artifact {unsigned.artifact_id} has no signature in the store"
    is_refused(sealift("verify", unsigned.artifact_id, "--store", store_url, "--signer", public), says)


def test_another_signer_is_refused_until_trusted_and_signing_again_replaces(tmp_path: Path) -> None:
    store_url, (private, public) = f"file://{tmp_path}/store", signer_files(tmp_path)
    _, other_public = signer_files(tmp_path, "other.pem")
    artifact = put(store_url)
    succeeds("sign", artifact.artifact_id, "--store", store_url, "--key", tmp_path / "other.pem")
    verify = ("verify", artifact.artifact_id, "--store", store_url, "--signer", public)

    is_refused(sealift(*verify), "made with another key than the trusted")
    succeeds(*verify, "--signer", other_public)
    succeeds("sign", artifact.artifact_id, "--store", store_url, "--key", private)
    succeeds(*verify)


def test_a_damaged_payload_is_not_signed(tmp_path: Path) -> None:
    store_url, (private, public) = f"file://{tmp_path}/store", signer_files(tmp_path)
    artifact = put(store_url)
    file = tmp_path / "store" / PAYLOADS / artifact.artifact_id
    file.write_bytes(with_another_last_byte(artifact.payload))

    is_refused(
        sealift("sign", artifact.artifact_id, "--store", store_url, "--key", private),
        "the payload differs from what was sealed",
    )
    assert get_signature(open_store(store_url), artifact.artifact_id) is None

    file.write_bytes(artifact.payload)
    succeeds("sign", artifact.artifact_id, "--store", store_url, "--key", private)
    file.write_bytes(with_another_last_byte(artifact.payload))
    is_refused(sealift("verify", artifact.artifact_id, "--store", store_url, "--signer", public), "differs")


def test_an_artifact_that_was_exchanged_whole_is_refused(tmp_path: Path) -> None:
    """An attacker's own valid artifact under the id, with the old signature."""
    store_url, (private, public) = f"file://{tmp_path}/store", signer_files(tmp_path)
    store, (signed, evil) = open_store(store_url), (put(store_url), put(store_url))
    succeeds("sign", signed.artifact_id, "--store", store_url, "--key", private)
    stored = get_signature(store, signed.artifact_id)
    assert stored is not None
    put_signature(store, evil.artifact_id, stored)

    ended = sealift("verify", evil.artifact_id, "--store", store_url, "--signer", public)
    is_refused(ended, f"the signature is of another payload than that of artifact {evil.artifact_id}")


def test_an_erased_artifact_is_not_signed_and_loses_its_signature(tmp_path: Path) -> None:
    store_url, (private, public) = f"file://{tmp_path}/store", signer_files(tmp_path)
    artifact, store = put(store_url), open_store(store_url)
    succeeds("sign", artifact.artifact_id, "--store", store_url, "--key", private)

    erase_artifact(store, artifact.artifact_id, "request 17")

    assert store.names(SIGNATURES) == []
    for ended in (
        sealift("sign", artifact.artifact_id, "--store", store_url, "--key", private),
        sealift("verify", artifact.artifact_id, "--store", store_url, "--signer", public),
    ):
        is_refused(ended, "was erased on", "request 17")


def test_a_signature_outlives_a_change_of_recipients(tmp_path: Path) -> None:
    store_url, (private, public) = f"file://{tmp_path}/store", signer_files(tmp_path)
    artifact, (opening, _), (_, new_recipient) = put(store_url), key_files(tmp_path), key_files(tmp_path, 1)
    succeeds("sign", artifact.artifact_id, "--store", store_url, "--key", private)

    succeeds("rewrap", artifact.artifact_id, "--store", store_url, "-i", opening, "-r", new_recipient)

    succeeds("verify", artifact.artifact_id, "--store", store_url, "--signer", public)


def test_an_artifact_in_files_has_its_signature_in_a_file(tmp_path: Path) -> None:
    artifact, place = in_files(tmp_path)
    (private, public), signature = signer_files(tmp_path), tmp_path / "model.sig"

    is_refused(sealift("sign", *place, "--key", private), "the signature's place is missing", code=2)
    succeeds("sign", *place, "--key", private, "--signature", signature)
    is_refused(sealift("sign", *place, "--key", private, "--signature", signature), "exists already")

    succeeds("verify", *place, "--signer", public, "--signature", signature)
    content = json.loads(signature.read_bytes())
    content["dsseEnvelope"]["signatures"][0]["sig"] = "AAAA"
    signature.write_text(json.dumps(content))
    is_refused(sealift("verify", *place, "--signer", public, "--signature", signature), "one of them was altered")

    store_url = f"file://{tmp_path}/store"
    put_artifact(open_store(store_url), artifact.artifact_id, artifact.payload, artifact.manifest)
    elsewhere = tmp_path / "elsewhere.sig"
    succeeds("sign", artifact.artifact_id, "--store", store_url, "--key", private, "--signature", elsewhere)
    succeeds("verify", *place, "--signer", public, "--signature", elsewhere)
    assert get_signature(open_store(store_url), artifact.artifact_id) is None


@pytest.mark.parametrize("stored", [True, False])
def test_a_huge_signature_is_refused_without_reading_it(tmp_path: Path, stored: bool) -> None:
    (_, public), file = signer_files(tmp_path), tmp_path / "huge.sig"
    if stored:
        store_url = f"file://{tmp_path}/store"
        artifact = put(store_url)
        put_signature(open_store(store_url), artifact.artifact_id, b"")
        file = tmp_path / "store" / SIGNATURES / artifact.artifact_id
        arguments = ("verify", artifact.artifact_id, "--store", store_url, "--signer", public)
    else:
        _, place = in_files(tmp_path)
        arguments = ("verify", *place, "--signer", public, "--signature", file)  # type: ignore[assignment]
    with file.open("wb") as content:
        content.truncate(1 << 40)  # a whole reading would end the process

    is_refused(sealift(*arguments), f"exceeds the limit of {MAX_BYTES} bytes")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--all", "--store", "file:///x", "--signer", "s.pub", "--signature", "x"), "--signature is of one artifact"),
        (("0" * 32, "--store", "file:///x", "--signature", "x"), "needs a trusted signer"),
        (("--payload", "x", "--manifest", "x", "--signer", "s.pub"), "the signature's place is missing"),
    ],
)
def test_a_wrong_command_line_ends_with_2(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    if "--all" in arguments:
        arguments = tuple(one.replace("/x", str(tmp_path / "empty")) if "file:" in one else one for one in arguments)
        put(f"file://{tmp_path}/empty")
        put(f"file://{tmp_path}/empty")

    is_refused(sealift("verify", *arguments), says, code=2)


def test_a_wrong_key_is_refused_by_its_file_and_not_quoted(tmp_path: Path) -> None:
    artifact, place = in_files(tmp_path)
    (private, public), (opening, _) = signer_files(tmp_path), key_files(tmp_path)
    sign = ("sign", *place, "--signature", tmp_path / "model.sig", "--key")

    is_refused(sealift(*sign, opening), f"{opening}: the signer's key is not an ECDSA key")
    is_refused(sealift(*sign, public), f"{public}: the signing key is not an unencrypted private key in PEM")
    is_refused(sealift("verify", *place, "-i", private), f"{private} is a signing key, which opens nothing")
    is_refused(sealift(*sign, private.read_text()), "a private key must not be an argument", code=2)
    verified = sealift("verify", *place, "--signature", tmp_path / "model.sig", "--signer", private)
    is_refused(verified, f"{private}: this is a private key")
    assert artifact.artifact_id not in verified.errors and not (tmp_path / "model.sig").exists()


@needs_official
def test_the_official_program_and_the_command_verify_each_other_s_signatures(tmp_path: Path) -> None:
    artifact, place = in_files(tmp_path)
    private, public = signer_files(tmp_path)
    folder, ours, theirs = tmp_path / "released", tmp_path / "ours.sig", tmp_path / "theirs.sig"
    folder.mkdir()
    shutil.copy(tmp_path / "model.payload", folder)
    succeeds("sign", *place, "--key", private, "--signature", ours)

    verified = official_verify(folder, ours, public)
    signed = model_signing("sign", "key", folder, "--signature", theirs, "--private_key", private)

    assert (verified.returncode, signed.returncode) == (0, 0), verified.stderr + signed.stderr
    said = succeeds("verify", *place, "--signer", public, "--signature", theirs).output.decode()
    assert said.startswith(f"{artifact.artifact_id}: intact, signed by ")
