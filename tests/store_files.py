"""The files of a local store, without its audit log, which nothing deletes."""

from pathlib import Path


def store_files(folder: Path) -> list[Path]:
    """All files in a folder and its subfolders, sorted, except lines of the store's audit log."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.parent.name != "audit")
