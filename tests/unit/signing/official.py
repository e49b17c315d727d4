"""The official program of OpenSSF's model-signing, as an oracle: it signs, and it checks what we signed."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

needs_official = pytest.mark.skipif(
    importlib.util.find_spec("model_signing") is None,
    reason="needs the package model-signing, which `make setup` installs",
)


def model_signing(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def official_verify(model: Path, signature: Path, public_key: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return model_signing("verify", "key", model, "--signature", signature, "--public_key", public_key, *options)
