"""`python -m tests.fuzzing [--seconds N] [--corpus FOLDER]`: atheris, guided by what of the server each input reaches.

A finding ends it with the input and the traceback. It needs `pip install atheris==3.0.0`, which is not among the
project's packages: it is built for few Pythons.
"""

import argparse
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

atheris: Any = import_module("atheris")  # not installed everywhere, and without types

with atheris.instrument_imports(include=["serving"]):
    import sealift.serving.http.connection
    import sealift.serving.http.service  # noqa: F401 - so that they are instrumented

from tests.fuzzing.requests import SEEDS, check  # noqa: E402 - after what is instrumented


def one_input(data: bytes) -> None:
    """The first bytes say how many cuts there are, and where."""
    provider = atheris.FuzzedDataProvider(data)
    cuts = [provider.ConsumeIntInRange(0, 4096) for _ in range(provider.ConsumeIntInRange(0, 6))]
    check(provider.ConsumeBytes(4096), cuts)


def main() -> None:
    """libFuzzer's exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, help="a folder to keep what was found to reach something new")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus = options.corpus or Path(folder)
        corpus.mkdir(exist_ok=True)
        for number, seed in enumerate(SEEDS):
            (corpus / f"seed-{number}").write_bytes(seed + b"\x00")
        atheris.Setup([sys.argv[0], f"-max_total_time={options.seconds}", "-max_len=4096", str(corpus)], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
