"""What goes wrong with an image's build context is said to the user, without a trace."""

from pathlib import Path

import pulumi
import pytest

from components.model_image import write_context
from tests.packages import packages_in


def test_a_folder_that_cannot_be_written_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    wheels = packages_in(tmp_path / "wheels")
    (tmp_path / "file").touch()

    with pytest.raises(
        pulumi.RunError, match=r"(?s)cannot be written below .*: Not a directory\nhint: free some disk space"
    ):
        write_context(tmp_path / "file" / "images", lambda file: file.write(b"sealed"), "base:1", wheels, {})


def test_missing_wheels_are_said_with_the_command_that_collects_them(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match="make setup"):
        write_context(tmp_path / "images", lambda file: file.write(b"sealed"), "base:1", tmp_path, {})
