"""What tests of the local store do on a file system with O_TMPFILE, and on one without."""

from pathlib import Path

from sealift.stores import RECORDS, Store, version_of

NAMED_FILES_ONLY = """
import errno, os
real_open = os.open
def open_named(path, flags, *arguments, **options):
    if flags & os.O_TMPFILE == os.O_TMPFILE:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    return real_open(path, flags, *arguments, **options)
os.open = open_named
"""


def overwrite(store: Store, name: str, record: bytes) -> None:
    store.swap(RECORDS, name, record, version_of(store, RECORDS, name))


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
