"""Opening a store by its URL, and the list of the backends."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from sealift.stores import file_url, object_services
from sealift.stores.errors import StoreUrlInvalid
from sealift.stores.file_url import shown
from sealift.stores.store import Store


class Backend(Protocol):
    """A module that handles one URL scheme. Each function raises StoreUrlInvalid."""

    def open_url(self, url: str, keys: Store | None = None) -> Store:
        """The store at this URL, whose artifacts' own keys are in the store `keys`. Touches nothing yet."""

    def absolute_url(self, url: str, folder: Path) -> str:
        """The URL of the same store for a process with another working directory than `folder`."""

    def place(self, url: str) -> tuple[str, ...]:
        """The store's place, from the outer to the inner: the same for all URLs of one store."""


BACKENDS: Final[Mapping[str, Backend]] = {
    "file": file_url,
    **dict.fromkeys(object_services.SERVICES, object_services),
}
"""Backends by URL scheme."""


def open_store(url: str, keys_url: str | None = None) -> Store:
    """The store at this URL, with the store of its artifacts' own keys at `keys_url`. Touches nothing yet. Raises
    StoreUrlInvalid, also if one store is inside the other.
    """
    if keys_url is None:
        return _backend(url).open_url(url)
    keys = open_store(keys_url)
    if _backend(url) is _backend(keys_url):
        places = zip(_backend(url).place(url), _backend(url).place(keys_url), strict=False)
        if all(one == other for one, other in places):
            raise StoreUrlInvalid(
                f"the store of keys {keys.location} and the store {open_store(url).location} are in one another, so "
                "a copy of the one would hold both",
                "give the keys another bucket or folder, without versioning and backup",
            )
    return _backend(url).open_url(url, keys)


def absolute_url(url: str, folder: Path) -> str:
    """The URL of the same store for a process with another working directory. Raises StoreUrlInvalid."""
    return _backend(url).absolute_url(url, folder)


def is_same_store(one: str, other: str) -> bool:
    """Whether two URLs, whatever their spelling and links, lead to the same store. Raises StoreUrlInvalid."""
    first, second = _backend(one), _backend(other)
    return first is second and first.place(one) == second.place(other)


def _backend(url: str) -> Backend:
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in BACKENDS:
        raise StoreUrlInvalid(
            f"{shown(url)} is not a store's URL",
            "allowed: file:// and a path, such as file:///var/lib/sealift or file://~/.sealift/store; s3://, gs:// or "
            "az://, a bucket and a path, such as s3://my-bucket/models",
        )
    return BACKENDS[scheme]
