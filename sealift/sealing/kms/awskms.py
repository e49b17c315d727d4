"""Asymmetric keys of AWS KMS, of type RSA_4096 for encryption, through boto3.

The credentials are AWS's usual ones: of the environment, of a profile, or of the workload. Sources: the API reference
of AWS KMS (GetPublicKey, Decrypt), and Pulumi's documentation of addresses such as awskms://alias/NAME?region=REGION.
"""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import SplitResult, urlencode, urlsplit

from cryptography.hazmat.primitives.serialization import load_der_public_key

from sealift.sealing.errors import KeyUnavailable, SealingError, WrongKey
from sealift.sealing.kms.kms_key import (
    SECONDS,
    KmsPublicKey,
    KmsService,
    malformed,
    not_rsa_4096,
    parameters_of,
    sdk_missing,
)
from sealift.sealing.recipients import pem
from sealift.sealing.recipients.recipient import DOES_NOT_UNWRAP

FORM: Final = (
    "awskms://KEY-ID, awskms://alias/NAME or awskms:///ARN, with ?region=REGION, profile=PROFILE or endpoint=URL if "
    "needed"
)
KEY_ID: Final = re.compile(r"(?:alias/[\w/-]+|[\w-]+)\Z", re.ASCII)
ARN: Final = re.compile(r"arn:aws[\w-]*:kms:([\w-]+):[0-9]{12}:(?:key/[\w-]+|alias/[\w/-]+)\Z", re.ASCII)
REGION: Final = re.compile(r"[a-z0-9-]+\Z")
PROFILE: Final = re.compile(r"[\w.@+ -]+\Z", re.ASCII)
ALGORITHM: Final = "RSAES_OAEP_SHA_256"
HINT: Final = "make one: `aws kms create-key --key-spec RSA_4096 --key-usage ENCRYPT_DECRYPT`"
OF_ANOTHER_KIND: Final = ("UnsupportedOperationException", "InvalidKeyUsageException")
MISSING: Final = ("NotFoundException", "InvalidArnException")
NOT_USABLE_NOW: Final = ("DisabledException", "KMSInvalidStateException", "KeyUnavailableException")
BAD_CREDENTIALS: Final = (
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "IncompleteSignature",
    "ExpiredTokenException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
)


@dataclass(frozen=True)
class AwsKey:
    """One key."""

    name: str
    """Id, alias or ARN of the key."""
    region: str | None = None
    """Region of a key whose name is not an ARN, which has one."""
    profile: str | None = None
    endpoint: str | None = None

    @property
    def address(self) -> str:
        """The key's address."""
        is_arn = ARN.match(self.name) is not None
        given = {"region": None if is_arn else self.region, "profile": self.profile, "endpoint": self.endpoint}
        query = urlencode({name: value for name, value in given.items() if value is not None}, safe=":/")
        return f"awskms://{'/' if is_arn else ''}{self.name}{'?' if query else ''}{query}"

    def public_key(self) -> KmsPublicKey:
        """Reads the public key of the key, or of the one that the alias names now."""
        with self._client() as client:
            told = client.get_public_key(KeyId=self.name)
            key = replace(self, name=told["KeyId"], region=client.meta.region_name)
        if told["KeySpec"] != "RSA_4096" or ALGORITHM not in told.get("EncryptionAlgorithms", ()):
            raise not_rsa_4096(self.address, HINT)
        return KmsPublicKey(pem.public_text(load_der_public_key(told["PublicKey"])), key.address)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Decrypts with the key."""
        with self._client() as client:
            told = client.decrypt(KeyId=self.name, CiphertextBlob=ciphertext, EncryptionAlgorithm=ALGORITHM)
        return bytes(told["Plaintext"])

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """Yields boto3's client and turns every failure into an error of ours."""
        try:
            import boto3
            from botocore import exceptions
            from botocore.config import Config
            from botocore.parsers import ResponseParserError
        except ImportError:
            raise sdk_missing(self.address, "boto3", "awskms") from None
        config = Config(
            connect_timeout=SECONDS, read_timeout=SECONDS, retries={"mode": "standard", "total_max_attempts": 2}
        )
        try:
            session = boto3.session.Session(profile_name=self.profile, region_name=self.region)
            with closing(session.client("kms", endpoint_url=self.endpoint, config=config)) as client:
                yield client
        except exceptions.ClientError as error:
            raise self._refused(str(error.response["Error"]["Code"])) from None
        except exceptions.NoRegionError:
            raise KeyUnavailable(
                f"the region of the key {self.address} is not known",
                "add it to the address, such as ?region=eu-west-1, or set AWS_DEFAULT_REGION",
            ) from None
        except (exceptions.HTTPClientError, exceptions.ConnectionError, ResponseParserError) as error:
            raise KeyUnavailable(
                f"AWS KMS cannot be reached for the key {self.address}: {type(error).__name__}",
                "check the network, and the region and endpoint of the key's address",
            ) from None
        except exceptions.BotoCoreError as error:
            raise self._without_credentials(type(error).__name__) from None

    def _refused(self, code: str) -> SealingError:
        if code == "InvalidCiphertextException":
            return WrongKey(*DOES_NOT_UNWRAP)
        if code in OF_ANOTHER_KIND:
            return not_rsa_4096(self.address, HINT)
        if code in BAD_CREDENTIALS:
            return self._without_credentials(code)
        if code in MISSING:
            return KeyUnavailable(
                f"AWS KMS has no key {self.address} in this region", f"correct its id, alias or region; or {HINT}"
            )
        if code in NOT_USABLE_NOW:
            return KeyUnavailable(
                f"the key {self.address} cannot be used now: it is disabled or will be deleted",
                "enable it: `aws kms cancel-key-deletion --key-id ID`, then `aws kms enable-key --key-id ID`",
            )
        if code == "AccessDeniedException":
            return KeyUnavailable(
                f"AWS KMS denies the key {self.address}",
                "allow this account kms:GetPublicKey and kms:Decrypt, in an IAM policy or in the key's own policy",
            )
        return KeyUnavailable(
            f"AWS KMS cannot be used for the key {self.address}: it answers with {code}",
            "try again, and check the endpoint if the address names one",
        )

    def _without_credentials(self, reason: str) -> KeyUnavailable:
        return KeyUnavailable(
            f"there are no valid AWS credentials for the key {self.address}: {reason}",
            "run `aws sso login` or `aws configure`, set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY",
        )


def _open_key(address: SplitResult) -> AwsKey:
    given = dict(parameters_of(address, FORM, "region", "profile", "endpoint", "awssdk"))
    given.pop("awssdk", None)  # Pulumi's choice of its own SDK
    if not address.netloc:
        arn = ARN.match(address.path.removeprefix("/"))
        if arn is None or given.setdefault("region", arn[1]) != arn[1]:
            raise malformed(FORM)
        key = AwsKey(arn[0], **given)
    elif KEY_ID.match(address.netloc + address.path):
        key = AwsKey(address.netloc + address.path, **given)
    else:
        raise malformed(FORM)
    named = (key.region is None or REGION.match(key.region)) and (key.profile is None or PROFILE.match(key.profile))
    if not named or not _is_endpoint(key.endpoint):
        raise malformed(FORM)
    return key


def _is_endpoint(url: str | None) -> bool:
    if url is None:
        return True
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in url and not parts.query
    except ValueError:
        return False


AWSKMS: Final = KmsService("awskms", FORM, _open_key)
