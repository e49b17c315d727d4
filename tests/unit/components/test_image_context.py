"""The build context: the same bytes, modes and times on every machine, no key or manifest in it, and whole or old."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.image_context import FIXED_TIME, context_digest, dockerfile, materialise, source_digest

LABELS = {"dev.sealift.artifact-id": "ab" * 16}


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("pip-26.3-py3-none-any.whl", "numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl"):
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def write(context: Path, wheels: Path, payload: bytes = b"sealed") -> None:
    materialise(context, payload=payload, base_image="base:1", wheels=wheels, labels=LABELS)


def files(context: Path) -> set[str]:
    return {str(path.relative_to(context)) for path in context.rglob("*") if path.is_file()}


def test_modes_and_times_are_fixed_whatever_the_umask(tmp_path: Path, wheels: Path, umask: int) -> None:
    context = tmp_path / "context"
    write(context, wheels)

    for path in (context, *context.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)
        assert path.stat().st_mtime == FIXED_TIME


def test_two_places_have_the_same_digest(tmp_path: Path, wheels: Path) -> None:
    write(tmp_path / "a", wheels)
    write(tmp_path / "deeper" / "b", wheels)

    assert context_digest(tmp_path / "a") == context_digest(tmp_path / "deeper" / "b")


def test_it_holds_the_server_the_wheels_and_the_payload_and_neither_manifest_nor_key(
    tmp_path: Path, wheels: Path
) -> None:
    write(tmp_path / "context", wheels)

    held = files(tmp_path / "context")
    assert {
        "Dockerfile",
        "payload",
        "requirements.lock",
        "server/serving/__main__.py",
        "server/sealing/stream.py",
    } <= held
    assert [
        name for name in held if name.endswith((".pem", ".pyc")) or "manifest.json" in name or "training" in name
    ] == []


def test_what_was_there_before_is_gone(tmp_path: Path, wheels: Path) -> None:
    context = tmp_path / "context"
    write(context, wheels)
    (context / "stray").write_text("left over")
    (tmp_path / ".context.0123abcd").mkdir()

    write(context, wheels)

    assert "stray" not in files(context)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_only_the_payload_differs_between_two_artifacts(tmp_path: Path, wheels: Path) -> None:
    write(tmp_path / "a", wheels, b"one")
    write(tmp_path / "b", wheels, b"two")

    differing = {
        name for name in files(tmp_path / "a")
        if (tmp_path / "a" / name).read_bytes() != (tmp_path / "b" / name).read_bytes()
    }  # fmt: skip
    assert differing == {"payload"}


def test_the_payload_is_the_last_layer_and_no_step_needs_a_network(tmp_path: Path) -> None:
    recipe = dockerfile("base:1", LABELS)
    steps = [line for line in recipe.splitlines() if line.split(" ")[0] in ("FROM", "COPY", "RUN", "LABEL")]

    assert steps[-1].startswith("COPY payload")
    assert "--no-index" in recipe
    assert "--require-hashes" in recipe
    assert "USER 65532:65532" in recipe


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    recipe = dockerfile("base:1", {"title": 'a" \nRUN evil $HOME'})

    assert [line for line in recipe.splitlines() if line.startswith("RUN evil")] == []
    assert '\\"' in recipe


def test_missing_wheels_are_said_with_the_way_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make setup"):
        materialise(tmp_path / "c", payload=b"", base_image="b", wheels=tmp_path / "nowhere", labels={})


def test_the_source_digest_is_of_names_and_bytes() -> None:
    assert len(source_digest()) == 64
    assert source_digest() == source_digest()
