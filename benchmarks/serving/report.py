"""The ratios by name, and the tables in Markdown."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchmarks.serving.cells import COMPARED, Row

OURS: Final = "ours"
Key = tuple[str | float, ...]


def ratios(rows: Sequence[Row], starts: Sequence[Row]) -> dict[str, float]:
    """Returns ratios of our server to its peers, by name.

    `vs_` compares requests per second, and `_cpu` requests per second of processor time, which other work on the
    machine affects less. Above 1, ours is faster. `_vs_best_peer` compares the worst p99, memory and start with the
    best peer's. Less is better. A ratio that lacks a server's figures is left out.
    """
    found: dict[str, float | None] = {}
    for peer in ("peer_mlserver", "raw_asgi"):
        name = f"vs_{peer.removeprefix('peer_')}"
        found[name] = _quotient(rows, peer, "requests_per_second")
        less = _quotient(rows, peer, "cpu_us")
        found[f"{name}_cpu"] = 1 / less if less else None
    found["p99_vs_best_peer"] = _worst(rows, "p99_ms", _cell)
    found["memory_vs_best_peer"] = _worst(starts, "memory_mb", lambda _row: ())
    found["ready_vs_best_peer"] = _worst(starts, "ready_seconds", lambda _row: ())
    return {name: round(value, 3) for name, value in found.items() if value is not None}


def table(rows: Sequence[Row], starts: Sequence[Row], titles: Mapping[str, str], absent: Sequence[str]) -> str:
    """Returns two tables: one row for each server, and one for each cell."""
    lines = [
        "| Server | Start to ready, s | Memory, MB |",
        "| --- | ---: | ---: |",
        *(_start(row, titles) for row in starts),
        "",
        "Requests per second · processor time of one request in µs · p50 in ms · p99 in ms:",
        "",
        f"| Form | Rows | Connections | {' | '.join(titles[str(row['server'])] for row in starts)} |",
        f"| --- | ---: | ---: | {' | '.join('---:' for _ in starts)} |",
    ]
    cells = dict.fromkeys(map(_cell, rows))
    for cell in cells:
        of = {row["server"]: row for row in rows if _cell(row) == cell}
        figures = (_figures(of[row["server"]]) if row["server"] in of else "–" for row in starts)
        lines.append(f"| {' | '.join(map(str, cell))} | {' | '.join(figures)} |")
    if absent:
        lines += ["", f"Not installed, so not in the tables: {', '.join(absent)} (see --install)."]
    return "\n".join(lines)


def _cell(row: Row) -> Key:
    return row["form"], row["rows"], row["connections"]


def _start(row: Row, titles: Mapping[str, str]) -> str:
    title = titles[str(row["server"])]
    if "not_ready" in row:
        return f"| {title} | does not start | – |"
    memory = f"{row['memory_mb']:.0f}" if "memory_mb" in row else "–"
    return f"| {title} | {row['ready_seconds']:.2f} | {memory} |"


def _figures(row: Row) -> str:
    if "not_served" in row:
        return f"not served ({row['not_served']})"
    told = f"{row['requests_per_second']:,.0f} · {row['cpu_us']:,.0f} · {row['p50_ms']:.2f} · {row['p99_ms']:.2f}"
    return told + (f" ({row['errors']:.0f} errors)" if row["errors"] else "")


def _quotient(rows: Sequence[Row], peer: str, column: str) -> float | None:
    """Our figure divided by the peer's, in the compared cell."""
    compared: Key = (COMPARED.form, COMPARED.rows, COMPARED.connections)
    rates = {str(row["server"]): float(row[column]) for row in rows if _cell(row) == compared and column in row}
    return rates[OURS] / rates[peer] if {OURS, peer} <= rates.keys() and rates[peer] else None


def _worst(rows: Sequence[Row], column: str, group: Callable[[Row], Key]) -> float | None:
    """The largest ratio of our figure to the smallest one of the peers, over all groups that have both. A peer's
    figures with errors do not count, because it may have failed fast."""
    groups: dict[Key, dict[str, float]] = {}
    for row in rows:
        if column in row and (row["server"] == OURS or not row.get("errors")):
            groups.setdefault(group(row), {})[str(row["server"])] = float(row[column])
    return max(
        (
            of[OURS] / min(of[peer] for peer in of if peer != OURS)
            for of in groups.values()
            if OURS in of and len(of) > 1
        ),
        default=None,
    )
