"""A file is written whole or not at all; what is peculiar to a store's files is tested with the store."""

from pathlib import Path

import pytest

from sealift.durable.new_file import write_file


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755])
def test_a_file_is_replaced_with_exactly_its_mode_and_nothing_beside_it(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")

    write_file(path, b"after", mode)

    assert path.read_bytes() == b"after"
    assert path.stat().st_mode & 0o777 == mode
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_at_the_name_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other's")
    (tmp_path / "file").symlink_to(tmp_path / "other")

    write_file(tmp_path / "file", b"content")

    assert (tmp_path / "other").read_bytes() == b"other's"
    assert not (tmp_path / "file").is_symlink()
