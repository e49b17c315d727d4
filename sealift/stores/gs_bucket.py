"""Buckets of Google Cloud Storage, through its own library.

Credentials are Google's application default ones: GOOGLE_APPLICATION_CREDENTIALS, `gcloud auth application-default
login`, workload identity. A version is the object's generation. A large object is one resumable upload, which Google
removes after a week if it stays unfinished. Source: "Request preconditions" in Google's documentation.
"""

from typing import Final, TypeVar

from google.cloud.storage.retry import DEFAULT_RETRY

R = TypeVar("R")

MARK: Final = "sealift-write"
CHUNK_BYTES: Final = 8 << 20
RETRY: Final = DEFAULT_RETRY.with_timeout(60)
TIMEOUT_SECONDS: Final = (10, 60)
