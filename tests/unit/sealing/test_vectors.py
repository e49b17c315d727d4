"""Published vectors against the primitives as we use them, and our own releases' artifacts, which must open for
ever.
"""

import base64
import hashlib
import hmac
import json
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealift.sealing import (
    WrongKey,
    content_id,
    mask_key,
    open_artifact,
    open_record,
    parse_identity,
    record_key,
    seal,
    unwrap,
)
from sealift.sealing.recipients import pem
from sealift.sealing.recipients.recipient import Stanza
from sealift.sealing.recipients.rsa_oaep import OAEP
from sealift.sealing.recipients.x25519 import KIND_BEFORE_HPKE, SUITE, X25519Identity
from tests.keys import key_pair

PROJECT_ROOT = Path(__file__).resolve().parents[3]
WYCHEPROOF = PROJECT_ROOT.parent / "shared" / "vectors" / "wycheproof"
RELEASES = PROJECT_ROOT / "tests" / "vectors"


def groups(name: str) -> list[dict[str, Any]]:
    if not WYCHEPROOF.is_dir():
        pytest.skip("Wycheproof's vectors do not stand beside the project (../shared/vectors/wycheproof)")
    loaded: list[dict[str, Any]] = json.loads((WYCHEPROOF / name).read_text())["testGroups"]
    assert loaded, f"{name} holds no vectors"
    return loaded


def test_aes_256_gcm() -> None:
    tried = 0
    for group in groups("aes_gcm_test.json"):
        if (group["keySize"], group["ivSize"], group["tagSize"]) != (256, 96, 128):
            continue
        for case in group["tests"]:
            aead, sealed = AESGCM(bytes.fromhex(case["key"])), bytes.fromhex(case["ct"] + case["tag"])
            nonce, data, plain = (bytes.fromhex(case[name]) for name in ("iv", "aad", "msg"))
            opened = bytearray(len(plain))
            tried += 1
            if case["result"] == "invalid":
                with pytest.raises(InvalidTag):
                    aead.decrypt_into(nonce, sealed, data, opened)
                continue
            aead.decrypt_into(nonce, sealed, data, opened)
            assert bytes(opened) == plain
            assert aead.encrypt(nonce, plain, data) == sealed
    assert tried > 50


def test_hkdf_sha256() -> None:
    tried = 0
    for group in groups("hkdf_sha256_test.json"):
        for case in group["tests"]:
            key, salt, info = (bytes.fromhex(case[name]) for name in ("ikm", "salt", "info"))
            if case["result"] == "invalid":
                with pytest.raises(ValueError, match="larger"):
                    HKDF(hashes.SHA256(), case["size"], salt, info).derive(key)
            else:
                assert HKDF(hashes.SHA256(), case["size"], salt, info).derive(key) == bytes.fromhex(case["okm"])
            tried += 1
    assert tried > 50


