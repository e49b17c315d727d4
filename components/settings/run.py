"""Settings of a TrainingRun: those of its job, its time limit, its visibility and its store."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Final

from components.settings.store import (
    KEYS_URL_TEXT,
    PUBLIC_KEYS,
    RETAIN_COUNT,
    RETAIN_COUNT_TEXT,
    RETAIN_DAYS,
    RETAIN_DAYS_TEXT,
    RETENTION,
    STORE_URL,
)
from sealift.sealing import identity_forms, recipient_forms
from sealift.settings import Clash, Kind, Problem, Refused, RefusedInside, kinds, setting
from sealift.settings.declare import declarations
from sealift.settings.urls import has_credentials, is_url
from training.job import Job

STORE_KEY_BYTES: Final = 32


def _recipients(value: object) -> tuple[str, ...]:
    keys = PUBLIC_KEYS.accept(value)
    if not keys:
        raise RefusedInside(Problem("", f"must be a list of at least one recipient, {recipient_forms()}"))
    return keys


def store_key_of(value: object) -> bytes | None:
    """Decodes a store key from base64. Returns None if the text is not 32 bytes in base64."""
    try:
        key = base64.b64decode(str(value), validate=True)
    except ValueError:
        return None
    return key if len(key) == STORE_KEY_BYTES else None


def _store_key(value: object) -> str:
    if not isinstance(value, str) or store_key_of(value) is None:
        raise RefusedInside(Problem("", "must be 32 bytes in base64, such as SealingKey's output storeKey"))
    return value


def _opening_keys(value: object) -> tuple[str, ...]:
    """Does not parse the keys: parsing one takes a quarter of a second, and keys from a state were checked before."""
    if not isinstance(value, list | tuple):
        raise Refused(f"allowed: a list, each {identity_forms()}")
    return tuple(map(str, value))


RECIPIENTS: Final = Kind("array", PUBLIC_KEYS.allowed, _recipients, "string")
STORE_KEY: Final = Kind("string", "32 bytes in base64", _store_key)
OPENING_KEYS: Final = Kind("array", f"a list, each {identity_forms()}", _opening_keys, "string")


@dataclass(frozen=True)
class TrainingSettings(Job):
    """Settings of training: the data, the network and how it is trained. Changing a setting retrains the model, with
    two exceptions. Changing `gates`, `modelCard`, `modelPath`, or the limits of data quality (`maximumMissing`,
    `minimumClassShare`, `allow`) checks the sealed model again and writes a new report. Changing `timeoutSeconds`,
    `checkpointSeconds` or `exposeMetrics` does neither.
    """

    timeout_seconds: float = setting(
        kinds.number_from(0, "seconds", ", where 0 means no limit"),
        0,
        "Time limit of training, in seconds. Training that exceeds it is cancelled and keeps its checkpoint.",
    )
    checkpoint_seconds: float = setting(
        kinds.number_from(0, "seconds"), 30, "Time between two checkpoints, in seconds."
    )
    expose_metrics: bool = setting(
        kinds.boolean,
        False,
        "Whether the metrics on held-out rows are shown in plain text. Anyone who sees them can identify the model.",
    )
    retrain_trigger: str = setting(
        kinds.any_text, "", "Text such as a date. Changing it trains and seals the model again."
    )

    @property
    def job(self) -> Job:
        """The settings that change the model."""
        return Job(**{field.name: getattr(self, field.name) for field in fields(Job)})


@dataclass(frozen=True)
class TrainingRunInputs(TrainingSettings):
    """Inputs of a TrainingRun: its settings, and the URL and keys of its store."""

    store_url: str = setting(
        STORE_URL, "", "URL of the store for the artifact. Changing it replaces the run.", required=True
    )
    keys_url: str | None = setting(STORE_URL, None, KEYS_URL_TEXT)
    store_key: str = setting(
        STORE_KEY,
        "",
        "Store key. The keys that encrypt checkpoints and run results are derived from it.",
        secret=True,
        required=True,
    )
    recipients: tuple[str, ...] = setting(
        RECIPIENTS,
        (),
        "Recipients of the artifact: at least one public key. Owners of their private keys can open it.",
        required=True,
    )
    reseal: str | None = setting(
        kinds.any_text,
        None,
        "Name of the artifact's current data key, such as a date. After a compromise, changing it seals the model "
        "again under a new data key and deletes the old artifact, and earlier ones that `retainCount` or `retainDays` "
        "would keep. Nothing is trained.",
    )
    retention: str = setting(RETENTION, "keep", "Retention of the artifact when its run is deleted or replaced.")
    retain_count: int | None = setting(RETAIN_COUNT, None, RETAIN_COUNT_TEXT)
    retain_days: float | None = setting(RETAIN_DAYS, None, RETAIN_DAYS_TEXT)
    private_key: str | None = setting(
        kinds.text,
        None,
        "Private key that opens the artifact named in `initFrom`. Needed only if `initFrom` sets `artifactId`.",
        secret=True,
    )
    opening_keys: tuple[str, ...] = setting(
        OPENING_KEYS,
        (),
        "Opening keys of the artifact, which stay in the plugin. With them, a change of recipients only wraps the "
        "artifact's key again. If not set, it trains and seals the model again.",
        secret=True,
    )


    def clashes(self) -> Iterator[Clash]:
        """See sealift.settings. A pod gets signed URLs, which only S3 has."""
        yield from super().clashes()
        if self.compute.kind == "job" and self.store_url and not self.store_url.startswith("s3://"):
            shown = kinds.show_value(self.store_url)
            message = f"is 'job', and the store's URL is {shown}; pods need a store in S3, such as s3://my-bucket/models"
            yield Clash("compute.kind", message, ("compute", "storeUrl"))


URL_INPUTS: Final = ("dataset", "model", "initFrom")
"""Inputs that may be secrets, because a URL may contain one. Messages and reports show only the URL's place."""
SECRET_INPUTS: Final = tuple(one.name for one in declarations(TrainingRunInputs) if one.secret)


def holds_url(value: object) -> bool:
    """Whether `value` of one of URL_INPUTS is a URL, or an object whose path is a URL."""
    path = value.get("path") if isinstance(value, Mapping) else value
    return isinstance(path, str) and is_url(path)


def holds_credentials(value: object) -> bool:
    """Whether `value` is such a URL with a part that may be a secret."""
    return holds_url(value) and has_credentials(str(value.get("path") if isinstance(value, Mapping) else value))
