"""A private key is written once, for its owner alone, and never to a terminal."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from sealift.sealing import KEY_ALGORITHMS, parse_identity, parse_recipient
from tests.unit.command.typed import SEALIFT, environment, is_refused, sealift, succeeds


@pytest.mark.parametrize("algorithm", KEY_ALGORITHMS)
def test_a_pair_in_files_is_private_and_fits_together(tmp_path: Path, algorithm: str) -> None:
    made = succeeds("keygen", "--algorithm", algorithm, "-o", tmp_path / "key.pem", "--json").json

    private, public = tmp_path / "key.pem", tmp_path / "key.pem.pub"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    key_id = parse_identity(private.read_text()).key_id
    assert made["keyId"] == key_id == parse_recipient(public.read_text()).key_id
    assert made["publicKey"] == public.read_text()
    assert "PRIVATE" not in str(made)


@pytest.mark.parametrize("output", [(), ("-o", "-")])
def test_a_pair_in_a_pipe_has_the_private_key_on_standard_output_only(output: tuple[str, ...]) -> None:
    made = succeeds("keygen", *output)

    assert parse_identity(made.output.decode()).key_id == parse_recipient(made.errors).key_id
    assert "PRIVATE" not in made.errors


def test_json_in_a_pipe_has_both_keys() -> None:
    made = succeeds("keygen", "--json").json

    assert parse_identity(made["privateKey"]).key_id == parse_recipient(made["publicKey"]).key_id == made["keyId"]


@pytest.mark.parametrize("there", ["key.pem", "key.pem.pub"])
def test_no_file_is_overwritten(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")

    is_refused(sealift("keygen", "-o", tmp_path / "key.pem"), there, "exists already")

    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"


def test_a_link_to_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "key.pem").symlink_to(tmp_path / "elsewhere")

    is_refused(sealift("keygen", "-o", tmp_path / "key.pem"), "exists already")
    assert not (tmp_path / "elsewhere").exists()


def test_a_terminal_gets_no_private_key() -> None:
    ours, theirs = os.openpty()
    ran = subprocess.run([*SEALIFT, "keygen"], stdout=theirs, stderr=subprocess.PIPE, env=environment(), check=False)
    os.close(theirs)

    assert ran.returncode == 1
    assert b"a private key is not written to a terminal\nhint: give -o FILE" in ran.stderr
    with pytest.raises(OSError, match="Input/output"):  # nothing was written before the other end closed
        os.read(ours, 1)
    os.close(ours)
