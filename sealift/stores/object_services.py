"""URLs of object storage for stores.open, and the list of the services.

Each service is one module with its vendor's library, which is imported when a store is first used.
"""

import importlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from sealift.stores.bucket import Bucket
from sealift.stores.errors import StoreUnwritable
from sealift.stores.object_store import ObjectStore
from sealift.stores.object_url import ObjectUrl, parse_object_url
from sealift.stores.store import Store

SERVICES: Final[Mapping[str, str]] = {
    "s3": "sealift.stores.s3_bucket",
    "az": "sealift.stores.az_bucket",
    "gs": "sealift.stores.gs_bucket",
}
"""Modules of the services, each with a function `connect`, by URL scheme."""


@lru_cache
def connect(url: ObjectUrl) -> Bucket:
    """The bucket at this URL, one per process. Raises StoreUnwritable if the service's library is not installed."""
    try:
        module = importlib.import_module(SERVICES[url.scheme])
    except ModuleNotFoundError as error:
        raise StoreUnwritable(
            f"{url.scheme}:// needs another package: {error.name} is not installed",
            f'pip install "sealift[{url.scheme}]"',
        ) from error
    bucket: Bucket = module.connect(url)
    return bucket


def open_url(url: str, keys: Store | None = None) -> Store:
    """See stores.open."""
    return ObjectStore(parse_object_url(url), connect, keys)


def absolute_url(url: str, folder: Path) -> str:
    """See stores.open. The URL is the same everywhere."""
    parse_object_url(url)
    return url


def place(url: str) -> tuple[str, ...]:
    """See stores.open. A region or a profile does not change where a bucket is."""
    parsed = parse_object_url(url)
    where = parsed.option("endpoint") or parsed.option("account") or ""
    return (where, f"{parsed.scheme}://{parsed.bucket}", *filter(None, parsed.prefix.split("/")))
