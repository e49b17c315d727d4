"""The way from a URL to a store: the one place that lists the backends."""

import os
from pathlib import Path
from urllib.parse import quote, unquote

from stores.errors import StoreUrlInvalid
from stores.file_store import FileStore
from stores.store import Store


def open_store(url: str) -> Store:
    """The store at `file://` and a path: absolute, `~/…` or relative to the working directory. Touches nothing yet.

    Raises StoreUrlInvalid.
    """
    return FileStore(_folder(url))


def absolute_url(url: str, folder: Path) -> str:
    """The URL of the same store for a process with another working directory. Raises StoreUrlInvalid."""
    path = _path(url)
    if path.is_absolute() or str(path).startswith("~"):
        return url
    return f"file://{quote(os.path.normpath(folder / path))}"


def is_same_store(one: str, other: str) -> bool:
    """Whether two URLs, however spelt and through whatever links, lead to one store. Raises StoreUrlInvalid."""
    return os.path.realpath(_folder(one)) == os.path.realpath(_folder(other))


def _folder(url: str) -> Path:
    try:
        return _path(url).expanduser()
    except RuntimeError:
        raise StoreUrlInvalid(
            f"{url!r} is in the home of a user that is not on this machine", "put an absolute path after file://"
        ) from None


def _path(url: str) -> Path:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme != "file":
        raise StoreUrlInvalid(
            f"{url!r} is not the URL of a store",
            "allowed: file:// and a path, such as file:///var/lib/sealift or file://~/.sealift/store",
        )
    path = unquote(rest)
    if not path or "\0" in path:
        raise StoreUrlInvalid(f"{url!r} names no folder", "put a path after file://, such as file://~/.sealift/store")
    return Path(path)
