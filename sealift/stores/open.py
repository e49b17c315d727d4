"""The way from a URL to a store: the one place that lists the backends."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from sealift.stores import file_url
from sealift.stores.errors import StoreUrlInvalid
from sealift.stores.store import Store


class Backend(Protocol):
    """One scheme's URLs, as a module has it. Each function raises StoreUrlInvalid."""

    def open_url(self, url: str) -> Store:
        """The store there. Touches nothing yet."""

    def absolute_url(self, url: str, folder: Path) -> str:
        """The URL of the same store for a process with another working directory than `folder`."""

    def place(self, url: str) -> str:
        """The same for all spellings that lead to one store, and for no other store."""


BACKENDS: Final[Mapping[str, Backend]] = {"file": file_url}
"""By their URLs' scheme."""


def open_store(url: str) -> Store:
    """The store at this URL. Touches nothing yet. Raises StoreUrlInvalid."""
    return _backend(url).open_url(url)


def absolute_url(url: str, folder: Path) -> str:
    """The URL of the same store for a process with another working directory. Raises StoreUrlInvalid."""
    return _backend(url).absolute_url(url, folder)


def is_same_store(one: str, other: str) -> bool:
    """Whether two URLs, however spelt and through whatever links, lead to one store. Raises StoreUrlInvalid."""
    first, second = _backend(one), _backend(other)
    return first is second and first.place(one) == second.place(other)


def _backend(url: str) -> Backend:
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in BACKENDS:
        raise StoreUrlInvalid(
            f"{url!r} is not the URL of a store",
            "allowed: file:// and a path, such as file:///var/lib/sealift or file://~/.sealift/store",
        )
    return BACKENDS[scheme]
