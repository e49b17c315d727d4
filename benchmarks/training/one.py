"""`python -m benchmarks.training.one LOOP CASE THREADS EPOCHS SECONDS`: one loop in its own process.

With SECONDS 0, it runs EPOCHS and ends, and its caller measures the whole process. Otherwise it warms up for EPOCHS and
then runs for about SECONDS, in pieces. The fastest piece counts, because other programs may use the machine too.
"""

import json
import sys
import time
from importlib import import_module
from typing import Final

from benchmarks.training.cases import CASES

PIECES: Final = 9
ENDLESS: Final = 10_000_000


def main() -> None:
    """Prints one JSON object."""
    loop, name, *numbers = sys.argv[1:]
    threads, epochs, seconds = int(numbers[0]), int(numbers[1]), float(numbers[2])
    case = next(one for one in CASES if one.name == name)
    run = import_module(f"benchmarks.training.{loop}").start(case, threads, epochs if seconds == 0 else ENDLESS)
    loss = run(epochs)
    if seconds == 0:
        print(json.dumps({"loss": loss}))
        return
    began = time.perf_counter()
    run(1)
    piece = max(1, int(seconds / PIECES / (time.perf_counter() - began)))
    rates = []
    for _ in range(PIECES):
        began = time.perf_counter()
        run(piece)
        rates.append(piece * case.steps / (time.perf_counter() - began))
    print(json.dumps({"steps_per_second": max(rates)}))


if __name__ == "__main__":
    main()
