"""Signatures of artifacts, in the format of OpenSSF's model-signing: its programs check ours, and ours check its own.

keys.py has the keys, statement.py what is signed, bundle.py the file that holds it, and signature.py signs and checks.
Nothing here opens or reads an artifact. Uses cryptography alone. The format: docs/how-to/signing.md.
"""

from sealift.signing.errors import AnotherSigner, SignatureInvalid, SignedOther, SignerInvalid, SigningError
from sealift.signing.keys import Signer, SigningKey
from sealift.signing.signature import sign, verify
from sealift.signing.statement import SignedArtifact, SignedFile
from sealift.signing.strict_json import MAX_BYTES

__all__ = [
    "MAX_BYTES",
    "AnotherSigner",
    "SignatureInvalid",
    "SignedArtifact",
    "SignedFile",
    "SignedOther",
    "Signer",
    "SignerInvalid",
    "SigningError",
    "SigningKey",
    "sign",
    "verify",
]
