"""`python -m benchmarks.training`: our training loop beside a plain PyTorch loop, and Lightning if it is installed.

Steady state: steps per second in the fastest piece of a few seconds. Cold and warm: seconds from a process's start to
its end, with 100 epochs, in the fastest of several processes. A cold process has an empty folder for caches, a warm one
the folder that a process of the same kind has left. Lightning is not a dependency of ours. To measure it, run
`pip install --target FOLDER lightning` and set `PYTHONPATH=FOLDER`.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.training.cases import CASES, Case
from training.recipe.processor import describe_processor

LOOPS: Final = {"plain": "plain PyTorch", "peer_lightning": "Lightning", "ours": "sealift"}
EPOCHS: Final = 100
WARM_UP_EPOCHS: Final = 5
ROOT: Final = Path(__file__).parents[2]

Row = dict[str, str | float]


def main() -> int:
    """Measures and prints. Returns exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="output as one JSON object instead of a table")
    parser.add_argument("--threads", type=int, default=1, help="number of threads in each loop (default: 1)")
    parser.add_argument("--seconds", type=float, default=4.0, help="seconds of steady state for each loop and network")
    parser.add_argument("--rounds", type=int, default=3, help="number of processes of each kind; the fastest counts")
    arguments = parser.parse_args()
    loops = [loop for loop in LOOPS if loop != "peer_lightning" or importlib.util.find_spec("lightning")]
    rows = [row for case in CASES for row in _measured(case, loops, arguments)]
    machine = {
        "processor": describe_processor(gpus=False, bf16=False),
        "processors": os.cpu_count() or 1,
        "threads": arguments.threads,
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in ("torch", "numpy")},
    }
    if arguments.json:
        print(json.dumps({"ratios": ratios(rows), "rows": rows, "machine": machine}))
    else:
        print(table(rows, ratios(rows), lightning="peer_lightning" in loops))
    return 0


def ratios(rows: list[Row]) -> dict[str, float]:
    """Ratios of our loop to the plain one: steps per second in steady state, and the slowest cold run. Above 1, ours is
    faster."""
    of = {(row["case"], row["loop"]): row for row in rows}

    def ratio(case: str, column: str, *, less: bool = False) -> float:
        ours, plain = float(of[case, "ours"][column]), float(of[case, "plain"][column])
        return round(plain / ours if less else ours / plain, 3)

    steady = {f"{case.name}_vs_plain": ratio(case.name, "steps_per_second") for case in CASES}
    return steady | {"cold_worst_vs_plain": min(ratio(case.name, "cold_seconds", less=True) for case in CASES)}


def table(rows: list[Row], ratios: Mapping[str, float], *, lightning: bool) -> str:
    """Returns the results as a Markdown table."""
    titles = {case.name: case.title for case in CASES}
    lines = [
        "| Network | Loop | Steps/s | 100 epochs cold, s | 100 epochs warm, s | Loss afterwards |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {titles[str(row['case'])]} | {LOOPS[str(row['loop'])]} | {row['steps_per_second']:,.0f} | "
            f"{row['cold_seconds']:.2f} | {row['warm_seconds']:.2f} | {row['loss']:.5f} |"
            for row in rows
        ),
        "",
        *([] if lightning else ["Lightning is not installed, so it is not in the table.", ""]),
        ", ".join(f"{name} {value:.2f}" for name, value in ratios.items()),
    ]
    return "\n".join(lines)


def _measured(case: Case, loops: list[str], arguments: argparse.Namespace) -> list[Row]:
    """Returns one row for each loop. The loops take turns, so that other work on the machine affects all of them."""
    found: dict[str, Row] = {loop: {"case": case.name, "loop": loop} for loop in loops}
    for _ in range(arguments.rounds):
        for loop, row in found.items():
            with tempfile.TemporaryDirectory() as caches:
                for kind in ("cold", "warm"):
                    seconds, told = _process(case, loop, arguments.threads, EPOCHS, 0, caches, kind)
                    row[f"{kind}_seconds"] = min(seconds, float(row.get(f"{kind}_seconds", seconds)))
                row["loss"] = told["loss"]
                piece = arguments.seconds / arguments.rounds
                _, told = _process(case, loop, arguments.threads, WARM_UP_EPOCHS, piece, caches, "steady state")
            row["steps_per_second"] = max(told["steps_per_second"], float(row.get("steps_per_second", 0)))
    return list(found.values())


def _process(
    case: Case, loop: str, threads: int, epochs: int, seconds: float, caches: str, kind: str
) -> tuple[float, dict[str, float]]:
    """Runs one process. Returns the seconds from its start to its end, and the object that it printed."""
    command = [sys.executable, "-m", "benchmarks.training.one", loop, case.name, *map(str, (threads, epochs, seconds))]
    environment = os.environ | {"HOME": caches, "XDG_CACHE_HOME": caches, "TMPDIR": caches}
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    took = time.perf_counter() - began
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    figure = f"{told['steps_per_second']:,.0f} steps/s" if seconds else f"{took:.2f} s"
    print(f"{case.title}: {LOOPS[loop]}, {kind}: {figure}", file=sys.stderr, flush=True)
    return took, told


if __name__ == "__main__":
    sys.exit(main())
