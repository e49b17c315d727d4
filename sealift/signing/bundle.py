"""The file of a signature: a Sigstore bundle, version 0.3, with one signed message in DSSE and a hint at the key.

Nothing in it is trusted before a trusted key has signed the message. The hint only makes a message about the wrong key
better than "does not verify". See https://github.com/secure-systems-lab/dsse and https://docs.sigstore.dev/about/bundle.
"""

import base64
import json
from dataclasses import dataclass
from typing import Final

from sealift.signing.errors import SignatureInvalid
from sealift.signing.strict_json import as_object, only_one, read_base64, read_object

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class Bundle:
    """A statement, its signature, and the hint of the key that made it, empty in old signatures."""

    statement: bytes
    signature: bytes
    hint: str

    def encode(self) -> bytes:
        """Returns the bundle as model-signing writes it."""
        bundle = {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": self.hint}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": base64.b64encode(self.statement).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": base64.b64encode(self.signature).decode(), "keyid": ""}],
            },
        }
        return json.dumps(bundle, separators=(",", ":")).encode("ascii")


def parse_bundle(content: bytes) -> Bundle:
    """Parses a bundle. Raises SignatureInvalid."""
    fields = read_object(content, "the signature")
    if fields.get("mediaType") != MEDIA_TYPE:
        raise SignatureInvalid(f"the signature's mediaType is not {MEDIA_TYPE}")
    material = as_object(fields.get("verificationMaterial"), "verificationMaterial")
    if "publicKey" not in material:
        raise SignatureInvalid("the signature was not made with a plain key")
    hint = as_object(material["publicKey"], "verificationMaterial.publicKey").get("hint", "")
    if not isinstance(hint, str):
        raise SignatureInvalid("verificationMaterial.publicKey.hint is not a text")
    signed = as_object(fields.get("dsseEnvelope"), "dsseEnvelope")
    if signed.get("payloadType") != PAYLOAD_TYPE:
        raise SignatureInvalid(f"dsseEnvelope.payloadType is not {PAYLOAD_TYPE}")
    statement = read_base64(signed.get("payload"), "dsseEnvelope.payload")
    signature = only_one(signed.get("signatures"), "dsseEnvelope.signatures")
    return Bundle(statement, read_base64(signature.get("sig"), "dsseEnvelope.signatures[0].sig"), hint)


def signed_message(statement: bytes) -> bytes:
    """Returns what is signed: DSSE's pre-authentication encoding of the statement and its type."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(statement), statement)
