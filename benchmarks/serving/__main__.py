"""`python -m benchmarks.serving`: our model server beside others, with the same model and the same requests.

`wrk` makes the load (`apt-get install wrk`). Peers are not dependencies of ours: `--install FOLDER` makes a virtual
environment for each in that folder, and `--peers FOLDER` adds them to the tables. Without it, the tables have our
server and a bare ASGI function. All servers are started first, one after the other. Then they are measured in turns,
and each is stopped during the others' turns. Compare the figures of one run only with each other.
"""

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.serving import ours, overload
from benchmarks.serving.cells import CELLS, COMPARED, Row, measure
from benchmarks.serving.peers import PEERS, install
from benchmarks.serving.report import OURS, ratios, table
from benchmarks.serving.server import NotReady, Program, Server
from benchmarks.serving.work import costly, request, small

TITLES: Final = {OURS: "sealift"} | {peer.name: peer.title for peer in PEERS}


def main() -> int:
    """Measures and prints. Returns exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="output as one JSON object instead of tables")
    parser.add_argument(
        "--seconds", type=int, default=2, help="duration of each server's load in each cell (default: 2)"
    )
    parser.add_argument("--quick", action="store_true", help=f"measurement of one cell alone: {COMPARED.title}")
    overload = "measurement of Sealift's server alone, under four times the load that it can carry"
    parser.add_argument("--overload", action="store_true", help=overload)
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help="folder of the peers, as --install made it")
    parser.add_argument(
        "--install", type=Path, metavar="FOLDER", help="folder to install the peers into, instead of measuring"
    )
    arguments = parser.parse_args()
    if arguments.install:
        install(arguments.install)
        return 0
    if not shutil.which("wrk"):
        parser.error("wrk is not on PATH; apt-get install wrk")
    told = _overloaded(arguments.seconds) if arguments.overload else _compared(arguments)
    found, rows, text = told
    machine = {
        "processor": _processor(),
        "processors": os.cpu_count() or 1,
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in ("onnxruntime", "numpy", "msgspec")},
        "peers": {peer.title: peer.packages for peer in PEERS},
    }
    if arguments.json:
        print(json.dumps({"ratios": found, "rows": rows, "machine": machine}))
    else:
        print(f"{text}\n\n{', '.join(f'{name} {value:.2f}' for name, value in found.items())}")
    return 0


def _compared(arguments: argparse.Namespace) -> tuple[dict[str, float], list[Row], str]:
    """Compares the servers. Returns ratios, rows and the tables."""
    model, starts, servers = small(), list[Row](), dict[str, Server]()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as ends:
        folder = Path(name)
        programs, absent = _programs(folder, model, arguments.peers)
        for server, program in programs.items():
            try:
                servers[server] = Server(program, request(model, COMPARED.form, COMPARED.rows))
            except NotReady as error:
                print(f"{TITLES[server]} does not start: {error}", file=sys.stderr)
                starts.append({"server": server, "not_ready": str(error)})
                continue
            ends.callback(servers[server].end)
            servers[server].pause()
            starts.append({"server": server, "ready_seconds": round(servers[server].ready_seconds, 3)})
        rows = measure(servers, model, [COMPARED] if arguments.quick else CELLS, arguments.seconds)
    for start in starts:
        memory = [float(row["memory_mb"]) for row in rows if row["server"] == start["server"] and "memory_mb" in row]
        start |= {"memory_mb": max(memory)} if memory else {}
    return ratios(rows, starts), starts + rows, table(rows, starts, TITLES, absent)


def _programs(folder: Path, model: bytes, peers: Path | None) -> tuple[dict[str, Program], list[str]]:
    """Returns the programs of the installed servers, and the titles of the others."""
    plain = folder / "net.onnx"
    plain.write_bytes(model)
    pythons = {peer: peer.python(peers) for peer in PEERS}
    programs = {OURS: ours.program(folder, model)}
    programs |= {peer.name: peer.program(python, plain) for peer, python in pythons.items() if python}
    return programs, [peer.title for peer, python in pythons.items() if not python]


def _overloaded(seconds: int) -> tuple[dict[str, float], list[Row], str]:
    """Measures our server under overload. Returns ratios, rows and the table."""
    model = costly()
    with tempfile.TemporaryDirectory() as folder:
        asked = request(model, COMPARED.form, COMPARED.rows)
        server = Server(ours.program(Path(folder), model), asked)
        try:
            told = overload.measure(server, asked, seconds)
        finally:
            server.end()
    return overload.ratios(told), [overload.row(told)], overload.table(told)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    sys.exit(main())
