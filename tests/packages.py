"""A folder of what set-up collects for images, for tests that build none."""

from pathlib import Path

from sealift.serving import image_layout


def packages_in(folder: Path) -> Path:
    """The folder, new and with an archive that nobody opens."""
    folder.mkdir()
    (folder / image_layout.PACKAGES_FILE).write_bytes(b"an archive, which nobody opens here")
    return folder
