"""URLs of local stores: `file://` and a path, which is absolute, `~/…` or relative."""

import os
from pathlib import Path
from urllib.parse import quote, unquote

from sealift.stores.errors import StoreUrlInvalid
from sealift.stores.file_store import FileStore
from sealift.stores.store import Store


def open_url(url: str, keys: Store | None = None) -> Store:
    """See stores.open. Relative paths begin in the working directory."""
    return FileStore(_folder(url), keys)


def absolute_url(url: str, folder: Path) -> str:
    """See stores.open."""
    path = _path(url)
    if path.is_absolute() or str(path).startswith("~"):
        return url
    return f"file://{quote(os.path.normpath(folder / path))}"


def place(url: str) -> tuple[str, ...]:
    """See stores.open. Resolves all links."""
    return Path(os.path.realpath(_folder(url))).parts


def _folder(url: str) -> Path:
    try:
        return _path(url).expanduser()
    except RuntimeError:
        raise StoreUrlInvalid(
            f"{shown(url)} is in the home of a user that does not exist on this machine",
            "put an absolute path after file://",
        ) from None


def _path(url: str) -> Path:
    path = unquote(url.partition("://")[2])
    if not path or "\0" in path:
        raise StoreUrlInvalid(
            f"{shown(url)} does not name a folder", "put a path after file://, such as file://~/.sealift/store"
        )
    return Path(path)


def shown(url: str) -> str:
    """The text of a wrong URL, for messages. What may hold a password or a token is not shown."""
    return "the text" if any(sign in url for sign in "@?#") else repr(url[:200])
