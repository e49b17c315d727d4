"""Other servers of the same model, with their packages and where these are installed. They are not dependencies.

Each is one process with one thread of ONNX Runtime, like our server, and otherwise as its makers recommend for
production. `programs/` has one file for each.
"""

import importlib.metadata
import importlib.util
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.serving.server import ROOT, Program

PROGRAMS: Final = "benchmarks.serving.programs"


@dataclass(frozen=True)
class Peer:
    """One server. `name` is the name of its file in `programs/`."""

    name: str
    title: str
    packages: tuple[str, ...]
    """Packages besides ONNX Runtime, which has our version."""

    def python(self, folder: Path | None) -> Path | None:
        """The interpreter with its packages: from the folder of the peers, or ours if that has them all."""
        installed = folder / self.name / "bin" / "python" if folder else None
        if installed and installed.exists():
            return installed
        ours = self is RAW_ASGI and all(map(importlib.util.find_spec, ("uvicorn", "uvloop", "httptools", "msgspec")))
        return Path(sys.executable) if ours else None

    def program(self, python: Path, model: Path) -> Program:
        """Returns the program that serves a model in ONNX's format."""
        # The interpreter's own packages come first. Our root is only on the path for the package `benchmarks`.
        return Program((str(python), "-m", f"{PROGRAMS}.{self.name}", str(model)), {"PYTHONPATH": str(ROOT)})


RAW_ASGI: Final = Peer(
    "raw_asgi",
    "bare ASGI function, uvicorn",
    ("uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0", "msgspec==0.22.0"),
)
PEERS: Final = (
    RAW_ASGI,
    Peer("peer_fastapi", "FastAPI", ("fastapi==0.165.0", "uvicorn[standard]==0.54.0")),
    Peer("peer_mlserver", "MLServer", ("mlserver==1.7.1",)),
    Peer("peer_litserve", "LitServe", ("litserve==0.2.19",)),
    Peer("peer_bentoml", "BentoML", ("bentoml==1.4.40",)),
)


def install(folder: Path) -> None:
    """Makes a virtual environment for each peer, from the package index."""
    runtime = f"onnxruntime=={importlib.metadata.version('onnxruntime')}"
    for peer in PEERS:
        venv.create(folder / peer.name, with_pip=True)
        python = folder / peer.name / "bin" / "python"
        print(f"{peer.title}: {' '.join(peer.packages)}", file=sys.stderr, flush=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", runtime, *peer.packages], check=True)
