"""`python -m tests.fuzzing [TARGET] [--seconds N] [--corpus FOLDER]`: atheris, guided by what each input reaches.

A finding ends it with the input and the traceback. It needs `pip install atheris==3.0.0`, which is not among the
project's packages: it is built for few Pythons and processors.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

atheris: Any = import_module("atheris")  # not installed everywhere, and without types

PACKAGES = ("sealift.serving.http", "sealift.sealing", "training.checkpoint")
"""Packages whose code guides the search."""
MOST_BYTES = 4096
LARGEST_PIECE_MB = 512
"""One allocation of more is a finding. libFuzzer's limit on the whole process is off: it takes the largest memory that
the process ever had, and a child begins with that of its parent, which for a program of tests is gigabytes."""
TARGETS = ("requests", "manifest", "payload", "record")


def find_target(name: str) -> tuple[Callable[[bytes], None], Sequence[bytes]]:
    """Returns the target's function for one input, and its seeds."""
    with atheris.instrument_imports(include=PACKAGES):
        from tests.fuzzing import artifacts, requests
    if name != "requests":
        return artifacts.CHECKS[name], [make() for make in artifacts.SEEDS[name]]

    def one_request(data: bytes) -> None:
        """The first bytes say how many cuts there are, and where."""
        provider = atheris.FuzzedDataProvider(data)
        cuts = [provider.ConsumeIntInRange(0, MOST_BYTES) for _ in range(provider.ConsumeIntInRange(0, 6))]
        requests.check(provider.ConsumeBytes(MOST_BYTES), cuts)

    return one_request, [seed + b"\x00" for seed in requests.SEEDS]


def main() -> None:
    """libFuzzer's exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__.splitlines()[0])
    parser.add_argument("target", nargs="?", choices=TARGETS, default=TARGETS[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, help="a folder to keep what was found to reach something new")
    options = parser.parse_args()
    one_input, seeds = find_target(options.target)
    with tempfile.TemporaryDirectory() as folder:
        corpus = options.corpus or Path(folder)
        corpus.mkdir(exist_ok=True)
        for number, seed in enumerate(seeds):
            (corpus / f"seed-{number}").write_bytes(seed)
        limits = ["-rss_limit_mb=0", f"-malloc_limit_mb={LARGEST_PIECE_MB}", f"-max_len={MOST_BYTES}"]
        artifacts = f"-artifact_prefix={folder}/"
        atheris.Setup([sys.argv[0], f"-max_total_time={options.seconds}", *limits, artifacts, str(corpus)], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
