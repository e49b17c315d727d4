"""On the real engine: the password and the signature of a data URL are in no state, store or message."""

import base64
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stack import Stack

ROWS = "\n".join(["a,b,y", *(f"{row},{row * row % 17},{row * row % 17 + row % 7}" for row in range(80))])
PASSWORD, SIGNATURE = "pass-hush-word", "sig-hush-nature"


class Guarded(http.server.BaseHTTPRequestHandler):
    """A table for who has both."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, *_: object) -> None: ...

    def _answer(self, *, with_body: bool) -> None:
        wanted = "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()
        is_known = self.headers.get("authorization") == wanted and self.path.endswith(f"?sig={SIGNATURE}")
        content = ROWS.encode() if is_known else b""
        self.send_response(200 if is_known else 403)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if with_body:
            self.wfile.write(content)


@pytest.fixture
def address() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guarded)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_password_and_a_signature_are_kept_nowhere_in_the_clear(
    training_stack: Callable[..., Stack], tmp_path: Path, address: str
) -> None:
    url = f"http://me:{PASSWORD}@{address}/rows.csv?sig={SIGNATURE}"
    stack = training_stack(dataset="iris", epochs=2)
    stack.run("config", "set", "--secret", "--path", "run.dataset", url, "--stack", "dev").ok()
    stack.run("config", "set", "--path", "run.data.target", "y", "--stack", "dev").ok()

    shown = [stack.preview("--diff").ok().text, stack.up().ok().text]
    shown += [stack.up("--expect-no-changes").ok().text, stack.exported()]
    wrong = url.replace(SIGNATURE, f"{SIGNATURE}-x")
    stack.run("config", "set", "--secret", "--path", "run.dataset", wrong, "--stack", "dev").ok()
    shown.append(stack.up().failed().text)

    assert f"{address}/rows.csv" in shown[-1], "the place is said"
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for secret in (PASSWORD, SIGNATURE):
        assert [text for text in shown if secret in text] == []
        assert [path for path, content in kept.items() if secret.encode() in content] == []


def test_a_refused_url_in_the_clear_is_not_quoted_by_the_engine(training_stack: Callable[..., Stack]) -> None:
    """The engine would quote the value of a failed property, so it gets the reason alone."""
    said = training_stack(dataset="https://me:hush@127.0.0.1:1/churn.odd").preview().failed().text

    assert "resource 'training' has a problem: dataset is" in said and "127.0.0.1:1/churn.odd" in said
    assert "hush" not in said
