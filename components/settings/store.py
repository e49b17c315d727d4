"""Settings of an EncryptedArtifactStore: its URL, its retention and its recipients."""

from dataclasses import dataclass
from typing import Final

from components.settings.signers import SIGNING_KEY
from sealift.sealing import KMS_ADDRESS_FORM, SealingError, is_in_kms, parse_identity, parse_recipient, recipient_forms
from sealift.settings import Kind, Problem, Refused, RefusedInside, kinds, setting
from sealift.stores import StoreError, open_store

RECIPIENT_LIST: Final = f"a list, each {recipient_forms()}"
KEYS_URL_TEXT: Final = (
    "URL of a second store, for a key-encryption key of each new artifact. `sealift erase` destroys that key, so that "
    "no copy of the artifact opens any more, backups included. Use a bucket of its own, without versioning, "
    "replication and backup. A change applies to new artifacts."
)
RETENTION: Final = kinds.one_of("keep", "delete")
RETAIN_COUNT: Final = kinds.whole_number(0, 1000)
RETAIN_DAYS: Final = kinds.number_from(0, "days")
RETAIN_COUNT_TEXT: Final = (
    "Number of replaced artifacts that stay with `retention: delete`, the newest first, for a return to earlier "
    "settings without training. An artifact goes once it is neither among them nor younger than `retainDays`. The "
    "current artifact is never counted and never deleted."
)
RETAIN_DAYS_TEXT: Final = (
    "Days that a replaced artifact stays at least with `retention: delete`, whatever `retainCount` is. Each "
    "`pulumi up` that replaces an artifact or changes these settings deletes what goes, and `pulumi destroy` the rest."
)


def _url(value: object) -> str:
    if not isinstance(value, str):
        raise Refused("allowed: a URL, such as 'file://~/.sealift/store'")
    try:
        open_store(value)
    except StoreError as error:
        raise RefusedInside(Problem("", f"is {value!r}; {error.message}; {error.hint}")) from None
    return value


def _public_keys(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise Refused(f"allowed: {RECIPIENT_LIST}")
    problems = []
    for index, key in enumerate(value):
        try:
            parse_recipient(str(key))
        except SealingError as error:
            problems.append(Problem(f"[{index}]", f"is {str(key)[:40]!r}: {error.message}; {error.hint}"))
    if problems:
        raise RefusedInside(*problems)
    return tuple(map(str, value))


def _kms_key(value: object) -> str:
    if not isinstance(value, str) or not is_in_kms(value):  # not quoted: it may be a private key
        raise RefusedInside(Problem("", f"is not an address; allowed: {KMS_ADDRESS_FORM}"))
    try:
        parse_identity(value)
    except SealingError as error:
        raise RefusedInside(Problem("", f"is not usable: {error.message}; {error.hint}")) from None
    return value


STORE_URL: Final = Kind("string", "`file://` and a path: absolute, `~/…` or relative to the project's folder", _url)
PUBLIC_KEYS: Final = Kind("array", RECIPIENT_LIST, _public_keys, "string")
KMS_KEY: Final = Kind("string", KMS_ADDRESS_FORM, _kms_key)


@dataclass(frozen=True)
class StoreSettings:
    """Store of sealed artifacts, and the keys that open them. Changing the keys trains and builds nothing again."""

    url: str = setting(STORE_URL, "file://~/.sealift/store", "URL of the store for sealed artifacts.")
    keys_url: str | None = setting(STORE_URL, None, KEYS_URL_TEXT)
    retention: str = setting(RETENTION, "keep", "Retention of an artifact whose run is deleted or replaced.")
    retain_count: int | None = setting(RETAIN_COUNT, None, RETAIN_COUNT_TEXT)
    retain_days: float | None = setting(RETAIN_DAYS, None, RETAIN_DAYS_TEXT)
    key: str | None = setting(
        KMS_KEY,
        None,
        "Private key in a key management service (KMS), instead of a key pair that the stack makes and keeps. The "
        "stack's state then holds no private key. The newest version of the key is used until `rotation` changes.",
    )
    rotation: str = setting(
        kinds.any_text,
        "",
        "Name of the key pair's current version, such as a date. Changing it makes a new key pair and wraps the "
        "artifacts' keys for it. Nothing is trained or built again.",
    )
    reseal: str | None = setting(
        kinds.any_text,
        None,
        "Name of the artifacts' current data keys, such as a date. After a compromise, changing it seals the models "
        "again under new data keys and deletes the old artifacts, also those that `retention` or `retainCount` would "
        "keep. Image and pods follow, and nothing is trained.",
    )
    signing_key: str | None = setting(
        SIGNING_KEY,
        None,
        "Private key that signs the run's artifact, such as from `sealift keygen --signing`. If not set, nothing is "
        "signed.",
        secret=True,
    )
    recipients: tuple[str, ...] = setting(
        PUBLIC_KEYS,
        (),
        "Additional public keys whose owners can open the artifacts too, such as a recovery key that outlives the "
        "stack. Make its private key with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096`.",
    )
