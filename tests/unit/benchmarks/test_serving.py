"""What the benchmark of serving asks, counts and reports; never how fast anything is."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from benchmarks.serving import ours, overload
from benchmarks.serving.cells import CELLS, Cell
from benchmarks.serving.open_loop import OpenLoop
from benchmarks.serving.overload import Overload
from benchmarks.serving.peers import PEERS, RAW_ASGI
from benchmarks.serving.process_tree import KIB, file_pages, tree, tree_bytes, tree_cpu_seconds
from benchmarks.serving.programs.net import Net
from benchmarks.serving.programs.raw_asgi import app
from benchmarks.serving.report import ratios, table
from benchmarks.serving.server import NotReady, Program, Server
from benchmarks.serving.work import HEADER_LENGTH, Request, costly, request, right, small

TITLES = {"ours": "sealift", "raw_asgi": "bare", "peer_mlserver": "MLServer"}
CELL = {"form": "json", "rows": 1, "connections": 16}
OTHER = {"form": "binary", "rows": 32, "connections": 1}
PAGES = """\
7f00-7f10 r--p 00000000 08:01 42 /lib/a.so
Rss:                   8 kB
Anonymous:             4 kB
7f10-7f20 rw-p 00002000 08:01 42 /lib/a.so
Rss:                  12 kB
Anonymous:            12 kB
7f20-7f30 r--p 00000000 08:01 42 /lib/a.so
Rss:                   4 kB
Anonymous:             0 kB
7f30-7f40 rw-p 00000000 00:00 0
Rss:                 400 kB
Anonymous:           400 kB
"""


def figures(server: str, rate: float, p99_ms: float, cell: dict[str, Any] = CELL, **more: float) -> dict[str, Any]:
    row = {"server": server, "requests_per_second": rate, "cpu_us": 4e5 / max(rate, 1.0), "errors": 0}
    return cell | row | {"p50_ms": 1.0, "p99_ms": p99_ms} | more


def starts(*servers: str) -> list[dict[str, Any]]:
    return [
        {"server": server, "ready_seconds": 1.0 + number, "memory_mb": 50.0 * (1 + number)}
        for number, server in enumerate(servers)
    ]


ROWS = [
    figures("ours", 5000.0, 4.0), figures("raw_asgi", 2500.0, 8.0), figures("peer_mlserver", 250.0, 40.0),
    figures("ours", 900.0, 3.0, OTHER), figures("peer_mlserver", 100.0, 2.0, OTHER),
    OTHER | {"server": "raw_asgi", "not_served": "status 400"},
]  # fmt: skip


def test_ratios_are_ours_to_the_peers_and_the_worst_cell_counts_for_the_p99() -> None:
    assert ratios(ROWS, starts("ours", "raw_asgi", "peer_mlserver")) == {
        "vs_mlserver": 20.0, "vs_mlserver_cpu": 20.0, "vs_raw_asgi": 2.0, "vs_raw_asgi_cpu": 2.0,
        "p99_vs_best_peer": 1.5, "memory_vs_best_peer": 0.5, "ready_vs_best_peer": 0.5,
    }  # fmt: skip


def test_a_peer_that_fails_fast_is_not_the_best() -> None:
    rows = [figures("ours", 100.0, 4.0), figures("raw_asgi", 90.0, 8.0), figures("peer_mlserver", 0.0, 0.1, errors=9)]

    assert ratios(rows, [])["p99_vs_best_peer"] == 0.5


def test_a_ratio_to_a_peer_that_is_not_here_is_left_out() -> None:
    assert set(ratios(ROWS[:2], starts("ours"))) == {"vs_raw_asgi", "vs_raw_asgi_cpu", "p99_vs_best_peer"}


def test_the_table_says_what_is_not_served_what_failed_and_what_is_not_here() -> None:
    told = table([*ROWS[3:], figures("ours", 1.0, 1.0, errors=7)], starts("ours", "raw_asgi"), TITLES, ["LitServe"])

    assert "not served (status 400)" in told
    assert "(7 errors)" in told
    assert "Not installed, so not in the tables: LitServe" in told
    assert "Not installed" not in table(ROWS, starts("ours"), TITLES, [])


def test_a_server_that_does_not_start_has_its_line() -> None:
    assert "| MLServer | does not start |" in table([], [{"server": "peer_mlserver", "not_ready": "why"}], TITLES, [])


def test_the_cells_are_all_combinations() -> None:
    assert len(set(CELLS)) == 18
    assert Cell("json", 1, 16).title == "json, 1 row, 16 connections"


@pytest.mark.parametrize("model", [small, costly])
@pytest.mark.parametrize("form", ["json", "binary"])
def test_only_the_right_answer_in_the_form_asked_for_is_right(model: Any, form: str) -> None:
    asked = request(model(), form, 3)
    binary = {"Inference-header-content-length": ""}

    def answer(values: Any, binary_answer: bool) -> tuple[dict[str, str], bytes]:
        array = np.asarray(values, np.float32)
        output: dict[str, Any] = {"name": "prediction", "datatype": "FP32", "shape": list(array.shape)}
        if not binary_answer:
            return {}, json.dumps({"outputs": [output | {"data": array.ravel().tolist()}]}).encode()
        head = json.dumps({"outputs": [output]}).encode()
        return dict.fromkeys(binary, str(len(head))), head + array.tobytes()

    assert right(asked, *answer(asked.answer, form == "binary"))
    assert not right(asked, *answer(asked.answer, form != "binary"))
    assert not right(asked, *answer(asked.answer + 0.01, form == "binary"))
    assert not right(asked, *answer(asked.answer[:2], form == "binary"))


def test_the_binary_request_is_the_same_rows() -> None:
    in_json, binary = (request(small(), form, 2) for form in ("json", "binary"))
    head = int(binary.headers[HEADER_LENGTH])

    values = np.frombuffer(binary.body[head:], "<f4")
    assert values.tolist() == np.array(json.loads(in_json.body)["inputs"][0]["data"], np.float32).tolist()
    assert json.loads(binary.body[:head])["inputs"][0]["parameters"] == {"binary_data_size": values.nbytes}


def test_the_costly_network_costs_each_row() -> None:
    """Else the overload would be of something else."""
    session = onnxruntime.InferenceSession(costly(), providers=["CPUExecutionProvider"])
    one, two = (session.run(None, {"input": np.ones((rows, 10), np.float32)})[0] for rows in (1, 2))

    assert one.shape == (1, 1)
    assert two.ravel().tolist() == pytest.approx([one.item()] * 2, rel=1e-5)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Net:
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    path.write_bytes(small())
    return Net(str(path))


@pytest.mark.parametrize(("body", "status"), [(None, 200), (b"{", 400), (b'{"inputs": []}', 400)])
def test_the_bare_asgi_function_does_the_work(net: Net, body: bytes | None, status: int) -> None:
    asked = request(small(), "json", 32)
    whole = asked.body if body is None else body
    parts: Iterator[dict[str, Any]] = iter([{"body": whole[:9], "more_body": True}, {"body": whole[9:]}])
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(parts)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(net)({}, receive, send))

    assert sent[0]["status"] == status
    assert dict(sent[0]["headers"])[b"content-length"] == b"%d" % len(sent[1]["body"])
    assert (status == 200) == (b"outputs" in sent[1]["body"] and right(asked, {}, sent[1]["body"]))


def test_pages_of_files_are_counted_once_and_changed_ones_not_at_all() -> None:
    assert file_pages(PAGES) == {("08:01", "42", "00000000"): 8 * KIB, ("08:01", "42", "00002000"): 0}


def test_memory_is_that_of_all_processes_below() -> None:
    code = "import sys; whole = bytearray(64 << 20); whole[::4096] = b'x' * (16 << 10); print(); sys.stdin.read()"
    before = tree_bytes(os.getpid())
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        assert child.pid in tree(os.getpid())
        assert tree_bytes(os.getpid()) - before > 60 << 20


def test_processor_time_is_that_of_all_processes_below() -> None:
    code = "import sys, time\nwhile time.process_time() < 0.2: pass\nprint(flush=True); sys.stdin.read()"
    before = tree_cpu_seconds(os.getpid())
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        assert tree_cpu_seconds(os.getpid()) - before > 0.15


def test_ours_is_started_as_it_is_shipped_and_ended(tmp_path: Path) -> None:
    asked = request(small(), "json", 1)
    server = Server(ours.program(tmp_path, small()), asked)
    try:
        assert server.memory_mb() > 10
        server.pause()
        with server.awake():
            told = asyncio.run(_sent(server, asked))
    finally:
        server.end()

    assert told.answered > 0
    assert told.sent == told.answered + told.refused + told.broken
    with pytest.raises(OSError, match="Connect call failed"):
        asyncio.run(asyncio.open_connection("127.0.0.1", server.port))


async def _sent(server: Server, asked: Request) -> OpenLoop:
    load = OpenLoop(server.port, server.headers, asked)
    await load.send(100.0, 0.3)
    await load.finish()
    return load


def test_requests_that_nobody_takes_are_broken() -> None:
    async def run() -> OpenLoop:
        closed = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        async with closed:
            load = OpenLoop(closed.sockets[0].getsockname()[1], {}, request(small(), "json", 1))
            await load.send(100.0, 0.2)
            await load.finish()
            return load

    load = asyncio.run(run())

    assert load.broken == load.sent > 0


def test_a_server_that_ends_is_told_with_its_last_words() -> None:
    program = Program((sys.executable, "-c", "print('no such model'); raise SystemExit(3)"))

    with pytest.raises(NotReady, match="exit code 3; its last lines: no such model"):
        Server(program, request(small(), "json", 1))


def test_what_is_kept_under_overload_is_of_the_peak() -> None:
    told = Overload(1000.0, 4000.0, 900.0, 80.0, 3000.0, 5.0, 100.0, 0.2)

    assert overload.ratios(told) == {"overload_kept": 0.9}
    assert "| 1,000 | 4,000 | 900 · 80.0 | 3,000 · 5.0 | 100 | 0.20 |" in overload.table(told)


def test_peers_are_pinned_and_only_the_bare_function_runs_without_being_installed(tmp_path: Path) -> None:
    assert all("==" in package for peer in PEERS for package in peer.packages)
    assert {peer for peer in PEERS if peer.python(tmp_path)} <= {RAW_ASGI}
    python = tmp_path / PEERS[-1].name / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert PEERS[-1].python(tmp_path) == python
