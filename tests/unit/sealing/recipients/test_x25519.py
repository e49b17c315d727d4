"""X25519 recipients: HPKE beside Tink's, and what releases up to 0.2 made of RFC 7748's exchange."""

import hmac
import shutil
import subprocess
from typing import Any, Final

import pytest
import tink
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tink import cleartext_keyset_handle, hybrid
from tink.proto import hpke_pb2, tink_pb2

from sealift.sealing import (
    RsaIdentity,
    WrongKey,
    describe,
    open_artifact,
    parse_identity,
    parse_recipient,
    recipient_ids,
    rewrap,
    seal,
    unwrap,
)
from sealift.sealing.recipients import pem
from sealift.sealing.recipients.recipient import Stanza
from sealift.sealing.recipients.rsa_oaep import RsaRecipient
from sealift.sealing.recipients.x25519 import X25519Identity, X25519Recipient

KIND: Final = "HPKE-X25519-HKDF-SHA256-AES256-GCM"
BEFORE_HPKE: Final = "X25519-HKDF-SHA256-AES256-GCM"
INFO: Final = b"sealift/v1/HPKE\0"
DATA_KEY: Final = bytes(range(32))

# RFC 7748, section 6.1
ALICE: Final = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
ALICE_PUBLIC: Final = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
BOB: Final = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
BOB_PUBLIC: Final = bytes.fromhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
SHARED: Final = bytes.fromhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")


def private_text(raw: bytes) -> str:
    return pem.private_text(X25519PrivateKey.from_private_bytes(raw))


def public_text(raw: bytes) -> str:
    return pem.public_text(X25519PublicKey.from_public_bytes(raw))


def wrapped_by_hand(share: bytes, recipient: bytes, shared: bytes) -> bytes:
    """By RFC 5869 and docs/reference/format-v1.md."""
    pseudorandom = hmac.digest(share + recipient, shared, "sha256")
    wrapping_key = hmac.digest(pseudorandom, b"sealift/v1/X25519\0" + b"\1", "sha256")
    return share + AESGCM(wrapping_key).encrypt(bytes(12), DATA_KEY, None)


@pytest.fixture(scope="module")
def alice() -> X25519Identity:
    return X25519Identity(private_text(ALICE))


def test_the_exchange_is_rfc_7748_s_and_the_rest_is_the_page_s(alice: X25519Identity) -> None:
    wrapped = wrapped_by_hand(BOB_PUBLIC, ALICE_PUBLIC, SHARED)

    assert alice.unwrap(Stanza(BEFORE_HPKE, alice.key_id, wrapped)) == DATA_KEY
    assert len(wrapped) == 80


def tink_key() -> hpke_pb2.HpkePrivateKey:
    """Alice's key, as Tink has it."""
    parameters = hpke_pb2.HpkeParams(
        kem=hpke_pb2.DHKEM_X25519_HKDF_SHA256, kdf=hpke_pb2.HKDF_SHA256, aead=hpke_pb2.AES_256_GCM
    )
    public = hpke_pb2.HpkePublicKey(params=parameters, public_key=ALICE_PUBLIC)
    return hpke_pb2.HpkePrivateKey(public_key=public, private_key=ALICE)


def tink_handle(key: Any, name: str, material: int) -> tink.KeysetHandle:
    url = f"type.googleapis.com/google.crypto.tink.{name}"
    data = tink_pb2.KeyData(type_url=url, value=key.SerializeToString(), key_material_type=material)
    one = tink_pb2.Keyset.Key(key_data=data, status=tink_pb2.ENABLED, key_id=1, output_prefix_type=tink_pb2.RAW)
    keyset = tink_pb2.Keyset(primary_key_id=1, key=[one])
    return cleartext_keyset_handle.read(tink.BinaryKeysetReader(keyset.SerializeToString()))


def test_tink_unwraps_what_is_wrapped(alice: X25519Identity) -> None:
    hybrid.register()
    handle = tink_handle(tink_key(), "HpkePrivateKey", tink_pb2.KeyData.ASYMMETRIC_PRIVATE)

    stanza = X25519Recipient(public_text(ALICE_PUBLIC)).wrap(DATA_KEY)

    assert handle.primitive(hybrid.HybridDecrypt).decrypt(stanza.wrapped_key, INFO) == DATA_KEY
    assert (stanza.kind, stanza.key_id, len(stanza.wrapped_key)) == (KIND, alice.key_id, 80)


def test_what_tink_wraps_is_unwrapped(alice: X25519Identity) -> None:
    hybrid.register()
    handle = tink_handle(tink_key().public_key, "HpkePublicKey", tink_pb2.KeyData.ASYMMETRIC_PUBLIC)

    wrapped = handle.primitive(hybrid.HybridEncrypt).encrypt(DATA_KEY, INFO)

    assert alice.unwrap(Stanza(KIND, alice.key_id, wrapped)) == DATA_KEY
    for other in (b"", b"another purpose"):
        with pytest.raises(WrongKey, match="does not unwrap"):
            wrapped = handle.primitive(hybrid.HybridEncrypt).encrypt(DATA_KEY, other)
            alice.unwrap(Stanza(KIND, alice.key_id, wrapped))


