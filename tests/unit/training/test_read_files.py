"""What the user's code reads is part of what a run is made from: counted, or said."""

import importlib.machinery
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import PROJECT_ROOT
from training import job as training_job
from training.job import Job

NET = "\nclass Net: ...\n"
EXTENSION = importlib.machinery.EXTENSION_SUFFIXES[0]


def digest(folder: Path) -> str:
    return training_job.code_digest(Job(model="mine:Net"), folder)


def is_counted(folder: Path, code: str, file: str) -> bool:
    """Whether a change of a file alone, with this code, is another run."""
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(b"")
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / "mine.py").write_text(code + NET)
    first = digest(folder)
    (folder / file).write_bytes(b"\n#")
    return digest(folder) != first


@pytest.mark.parametrize(
    ("code", "file"),
    [
        ("open('data/vocab.txt')", "data/vocab.txt"),
        ("open('vocab.txt')", "models/vocab.txt"),
        ("Path(__file__).with_name('vocab.txt')", "models/vocab.txt"),
        ("Path(__file__).parent / 'data' / 'vocab.txt'", "models/data/vocab.txt"),
        ("Path(__file__).parents[1] / 'data/vocab.txt'", "data/vocab.txt"),
        ("HERE / '..' / 'data' / 'vocab.txt'", "data/vocab.txt"),
        ("os.path.join(HERE, 'data', 'vocab.txt')", "models/data/vocab.txt"),
        ("HERE.joinpath('data', 'vocab.txt')", "models/data/vocab.txt"),
        ("def load(path='data/weights.bin'): ...", "data/weights.bin"),
        ("import kernels", f"models/kernels{EXTENSION}"),
        ("import kernels", "kernels.abi3.so"),
        ("import kernels", "models/kernels.pyc"),
        ("from native import kernels", f"native/kernels{EXTENSION}"),
        ("from parts import layer", "parts/layer.py"),
        ("import parts.layer", "parts/layer.py"),
        ("from parts.more.layer import Layer", "models/parts/more/layer.py"),
    ],
)
def test_a_file_that_code_names_is_counted(tmp_path: Path, code: str, file: str) -> None:
    assert is_counted(tmp_path, code, file)


@pytest.mark.parametrize("file", ["data/other.txt", "vocab.txt.old", "models/other.py"])
def test_a_file_that_it_does_not_name_is_not(tmp_path: Path, file: str) -> None:
    assert not is_counted(tmp_path, "open('data/vocab.txt')", file)


@pytest.mark.parametrize("text", ["../outside.txt", "x" * 5000, "a\\0b", ".", "", "models", "\\ud800"])
def test_neither_is_what_lies_outside_or_is_no_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "outside.txt").write_text("x")
    (tmp_path / "program").mkdir()

    assert not is_counted(tmp_path / "program", f"TEXT = '{text}'", "../outside.txt")


def test_compiled_code_comes_before_its_source_as_in_python(tmp_path: Path) -> None:
    (tmp_path / f"kernels{EXTENSION}").write_bytes(b"")

    assert not is_counted(tmp_path, "import kernels", "kernels.py")


def test_a_package_that_is_installed_to_be_edited_is_counted(tmp_path: Path) -> None:
    """A distribution whose record lists a path file, and no module."""
    site, source = tmp_path / "site", tmp_path / "source"
    info = site / "edited-1.0.dist-info"
    info.mkdir(parents=True)
    (source / "edited").mkdir(parents=True)
    (source / "edited" / "__init__.py").write_text(NET)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: edited\nVersion: 1.0\n")
    (info / "top_level.txt").write_text("edited\n")
    (info / "RECORD").write_text("edited-1.0.dist-info/METADATA,sha256=x,1\n__editable__.pth,sha256=x,1\n")
    program = f"""
import sys; sys.path[:0] = [{str(site)!r}, {str(source)!r}, {str(PROJECT_ROOT)!r}]
from training import user_code
print(user_code.digest("edited:Net", ()))
"""

    def found() -> str:
        return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    first = found()
    assert found() == first
    (source / "edited" / "__init__.py").write_text(NET + "x = 1\n")
    assert found() != first


READER = """
import importlib, sys
from pathlib import Path
sys.path.insert(0, {project!r})
from training.job import Job, read_files
from training.uncounted import Reading
folder = Path({folder!r})
job = Job(model="mine:Net", dataset="rows.csv")
reading = Reading(job.roots(folder))
from training import user_code
user_code.load("mine:Net", job.roots(folder))
open(folder / "ours.txt").read()
print(reading.find_uncounted(read_files(job, folder)))
"""


def test_what_code_reads_and_does_not_name_is_said(tmp_path: Path) -> None:
    """A computed path and a computed import; neither what is named, what it writes, nor what others read."""
    (tmp_path / "models").mkdir()
    for name in ("vocab.txt", "named.txt", "ours.txt", "rows.csv"):
        (tmp_path / name).write_text("x")
    (tmp_path / "models" / "late.py").write_text("x = 1\n")
    code = """
import importlib
from pathlib import Path
FOLDER = Path(__file__).parents[1]
(FOLDER / ("vo" + "cab.txt")).read_text()
open("named.txt" and FOLDER / "named.txt").read()
(FOLDER / "rows.csv").read_text()
(FOLDER / "printed.txt").write_text("x")
importlib.import_module("la" + "te")
"""
    (tmp_path / "models" / "mine.py").write_text(code + NET)
    program = READER.format(project=str(PROJECT_ROOT), folder=str(tmp_path))

    ran = subprocess.run([sys.executable, "-"], input=program, capture_output=True, text=True, cwd=tmp_path)

    assert ran.stdout.strip() == "['late.py', 'vocab.txt']", ran.stderr
