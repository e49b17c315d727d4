"""Overload: four times the requests that a server can answer, sent without waiting for answers (an open loop).

The peak rate is measured first: answers per second to 16 and to 64 connections that wait for their answers. Then
requests are sent at four times that rate, each on a free connection or on a new one. Afterwards, single requests show
how long it takes until the server answers again.
"""

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import Final

import uvloop

from benchmarks.serving.cells import PIECE_SECONDS, Row
from benchmarks.serving.load import served, wrk
from benchmarks.serving.open_loop import OpenLoop
from benchmarks.serving.server import Server
from benchmarks.serving.work import Request

TIMES: Final = 4
CONNECTIONS: Final = (16, 64)
POLL_SECONDS: Final = 0.01


@dataclass(frozen=True)
class Overload:
    """Results. Rates are in requests per second. `broken` requests were neither answered nor refused with 503."""

    peak: float
    offered: float
    answered: float
    answered_p99_ms: float
    refused: float
    refused_p99_ms: float
    broken: float
    recovery_seconds: float


def measure(server: Server, request: Request, seconds: int) -> Overload:
    """Measures the overload. Takes about four times `seconds`."""
    wrk(server.port, server.headers, request, CONNECTIONS[0], PIECE_SECONDS)
    peak = max(wrk(server.port, server.headers, request, many, seconds).requests_per_second for many in CONNECTIONS)
    return uvloop.run(_overload(server, request, peak, seconds))


async def _overload(server: Server, request: Request, peak: float, seconds: int) -> Overload:
    load = OpenLoop(server.port, server.headers, request)
    began = time.perf_counter()
    await load.send(TIMES * peak, seconds)
    ended = time.perf_counter()
    took, sent, answered, refused = ended - began, load.sent, load.answered, load.refused
    await asyncio.to_thread(_wait, server, request)
    recovery_seconds = time.perf_counter() - ended
    await load.finish()
    return Overload(
        peak=peak,
        offered=sent / took,
        answered=answered / took,
        answered_p99_ms=_p99_ms(load.answered_seconds),
        refused=refused / took,
        refused_p99_ms=_p99_ms(load.refused_seconds),
        broken=load.broken / took,
        recovery_seconds=recovery_seconds,
    )


def ratios(told: Overload) -> dict[str, float]:
    """Ratio of answers under overload to the peak. At 1, overload does not reduce the server's answers."""
    return {"overload_kept": round(told.answered / told.peak, 3)}


def row(told: Overload) -> Row:
    """Returns the figures for the JSON."""
    return {name: round(value, 3) for name, value in asdict(told).items()}


def table(told: Overload) -> str:
    """Returns the figures as a Markdown table."""
    figures = (
        f"{told.peak:,.0f}",
        f"{told.offered:,.0f}",
        f"{told.answered:,.0f} · {told.answered_p99_ms:.1f}",
        f"{told.refused:,.0f} · {told.refused_p99_ms:.1f}",
        f"{told.broken:,.0f}",
        f"{told.recovery_seconds:.2f}",
    )
    return (
        "| Peak/s | Offered/s | Answered/s · p99 ms | Refused (503)/s · p99 ms | Broken/s | Recovery, s |\n"
        "| ---: | ---: | ---: | ---: | ---: | ---: |\n"
        f"| {' | '.join(figures)} |"
    )


def _wait(server: Server, request: Request) -> None:
    while served(server.port, server.headers, request):
        time.sleep(POLL_SECONDS)


def _p99_ms(seconds: list[float]) -> float:
    return 1e3 * sorted(seconds)[len(seconds) * 99 // 100] if seconds else 0.0
