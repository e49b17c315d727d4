"""Load on one server by `wrk` with one thread. A connection sends its next request after the answer to the last one."""

import contextlib
import http.client
import json
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.serving.work import PATH, Request, right

HOST: Final = "127.0.0.1"
SCRIPT: Final = Path(__file__).with_name("post.lua")
TIMEOUT_SECONDS: Final = 20


@dataclass(frozen=True)
class Load:
    """The figures that wrk reports. Errors are answers with status 400 and above, broken connections and time-outs."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    errors: int


def served(port: int, headers: Mapping[str, str], request: Request) -> str | None:
    """Sends the request once. Returns None if the answer is right, and otherwise what is wrong."""
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_SECONDS)) as connection:
        connection.request("POST", PATH, request.body, {**request.headers, **headers})
        answer = connection.getresponse()
        body = answer.read()
    if answer.status != http.client.OK:
        return f"status {answer.status}"
    return None if right(request, dict(answer.headers), body) else "a wrong answer"


def wrk(port: int, headers: Mapping[str, str], request: Request, connections: int, seconds: int) -> Load:
    """Loads the server with `connections` connections for `seconds` seconds."""
    with tempfile.TemporaryDirectory() as folder:
        lines, body = Path(folder) / "headers", Path(folder) / "body"
        all_headers = {**request.headers, **headers}
        lines.write_text("".join(f"{name}: {value}\n" for name, value in all_headers.items()))
        body.write_bytes(request.body)
        words = [
            "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={TIMEOUT_SECONDS}s",
            "-s", str(SCRIPT), f"http://{HOST}:{port}{PATH}", "--", str(lines), str(body),
        ]  # fmt: skip
        said = subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True).stdout
    told: dict[str, float] = json.loads(said.splitlines()[-1])
    rate = (told["requests"] - told["refused"]) / told["seconds"]
    return Load(rate, told["p50_ms"], told["p99_ms"], int(told["refused"] + told["broken"]))
