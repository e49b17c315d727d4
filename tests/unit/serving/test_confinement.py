"""What the server can no longer open: tried in processes of their own, since it is for good."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[3]
TRY = """if True:
    import sys
    from pathlib import Path
    from sealift.serving import confinement

    key, watched, files = Path(sys.argv[1]), [Path(path) for path in sys.argv[2].split()], sys.argv[3:]
    print(confinement.hide(key, watched))
    for file in files:
        try:
            print(Path(file).read_text())
        except OSError as error:
            print(type(error).__name__)
    print(open("/proc/self/status").read()[:4])
"""


def tried(key: Path, *files: Path, watched: tuple[Path, ...] = ()) -> list[str]:
    words = [str(key), " ".join(map(str, watched)), *map(str, files)]
    ran = subprocess.run(
        [sys.executable, "-c", TRY, *words], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    return ran.stdout.splitlines()[:-1]


@pytest.fixture(autouse=True)
def _landlock() -> None:
    program = "import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))"
    version = int(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)
    if version < 1:
        pytest.skip("this kernel has no Landlock")


def test_the_key_cannot_be_read_again_and_everything_else_can(tmp_path: Path) -> None:
    key, beside = tmp_path / "key" / "private.pem", tmp_path / "tls" / "tls.crt"
    for path in (key, beside):
        path.parent.mkdir()
        path.write_text(path.name)

    assert tried(key, key, beside) == ["True", "PermissionError", "tls.crt"]


def test_a_mounted_secret_is_found_behind_its_links(tmp_path: Path) -> None:
    """As the kubelet writes one: private.pem → ..data/private.pem, ..data → ..2026_11_30."""
    folder, access = tmp_path / "key", tmp_path / "access"
    for mounted in (folder, access):
        (mounted / "..2026_11_30").mkdir(parents=True)
        (mounted / "..2026_11_30" / "file").write_text(mounted.name)
        (mounted / "..data").symlink_to("..2026_11_30")
        (mounted / "file").symlink_to("..data/file")

    paths = folder / "file", folder / "..data" / "file", folder / "..2026_11_30" / "file", access / "file"
    assert tried(folder / "file", *paths, watched=(access / "file",)) == [
        "True", "PermissionError", "PermissionError", "PermissionError", "access",
    ]  # fmt: skip


def test_a_file_that_is_replaced_beside_the_key_stays_readable_and_so_does_the_key(tmp_path: Path) -> None:
    key, access = tmp_path / "private.pem", tmp_path / "access.json"
    for path in (key, access):
        path.write_text(path.name)

    assert tried(key, key, access, watched=(access,)) == ["False", "private.pem", "access.json"]


def test_a_key_that_has_another_name_is_not_said_to_be_hidden(tmp_path: Path) -> None:
    key, other = tmp_path / "key" / "private.pem", tmp_path / "other.pem"
    key.parent.mkdir()
    key.write_text("key")
    other.hardlink_to(key)

    assert tried(key, other) == ["False", "key"]


def test_a_link_to_a_file_beside_the_key_is_judged_by_where_it_leads(tmp_path: Path) -> None:
    key, access = tmp_path / "private.pem", tmp_path / "folder" / "access.json"
    access.parent.mkdir()
    for path in (key, tmp_path / "access.json"):
        path.write_text(path.name)
    access.symlink_to(tmp_path / "access.json")

    assert tried(key, access, watched=(access,)) == ["False", "access.json"]


def test_a_key_that_is_not_there_hides_nothing(tmp_path: Path) -> None:
    assert tried(tmp_path / "none", PROJECT_ROOT / "sealift" / "serving" / "version.py")[0] == "False"


def test_the_server_s_folder_is_empty_and_gone() -> None:
    program = "import os; from sealift.serving.confinement import leave_folder; leave_folder(); print(os.listdir('.'))"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program], env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}, cwd=PROJECT_ROOT,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout == "[]\n"