def test_no_two_wrappings_have_the_same_share(alice: X25519Identity) -> None:
    recipient = X25519Recipient(public_text(ALICE_PUBLIC))

    assert recipient.wrap(DATA_KEY).wrapped_key[:32] != recipient.wrap(DATA_KEY).wrapped_key[:32]


@pytest.mark.parametrize("kind", [KIND, BEFORE_HPKE])
def test_every_altered_byte_and_every_other_size_is_refused(alice: X25519Identity, kind: str) -> None:
    wrapped = wrapped_by_hand(BOB_PUBLIC, ALICE_PUBLIC, SHARED)
    if kind == KIND:
        wrapped = X25519Recipient(public_text(ALICE_PUBLIC)).wrap(DATA_KEY).wrapped_key
    flipped = [wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :] for at in range(len(wrapped))]

    for wrong in (*flipped, b"", wrapped[:31], wrapped[:32], wrapped[:-1], wrapped + b"\0", wrapped[:32] + bytes(64)):
        with pytest.raises(WrongKey, match="does not unwrap"):
            alice.unwrap(Stanza(kind, alice.key_id, wrong))


def test_neither_way_of_wrapping_is_taken_for_the_other(alice: X25519Identity) -> None:
    now = X25519Recipient(public_text(ALICE_PUBLIC)).wrap(DATA_KEY).wrapped_key
    for kind, wrapped in ((BEFORE_HPKE, now), (KIND, wrapped_by_hand(BOB_PUBLIC, ALICE_PUBLIC, SHARED))):
        with pytest.raises(WrongKey, match="does not unwrap"):
            alice.unwrap(Stanza(kind, alice.key_id, wrapped))


@pytest.mark.parametrize("kind", [KIND, BEFORE_HPKE])
@pytest.mark.parametrize("point", [bytes(32), b"\1" + bytes(31)])
def test_a_point_of_low_order_is_neither_a_share_nor_a_recipient(
    alice: X25519Identity, point: bytes, kind: str
) -> None:
    with pytest.raises(WrongKey):
        alice.unwrap(Stanza(kind, alice.key_id, wrapped_by_hand(point, ALICE_PUBLIC, bytes(32))))
    with pytest.raises(WrongKey, match="not an X25519 key"):
        parse_recipient(public_text(point))


@pytest.mark.parametrize("number", [2**255 - 19 + 9, 2**255 + 9], ids=["above the prime", "with the top bit"])
def test_a_key_in_another_spelling_is_no_recipient(number: int) -> None:
    """Its owner's key has another id, and could not open."""
    with pytest.raises(WrongKey, match="not an X25519 key"):
        parse_recipient(public_text(number.to_bytes(32, "little")))


def test_it_opens_beside_an_rsa_recipient_and_can_be_wrapped_for_anew(key: RsaIdentity, alice: X25519Identity) -> None:
    recovery, bob = parse_recipient(public_text(ALICE_PUBLIC)), parse_recipient(public_text(BOB_PUBLIC))
    artifact = seal(b"model", {"a": 1}, [key.recipient, recovery])

    for identity in (key, parse_identity(private_text(ALICE)), parse_identity(private_text(ALICE), trusted=True)):
        opened = open_artifact(
            artifact.manifest, artifact.payload, identity,
            artifact_id=artifact.artifact_id, payload_digest=artifact.payload_digest,
        )  # fmt: skip
        assert bytes(opened.model) == b"model"
    rewrapped = rewrap(artifact.manifest, unwrap(artifact.manifest, [alice]), [bob])
    assert recipient_ids(rewrapped) == {bob.key_id}
    assert describe(rewrapped, parse_identity(private_text(BOB))) == {"a": 1}
    with pytest.raises(WrongKey, match="does not belong to a recipient"):
        describe(rewrapped, alice)


def test_neither_kind_takes_the_other_s_key(key: RsaIdentity) -> None:
    with pytest.raises(WrongKey, match="not an X25519 key"):
        X25519Recipient(key.recipient.pem)
    with pytest.raises(WrongKey, match="not an X25519 key"):
        X25519Identity(key.pem)
    with pytest.raises(WrongKey, match="not an RSA key"):
        RsaRecipient(public_text(ALICE_PUBLIC))
    with pytest.raises(WrongKey, match="not an RSA key"):
        RsaIdentity(private_text(ALICE))


def test_reprs_show_key_ids_alone(alice: X25519Identity) -> None:
    assert repr(alice) == f"X25519Identity(key_id={alice.key_id[:16]}…)"
    assert repr(X25519Recipient(public_text(ALICE_PUBLIC))) == f"X25519Recipient(key_id={alice.key_id[:16]}…)"


def test_openssl_makes_such_keys() -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl")
    private = subprocess.run([openssl, "genpkey", "-algorithm", "X25519"], capture_output=True, check=True).stdout
    public = subprocess.run([openssl, "pkey", "-pubout"], input=private, capture_output=True, check=True).stdout

    assert parse_identity(private.decode()).key_id == parse_recipient(public.decode()).key_id
    loaded = serialization.load_pem_private_key(private, None)
    assert isinstance(loaded, X25519PrivateKey)
