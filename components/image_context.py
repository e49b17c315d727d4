"""The build context of a model image, written so that the same inputs give the same bytes on every machine.

Hermetic: wheels come from a folder that was collected by hash, and the build needs no network. Layers go from what
changes least to what changes most: base → dependencies → server → sealed payload. Neither the manifest nor a key is
ever in it. File modes and times are fixed, because the Docker plugin's digest, and the layers' own, cover them. No
Pulumi, no Docker: files and text only.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).resolve().parents[1]
ROOMS: Final = ("sealing", "serving")
LOCK: Final = Path("serving/requirements.lock")
FILE_MODE: Final = 0o644
FOLDER_MODE: Final = 0o755
FIXED_TIME: Final = 1_577_836_800  # 2020-01-01, since zip files cannot say earlier than 1980
USER: Final = 65532
PORT: Final = 8080

# What no server reads: tests, headers, and onnxruntime's converters and second copy of its native library.
PRUNED: Final = (
    "numpy/_core/include", "numpy/_core/tests", "numpy/f2py", "numpy/lib/tests", "numpy/ma/tests", "numpy/linalg/tests",
    "numpy/random/tests", "numpy/fft/tests", "numpy/polynomial/tests", "numpy/matrixlib/tests", "numpy/testing/tests",
    "numpy/typing/tests", "numpy/tests", "onnxruntime/tools", "onnxruntime/transformers", "onnxruntime/quantization",
    "onnxruntime/datasets", "onnxruntime/capi/libonnxruntime.so*", "pip", "pip-*.dist-info", "bin",
)  # fmt: skip


def dockerfile(base_image: str, labels: Mapping[str, str]) -> str:
    """The recipe. Both stages start from the same base, so that compiled wheels fit; labels come last and make no
    layer.
    """
    pruned = " ".join(f"/site/{path}" for path in PRUNED)
    label_lines = "".join(f'LABEL "{_quoted(name)}"="{_quoted(value)}"\n' for name, value in sorted(labels.items()))
    return f"""\
FROM {base_image} AS dependencies
COPY wheels /wheels
COPY requirements.lock /requirements.lock
RUN PYTHONPATH=$(echo /wheels/pip-*.whl) python3 -m pip install --no-index --find-links=/wheels --require-hashes \\
    --no-deps --no-compile --no-cache-dir --disable-pip-version-check --root-user-action=ignore \\
    --target=/site --requirement=/requirements.lock \\
 && rm -rf {pruned} \\
 && find /site -name __pycache__ -prune -exec rm -rf {{}} +

FROM {base_image}
COPY --from=dependencies /site /opt/sealift/site
COPY server /opt/sealift
ENV PYTHONPATH=/opt/sealift:/opt/sealift/site PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 ORT_DISABLE_TELEMETRY=1
USER {USER}:{USER}
EXPOSE {PORT}
ENTRYPOINT ["python3", "-m", "serving"]
{label_lines}COPY payload /opt/sealift/payload
"""


def materialise(
    context: Path, *, payload: bytes, base_image: str, wheels: Path, labels: Mapping[str, str], sources: Path = SOURCES
) -> None:
    """Writes the context to the folder `context`, replacing whatever was there; a kill in between leaves the old or
    the new one.

    Raises FileNotFoundError, which says what to do, when the wheels have not been collected.
    """
    if not any(wheels.glob("pip-*.whl")):
        raise FileNotFoundError(
            f"no wheels for the image in {wheels}; `make setup` collects them and sets SEALIFT_WHEELS"
        )
    all_labels = {**labels, "dev.sealift.source-digest": source_digest(sources)}
    files = {Path("Dockerfile"): dockerfile(base_image, all_labels).encode()}
    files[Path("requirements.lock")] = (sources / LOCK).read_bytes()
    files[Path("payload")] = payload
    files |= {Path("server") / name: content for name, content in _server_files(sources).items()}
    context.parent.mkdir(parents=True, exist_ok=True)
    new = context.with_name(f".{context.name}.{secrets.token_hex(4)}")
    try:
        for name, content in files.items():
            _write(new / name, content)
        for wheel in sorted(wheels.glob("*.whl")):
            _write(new / "wheels" / wheel.name, wheel.read_bytes())
        _fix_modes_and_times(new)
        shutil.rmtree(context, ignore_errors=True)
        new.rename(context)
    finally:
        for stale in context.parent.glob(f".{context.name}.*"):
            shutil.rmtree(stale, ignore_errors=True)


def source_digest(sources: Path = SOURCES) -> str:
    """Hex SHA-256 over the names and bytes of the server's code."""
    return _digest(_server_files(sources))


def context_digest(context: Path) -> str:
    """Hex SHA-256 over names, modes and bytes of all files of a context."""
    files = {
        path.relative_to(context): oct(path.stat().st_mode).encode() + path.read_bytes()
        for path in context.rglob("*")
        if path.is_file()
    }
    return _digest(files)


def _server_files(sources: Path) -> dict[Path, bytes]:
    return {path.relative_to(sources): path.read_bytes() for room in ROOMS for path in (sources / room).glob("*.py")}


def _digest(files: Mapping[Path, bytes]) -> str:
    whole = hashlib.sha256()
    for name in sorted(files):
        content = files[name]
        whole.update(f"{name.as_posix()}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _fix_modes_and_times(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
        os.utime(path, (FIXED_TIME, FIXED_TIME))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", " ")
