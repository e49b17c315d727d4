"""schemathesis over the server's own /openapi.json: cases that fit it and cases that do not, for each path.

    python -m tests.conformance.programs.openapi "ADDRESS …"       with the key in API_KEY
Runs in the clients' own environment.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

EXAMPLES: Final = 10
SEED: Final = 1
LEFT_OUT: Final = {
    "positive_data_acceptance": "JSON Schema cannot say that data has as many elements as shape asks for",
}


def main(addresses: str) -> None:
    """Its last line is the counts."""
    passed, failed = 0, {}
    for address in addresses.split():
        with tempfile.TemporaryDirectory() as folder:
            ran = subprocess.run(_command(address), cwd=folder, capture_output=True, text=True, check=False)
            if ran.returncode not in (0, 1):
                raise RuntimeError(ran.stdout + ran.stderr)
            if ran.returncode:
                failed[address] = ran.stdout[ran.stdout.find("= FAILURES") :][:4000]
            else:
                passed += _cases(ran.stdout)
    print(json.dumps({"passed": passed, "failed": failed, "skipped": LEFT_OUT}))


def _command(address: str) -> list[Any]:
    return [
        Path(sys.executable).parent / "schemathesis", "run", f"http://{address}/openapi.json", "--no-color",
        "--header", f"Authorization: Bearer {os.environ['API_KEY']}", "--max-examples", str(EXAMPLES),
        "--seed", str(SEED), "--phases", "examples,coverage,fuzzing", "--continue-on-failure",
        "--exclude-checks", ",".join(LEFT_OUT),
    ]  # fmt: skip


def _cases(said: str) -> int:
    """How many requests it made, from its summary."""
    found = re.search(r"^ +([\d,]+) generated", said, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"no count in {said}")
    return int(found[1].replace(",", ""))


if __name__ == "__main__":
    main(*sys.argv[1:])
