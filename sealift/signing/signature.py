"""Signing an artifact's payload, and checking a signature with the public keys that are trusted."""

from collections.abc import Sequence

from sealift.signing.bundle import Bundle, parse_bundle, signed_message
from sealift.signing.errors import AnotherSigner, SignatureInvalid
from sealift.signing.keys import Signer, SigningKey
from sealift.signing.statement import SignedArtifact, SignedFile, parse_statement


def sign(artifact: SignedArtifact, payload_name: str, payload_sha256: str, key: SigningKey) -> bytes:
    """Returns the content of a signature's file.

    `payload_name` is the name of the payload's file, under which model-signing looks for it in a folder. The caller has
    checked that the payload is this artifact's.
    """
    statement = SignedFile(payload_name, payload_sha256, artifact).encode()
    return Bundle(statement, key.sign(signed_message(statement)), key.signer.hint).encode()


def verify(content: bytes, signers: Sequence[Signer]) -> tuple[SignedFile, Signer]:
    """Returns what is signed, and which of the signers signed it. Raises SignatureInvalid or AnotherSigner.

    The caller compares the statement with its artifact: SignedFile.check.
    """
    bundle = parse_bundle(content)
    message = signed_message(bundle.statement)
    for signer in signers:
        if signer.has_signed(message, bundle.signature):
            return parse_statement(bundle.statement), signer
    if bundle.hint in ("", *(signer.hint for signer in signers)):
        raise SignatureInvalid(
            "the signature does not match what it states: one of them was altered",
            "find out who can write to the place of the signature, and sign the artifact again",
        )
    trusted = ", ".join(f"{signer.key_id[:16]}…" for signer in signers)
    raise AnotherSigner(
        f"the signature was made with another key than the trusted {trusted}",
        "have the artifact signed with a trusted key, or trust this signer's public key too",
    )
