"""`python -m benchmarks.sealing`: our sealing and opening beside other programs, `cp` and the processor's own limits.

A random plaintext of 1 GiB is sealed and opened in memory, and from file to file in a temporary folder. All take turns
for a few rounds, and the best round of each counts. Nothing is synced to the disk, as with `cp`. Peers are not
dependencies of ours: Tink for Go and age are built from their Go modules, `pip install --target FOLDER pyrage` and
`PYTHONPATH=FOLDER` add pyrage, and what is not installed is left out. Compare figures of one run only.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.sealing import limits, ours
from benchmarks.sealing.peers import Peer, peers
from benchmarks.sealing.report import AES, COPY, HASHED_AES, OURS, UNDIGESTED, Row, ratios, table
from sealift.sealing.memory import private_memory

MIB: Final = 1 << 20
Measurement = Callable[[], float]
Cell = tuple[str, str, str]
"""A program, its work and its place."""


def main() -> int:
    """Measures and prints. Returns exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sealing", description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="output as one JSON object instead of a table")
    parser.add_argument("--mib", type=int, default=1024, help="size of the plaintext in MiB (default: 1024)")
    parser.add_argument("--rounds", type=int, default=4, help="number of rounds; the best one counts (default: 4)")
    parser.add_argument("--folder", type=Path, help="folder for the files, instead of the temporary one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        others = peers(folder)
        there = [peer for peer in others if not peer.absent]
        rows, range_ratio = measure(folder, there, arguments.mib, arguments.rounds)
    absent = {peer.name: peer.absent for peer in others if peer.absent}
    machine = {
        "processor": processor(),
        "processors": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "mib": arguments.mib,
        "python": platform.python_version(),
        "libraries": {"cryptography": importlib.metadata.version("cryptography")},
        "peers": [peer.name for peer in there],
        "absent": absent,
    }
    found = ratios(rows)
    if arguments.json:
        print(json.dumps({"ratios": found, "rows": rows, "machine": machine, "range_vs_segment": range_ratio}))
        return 0
    print(table(rows, {peer.name: peer.title for peer in others}, absent))
    print(f"\na range of 1 KiB takes {range_ratio:.2f} times as long as decrypting one segment")
    print(", ".join(f"{name} {value:.2f}" for name, value in found.items()))
    return 0


def measure(folder: Path, there: list[Peer], mib: int, rounds: int) -> tuple[list[Row], float]:
    """Returns the rows, and the time of a range of 1 KiB divided by that of one segment."""
    plain = folder / "plain"
    with plain.open("wb") as file:
        for _ in range(mib):
            file.write(os.urandom(MIB))
    best = dict[Cell, float]()
    works = [*in_memory(plain, mib, there), *in_files(folder, plain, there)]
    for turn in range(rounds):
        # Every second round runs backwards: what ran just before affects the memory that the kernel has to find.
        for cell, work in works[:: -1 if turn % 2 else 1]:
            for left in folder.glob("made*"):
                left.unlink()
            best[cell] = min(work(), best.get(cell, float("inf")))
            print(f"round {turn + 1}: {' '.join(cell)}: {mib * MIB / best[cell] / 1e9:.2f} GB/s", file=sys.stderr)
    rows = [
        Row(program=program, work=work, place=place, gb_per_second=round(mib * MIB / seconds / 1e9, 3))
        for (program, work, place), seconds in best.items()
    ]
    segment = min(limits.aes_seconds(100) / 100 for _ in range(rounds))
    return rows, round(in_private_memory(plain, mib).range_seconds() / segment, 2)


def in_memory(plain: Path, mib: int, there: list[Peer]) -> Iterator[tuple[Cell, Measurement]]:
    """Yields each measurement in memory. A limit is measured beside what is compared with it."""
    memory = in_private_memory(plain, mib)
    yield (AES, "limit", "memory"), lambda: limits.aes_seconds(mib)
    yield (UNDIGESTED, "seal", "memory"), memory.seal_undigested
    yield (UNDIGESTED, "open", "memory"), memory.open_undigested
    yield (HASHED_AES, "limit", "memory"), lambda: limits.hashed_aes_seconds(mib)
    yield (OURS, "seal", "memory"), memory.seal
    yield (OURS, "open", "memory"), memory.open
    for peer in there:
        for work in ("seal", "open") if peer.in_memory else ():
            yield (peer.name, work, "memory"), partial(peer.memory_seconds, work, plain)


def in_files(folder: Path, plain: Path, there: list[Peer]) -> Iterator[tuple[Cell, Measurement]]:
    """Yields each measurement with files. Every program first seals the plaintext, for its opening."""
    made = folder / "made"
    digest = ours.seal_file(plain, folder / OURS)
    seals = {UNDIGESTED: ours.seal_file_undigested, OURS: ours.seal_file}
    for work in ("seal", "open"):
        yield (COPY, work, "file"), lambda: limits.copy_seconds(plain, made)
        for program, seal in seals.items():
            if work == "seal":
                yield (program, work, "file"), partial(ours.seconds_of, partial(seal, plain, made))
            else:
                compared = digest if program == OURS else None
                yield (program, work, "file"), partial(ours.open_file, folder / OURS, made, compared)
    yield (OURS, "open", "file to memory"), lambda: ours.open_from_file(folder / OURS, digest)
    for peer in there:
        sealed = folder / peer.name
        peer.file("seal", plain, sealed)
        for work, source in (("seal", plain), ("open", sealed)):
            yield (
                (peer.name, work, "file"),
                partial(peer.file_seconds, work, source, made),
            )


def in_private_memory(plain: Path, mib: int) -> ours.InMemory:
    content = private_memory(mib * MIB)
    with plain.open("rb") as file:
        file.readinto(content)
    return ours.InMemory(content)


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    sys.exit(main())