def test_hmac_sha256() -> None:
    tried = 0
    for group in groups("hmac_sha256_test.json"):
        for case in group["tests"]:
            tag = hmac.digest(bytes.fromhex(case["key"]), bytes.fromhex(case["msg"]), "sha256")[: group["tagSize"] // 8]
            assert hmac.compare_digest(tag, bytes.fromhex(case["tag"])) == (case["result"] == "valid")
            tried += 1
    assert tried > 50


def test_rsa_oaep_4096_sha256() -> None:
    tried = 0
    for group in groups("rsa_oaep_4096_sha256_mgf1sha256_test.json"):
        key = serialization.load_pem_private_key(group["privateKeyPem"].encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        for case in group["tests"]:
            if case["label"]:
                continue
            tried += 1
            try:
                opened = key.decrypt(bytes.fromhex(case["ct"]), OAEP)
            except ValueError:
                assert case["result"] == "invalid"
            else:
                assert case["result"] != "invalid"
                assert opened == bytes.fromhex(case["msg"])
    assert tried > 10


def test_x25519() -> None:
    """Through a recipient's whole wrapping: what we make of a share that is not good is a key that does not fit."""
    tried = 0
    for group in groups("x25519_test.json"):
        for case in group["tests"]:
            private = X25519PrivateKey.from_private_bytes(bytes.fromhex(case["private"]))
            share, shared = bytes.fromhex(case["public"]), bytes.fromhex(case["shared"])
            identity = X25519Identity(pem.private_text(private))
            salt = share + private.public_key().public_bytes_raw()
            wrapping_key = HKDF(hashes.SHA256(), 32, salt, b"sealift/v1/X25519\0").derive(shared)
            wrapped = share + AESGCM(wrapping_key).encrypt(bytes(12), bytes(32), None)
            tried += 1
            if shared == bytes(32):
                with pytest.raises(WrongKey):
                    identity.unwrap(Stanza(KIND_BEFORE_HPKE, identity.key_id, wrapped))
            else:
                assert identity.unwrap(Stanza(KIND_BEFORE_HPKE, identity.key_id, wrapped)) == bytes(32)
    assert tried > 50


def test_what_was_derived_of_a_store_s_key_is_derived_of_it_for_ever() -> None:
    """The expected values were made without our code: another label, and no store's records, masks and ids fit."""
    vector = json.loads((RELEASES / "records-v1" / "derived.json").read_text())
    store_key, name = bytes.fromhex(vector["storeKey"]), vector["recordName"]

    key = record_key(store_key, name)
    assert key.hex() == vector["recordKey"]
    assert mask_key(store_key).hex() == vector["maskKey"]
    assert content_id(store_key, bytes.fromhex(vector["contentDigest"])) == vector["contentId"]
    assert bytes(open_record(key, name, bytes.fromhex(vector["record"]))).decode() == vector["plaintext"]


def releases() -> list[Path]:
    found = sorted(RELEASES.glob("format-v*"))
    assert found, "the releases' artifacts are missing"
    return found


@pytest.mark.parametrize("folder", releases(), ids=lambda folder: folder.name)
def test_an_artifact_of_an_earlier_release_still_opens(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text())
    manifest = (folder / "manifest.json").read_bytes()
    identity = parse_identity((folder / "test-only-private.pem").read_text())
    own_key = folder / "test-only-own-key.hex"

    opened = open_artifact(
        manifest,
        (folder / "payload").read_bytes(),
        unwrap(manifest, [identity], bytes.fromhex(own_key.read_text())) if own_key.exists() else identity,
        artifact_id=expected["artifactId"],
        payload_digest=expected["payloadDigest"],
    )

    assert hashlib.sha256(opened.model).hexdigest() == expected["modelSha256"]
    assert opened.description == expected["description"]


def frozen() -> dict[str, str]:
    """Digests by file, as `sha256sum --check` reads them."""
    lines = (RELEASES / "frozen.sha256").read_text().splitlines()
    assert lines, "no file is frozen"
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def test_the_files_of_earlier_releases_are_those_that_were_frozen() -> None:
    """A changed or a lost file would hide that it no longer opens. A new release adds its own."""
    found = [path for form in ("format-v*/*", "records-v*/*") for path in RELEASES.glob(form)]

    digests = {str(path.relative_to(RELEASES)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}
    assert digests == frozen()


def test_openssl_unwraps_the_data_key_with_the_private_key_in_pem(tmp_path: Path) -> None:
    key, other = key_pair(), RELEASES / "format-v1-small"
    artifact = seal(b"model", {}, [key.recipient])
    for manifest, text in (
        (artifact.manifest, key.pem),
        ((other / "manifest.json").read_bytes(), (other / "test-only-private.pem").read_text()),
    ):
        (stanza,) = json.loads(manifest)["recipients"]
        (tmp_path / "key.pem").write_text(text)

        ran = subprocess.run(
            ["openssl", "pkeyutl", "-decrypt", "-inkey", tmp_path / "key.pem", "-pkeyopt", "rsa_padding_mode:oaep",
             "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256"],
            input=base64.b64decode(stanza["wrappedKey"]), capture_output=True, check=True,
        )  # fmt: skip

        assert ran.stdout == unwrap(manifest, [parse_identity(text)])


def test_what_openssl_wraps_we_unwrap(tmp_path: Path) -> None:
    key = key_pair()
    (tmp_path / "key.pem").write_text(key.recipient.pem)

    ran = subprocess.run(
        ["openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", tmp_path / "key.pem", "-pkeyopt",
         "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256"],
        input=bytes(range(32)), capture_output=True, check=True,
    )  # fmt: skip

    assert key.unwrap(Stanza("RSA-OAEP-4096-SHA256", key.key_id, ran.stdout)) == bytes(range(32))


def test_hpke_of_rfc_9180() -> None:
    """The published case of our recipients' suite: its encapsulated key and its derived key and nonce. We give no
    associated data, so its ciphertext is made again without them."""
    folder = resources.files("cryptography_vectors")
    published = json.loads((folder / "HPKE" / "test-vectors.json").read_text())
    tried = 0
    for case in published:
        if (case["mode"], case["kem_id"], case["kdf_id"], case["aead_id"]) != (0, 0x20, 1, 2):
            continue
        key = X25519PrivateKey.from_private_bytes(bytes.fromhex(case["skRm"]))
        info, first = bytes.fromhex(case["info"]), case["encryptions"][0]
        cipher, nonce = AESGCM(bytes.fromhex(case["key"])), bytes.fromhex(case["base_nonce"])
        assert cipher.decrypt(nonce, bytes.fromhex(first["ct"]), bytes.fromhex(first["aad"])).hex() == first["pt"]
        sealed = bytes.fromhex(case["enc"]) + cipher.encrypt(nonce, bytes.fromhex(first["pt"]), None)
        assert SUITE.decrypt(sealed, key, info=info) == bytes.fromhex(first["pt"])
        for place in range(len(sealed)):
            altered = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
            with pytest.raises((InvalidTag, ValueError)):
                SUITE.decrypt(altered, key, info=info)
        tried += 1
    assert tried
