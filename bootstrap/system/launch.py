"""Starts one background program: `python3 -m bootstrap.system.launch RECORD LOG PROGRAM [ARGUMENT…]`.

The new process itself writes the record (daemon.py) before it becomes PROGRAM, so that a kill -9 at any moment leaves
no program without a record. Returns when PROGRAM runs. Exits with 1 and the reason if it cannot be started.
"""

import os
import sys
from pathlib import Path

from bootstrap.system import daemon


def main(record: Path, log: Path, argv: list[str]) -> int:
    reading, writing = os.pipe()  # both close on exec: end of file means that PROGRAM runs
    if os.fork() == 0:
        os.setsid()
        os.close(reading)
        try:
            daemon.write_record(record, argv)
            null = os.open(os.devnull, os.O_RDONLY)
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for source, target in ((null, 0), (output, 1), (output, 2)):
                os.dup2(source, target)
            os.execvp(argv[0], argv)  # noqa: S606 (no shell wanted)
        except OSError as problem:
            record.unlink(missing_ok=True)
            os.write(writing, f"{argv[0]}: {problem.strerror}".encode())
            os._exit(1)
    os.close(writing)
    said = b""
    while chunk := os.read(reading, 4096):
        said += chunk
    sys.stderr.buffer.write(said)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
