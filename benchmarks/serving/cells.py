"""The cells of the table, and the measurement of each server in each cell."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.serving.load import served, wrk
from benchmarks.serving.server import Server
from benchmarks.serving.work import FORMS, Request, request

Row = dict[str, str | float]
PIECE_SECONDS: Final = 1


@dataclass(frozen=True)
class Cell:
    """One kind of load."""

    form: str
    rows: int
    connections: int

    @property
    def title(self) -> str:
        return f"{self.form}, {self.rows} {'row' if self.rows == 1 else 'rows'}, {self.connections} connections"


COMPARED: Final = Cell("json", 1, 16)
"""The cell that the ratios of throughput come from."""
CELLS: Final = tuple(Cell(form, rows, many) for form in FORMS for rows in (1, 32, 1024) for many in (1, 16, 64))


def measure(servers: Mapping[str, Server], model: bytes, cells: Iterable[Cell], pieces: int) -> list[Row]:
    """Measures cell by cell. The servers take turns of a second. A server's fastest turn counts, because other programs
    may use the machine too, and the errors of all turns are added up. The servers are paused before and after."""
    found: list[Row] = []
    for cell in cells:
        asked = request(model, cell.form, cell.rows)
        kind: Row = {"form": cell.form, "rows": cell.rows, "connections": cell.connections}
        rows = {name: kind | {"server": name} | _start(server, asked, cell) for name, server in servers.items()}
        for _ in range(pieces):
            for name, server in servers.items():
                if "not_served" not in rows[name]:
                    rows[name] = _better(rows[name], _piece(server, asked, cell))
        for name, row in rows.items():
            said = row.get("not_served") or f"{row['requests_per_second']:,.0f}/s"
            print(f"{cell.title}: {name}: {said}", file=sys.stderr, flush=True)
        found += rows.values()
    return found


def _start(server: Server, asked: Request, cell: Cell) -> Row:
    """Warms up, and checks an answer before and after that. A server with a wrong answer is not timed."""
    with server.awake():
        wrong = served(server.port, server.headers, asked)
        if not wrong:
            wrk(server.port, server.headers, asked, cell.connections, PIECE_SECONDS)
            wrong = served(server.port, server.headers, asked)
    return {"not_served": wrong} if wrong else {}


def _piece(server: Server, asked: Request, cell: Cell) -> Row:
    with server.awake():
        before = server.cpu_seconds()
        load = wrk(server.port, server.headers, asked, cell.connections, PIECE_SECONDS)
        cpu_seconds = server.cpu_seconds() - before
        memory_mb = server.memory_mb()
    return {
        "requests_per_second": round(load.requests_per_second, 1),
        "cpu_us": round(1e6 * cpu_seconds / max(1.0, load.requests_per_second * PIECE_SECONDS), 1),
        "p50_ms": load.p50_ms,
        "p99_ms": load.p99_ms,
        "errors": load.errors,
        "memory_mb": round(memory_mb, 1),
    }


def _better(row: Row, piece: Row) -> Row:
    faster = float(piece["requests_per_second"]) > float(row.get("requests_per_second", -1))
    sums = {"errors": float(row.get("errors", 0)) + float(piece["errors"])}
    most = {"memory_mb": max(float(row.get("memory_mb", 0)), float(piece["memory_mb"]))}
    return row | (piece if faster else {}) | sums | most
