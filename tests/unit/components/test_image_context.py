"""The build context: the same bytes, modes and times on every machine, no key or manifest in it, and always whole."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.image_context import context_digest, dockerfile, materialise, source_digest
from sealift.serving import image_layout
from tests.packages import packages_in

PROJECT_ROOT = Path(__file__).resolve().parents[3]
LABELS = {"dev.sealift.artifact-id": "ab" * 16}


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    return packages_in(tmp_path / "wheels")


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def write(contexts: Path, wheels: Path, payload: bytes = b"sealed") -> Path:
    return materialise(
        contexts, write_payload=lambda file: file.write(payload), base_image="base:1", wheels=wheels, labels=LABELS
    )


def files(context: Path) -> set[str]:
    return {str(path.relative_to(context)) for path in context.rglob("*") if path.is_file()}


def test_modes_and_times_are_fixed_whatever_the_umask(tmp_path: Path, wheels: Path, umask: int) -> None:
    context = write(tmp_path / "contexts", wheels)

    for path in (context, *context.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)
        assert path.stat().st_mtime == image_layout.FIXED_TIME


def test_two_places_have_the_same_digest_and_the_same_name(tmp_path: Path, wheels: Path) -> None:
    one = write(tmp_path / "a", wheels)
    other = write(tmp_path / "deeper" / "b", wheels)

    assert context_digest(one) == context_digest(other)
    assert one.name == other.name


def test_a_relative_place_gives_a_relative_context(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    context = write(Path("images"), wheels)

    assert context.parts == ("images", context.name)


def test_it_holds_the_server_the_wheels_and_the_payload_and_neither_manifest_nor_key(
    tmp_path: Path, wheels: Path
) -> None:
    held = files(write(tmp_path / "contexts", wheels))
    assert {
        "Dockerfile",
        "payload",
        "packages.tar",
        "server/sealift/serving/__main__.py",
        "server/sealift/sealing/stream.py",
    } <= held
    assert [
        name for name in held if name.endswith((".pem", ".pyc")) or "manifest.json" in name or "training" in name
    ] == []


def test_its_server_needs_nothing_else_of_ours(tmp_path: Path, wheels: Path) -> None:
    server = write(tmp_path / "contexts", wheels) / "server"
    program = "import sealift.serving.__main__ as program, sealift.serving.server; print(program.__file__)"

    ran = subprocess.run([sys.executable, "-c", program], cwd=server, env={}, capture_output=True, text=True)

    assert (ran.stdout, ran.stderr) == (f"{server}/sealift/serving/__main__.py\n", "")


def test_a_context_that_was_changed_is_written_anew(tmp_path: Path, wheels: Path) -> None:
    context = write(tmp_path / "contexts", wheels)
    (context / "stray").write_text("left over")
    (context / "payload").write_text("changed")

    assert write(tmp_path / "contexts", wheels) == context

    assert "stray" not in files(context)
    assert (context / "payload").read_bytes() == b"sealed"


def test_only_the_payload_differs_between_two_artifacts(tmp_path: Path, wheels: Path) -> None:
    one = write(tmp_path / "contexts", wheels, b"one")
    two = write(tmp_path / "contexts", wheels, b"two")

    assert one != two
    assert {name for name in files(one) if (one / name).read_bytes() != (two / name).read_bytes()} == {"payload"}


def test_the_payload_is_the_last_layer_and_no_step_needs_a_network(tmp_path: Path) -> None:
    recipe = dockerfile("base:1", LABELS)
    steps = [line for line in recipe.splitlines() if line.split(" ")[0] in ("FROM", "COPY", "RUN", "LABEL")]

    assert steps[-1].startswith("COPY payload")
    assert [line for line in steps if line.startswith("RUN")] == []
    assert "USER 65532:65532" in recipe
    assert 'ENTRYPOINT ["python3", "-m", "sealift.serving"]' in recipe


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    recipe = dockerfile("base:1", {"title": 'a" \nRUN evil $HOME'})

    assert [line for line in recipe.splitlines() if line.startswith("RUN evil")] == []
    assert '\\"' in recipe


def test_missing_wheels_are_said_with_the_way_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make setup"):
        materialise(
            tmp_path / "c",
            write_payload=lambda file: file.write(b""),
            base_image="b",
            wheels=tmp_path / "nowhere",
            labels={},
        )


def test_the_source_digest_is_of_names_and_bytes() -> None:
    assert len(source_digest()) == 64
    assert source_digest() == source_digest()


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("sealift/__init__.py", True), ("sealift/serving/http/app.py", True), ("sealift/sealing/stream.py", True),
        ("sealift/serving/protocols/grpc.py", True), ("sealift/contents/onnx_tensors.py", True),
        ("sealift/stores/store.py", False), ("sealift/rooms.py", False), ("components/pod_spec.py", False),
        ("training/errors.py", False), ("sealift/serving/README.md", False),
    ],
)  # fmt: skip
def test_an_edit_makes_another_image_if_and_only_if_the_server_runs_it(tmp_path: Path, file: str, counts: bool) -> None:
    shutil.copytree(PROJECT_ROOT / "sealift", tmp_path / "sealift")
    assert source_digest(tmp_path) == source_digest()

    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    with (tmp_path / file).open("a") as edited:
        edited.write("\n")

    assert (source_digest(tmp_path) != source_digest()) == counts


@pytest.mark.parametrize(
    ("value", "written_as"),
    [
        ("C:\\models\\", "C:\\\\models\\\\"),
        ('ends in \\"', 'ends in \\\\\\"'),
        ("\\n", "\\\\n"),
        ("\\$HOME", "\\\\\\$HOME"),
        ('"', '\\"'),
        ("two\nlines", "two lines"),
    ],
)
def test_a_label_is_written_so_that_docker_reads_the_same_again(value: str, written_as: str) -> None:
    """A backslash is Docker's own escape: unescaped, one at the end would take the closing quotation mark along."""
    assert f'LABEL "title"="{written_as}"\n' in dockerfile("base:1", {"title": value})
    assert f'LABEL "{written_as}"="x"\n' in dockerfile("base:1", {value: "x"})
