"""An issuer's keys by URL: fetched over TLS, in a thread."""

import http.server
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sealift.serving.access import CheckedAccess
from sealift.serving.access.remote_keys import EVERY_SECONDS, MOST_ASIDE, SOONEST_SECONDS, WHOLE_SECONDS, RemoteKeys
from sealift.serving.errors import Unauthenticated
from tests.certificates import self_signed
from tests.unit.serving.access.files import NOW, api_key, ec, issuer, key_set, token, written


class Answers:
    """What the issuer says next, and how often it was asked."""

    def __init__(self, content: str) -> None:
        self.status = 200
        self.content = content
        self.headers: dict[str, str] = {}
        self.asked = 0
        self.may_answer = threading.Event()
        self.may_answer.set()


@pytest.fixture
def answers() -> Answers:
    return Answers("")


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: Answers) -> Iterator[str]:
    with served(tmp_path, answers) as (address, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        yield address


@contextmanager
def served(folder: Path, answers: Answers) -> Iterator[tuple[str, Path]]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers.asked += 1
            answers.may_answer.wait(30)
            self.send_response(answers.status)
            for name, value in answers.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answers.content.encode())

        def log_message(self, *_arguments: object) -> None: ...

    pem = self_signed()
    certificate, key = folder / "issuer.crt", folder / "issuer.key"
    certificate.write_text(pem.certificate)
    key.write_text(pem.key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_arguments: None  # type: ignore[method-assign]  # a client that trusts us not
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}/keys", certificate
    finally:
        answers.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()


def until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.005)


def fetched(keys: RemoteKeys, now: float) -> bool:
    """Whether one fetch, started at this time, has brought other keys."""
    keys.refresh(now)
    fetch = keys._fetching
    assert fetch is not None
    fetch.join(20)
    return keys.refresh(now)


def test_keys_are_fetched_in_a_thread_and_tokens_are_then_good(tmp_path: Path, url: str, answers: Answers) -> None:
    key = ec()
    answers.content = key_set(key)
    answers.may_answer.clear()
    access = CheckedAccess(written(tmp_path, {"keys": [api_key()], **issuer("ES256", jwksFile=None, jwksUrl=url)}))
    made = token(key, "ES256")

    access.refresh(NOW)  # returns though the issuer does not answer
    until(lambda: answers.asked)
    access.refresh(NOW)
    with pytest.raises(Unauthenticated, match="is not among its issuer's keys"):
        access.admit(made, "predict", NOW)
    answers.may_answer.set()

    def admitted() -> bool:
        access.refresh(NOW)
        try:
            return access.admit(made, "predict", NOW) == "jwt:alice"
        except Unauthenticated:
            return False

    until(admitted)
    assert answers.asked == 1


def test_an_access_file_that_is_mounted_anew_fetches_nothing_anew(tmp_path: Path, url: str, answers: Answers) -> None:
    key = ec()
    answers.content = key_set(key)
    remote = issuer("ES256", jwksFile=None, jwksUrl=url)
    access = CheckedAccess(written(tmp_path, {"keys": [api_key()], **remote}))
    tokens = access._admitted.tokens
    assert tokens is not None and isinstance(tokens._keys, RemoteKeys)
    assert fetched(tokens._keys, NOW)

    (tmp_path / "access.json").unlink()
    written(tmp_path, {"keys": [api_key(name="another")], **remote})
    access.refresh(NOW)

    assert access.admit(token(key, "ES256"), "predict", NOW) == "jwt:alice"
    assert answers.asked == 1


def test_an_unknown_key_id_asks_soon_but_not_at_once_and_else_minutes_pass(url: str, answers: Answers) -> None:
    answers.content = key_set(ec())
    keys = RemoteKeys(url, ["ES256"])
    assert fetched(keys, NOW)

    keys.refresh(NOW + SOONEST_SECONDS)
    assert keys._fetching is None
    keys.want()
    keys.refresh(NOW + SOONEST_SECONDS - 0.1)
    assert keys._fetching is None
    assert not fetched(keys, NOW + SOONEST_SECONDS)  # the same keys
    keys.refresh(NOW + SOONEST_SECONDS + EVERY_SECONDS - 0.1)
    assert keys._fetching is None
    assert not fetched(keys, NOW + SOONEST_SECONDS + EVERY_SECONDS)
    assert answers.asked == 3


def test_after_a_rotation_the_first_token_of_the_new_key_makes_the_server_ask_soon(
    tmp_path: Path, url: str, answers: Answers
) -> None:
    old, new = ec("old"), ec("new")
    answers.content = key_set(old)
    access = CheckedAccess(written(tmp_path, issuer("ES256", jwksFile=None, jwksUrl=url)))
    tokens = access._admitted.tokens
    assert tokens is not None and isinstance(tokens._keys, RemoteKeys)
    assert fetched(tokens._keys, NOW)
    answers.content = key_set(old, new)
    access.refresh(NOW + SOONEST_SECONDS)
    assert (tokens._keys._fetching, answers.asked) == (None, 1)

    with pytest.raises(Unauthenticated, match="is not among its issuer's keys; try again in a minute"):
        access.admit(token(new, "ES256"), "predict", NOW)
    assert fetched(tokens._keys, NOW + SOONEST_SECONDS)

    assert access.admit(token(new, "ES256"), "predict", NOW) == "jwt:alice"
    assert access.admit(token(old, "ES256"), "predict", NOW) == "jwt:alice"
    assert answers.asked == 2


def test_a_withdrawn_key_stops_with_the_next_fetch(tmp_path: Path, url: str, answers: Answers) -> None:
    old, new = ec("old"), ec("new")
    answers.content = key_set(old)
    access = CheckedAccess(written(tmp_path, issuer("ES256", jwksFile=None, jwksUrl=url)))
    tokens = access._admitted.tokens
    assert tokens is not None and isinstance(tokens._keys, RemoteKeys)
    assert fetched(tokens._keys, NOW)
    access.admit(token(old, "ES256"), "predict", NOW)

    answers.content = key_set(new)
    access.refresh(NOW + EVERY_SECONDS)
    assert tokens._keys._fetching is not None
    tokens._keys._fetching.join(20)
    access.admit(token(old, "ES256"), "predict", NOW)  # until the loop looks again
    access.refresh(NOW + EVERY_SECONDS)

    access.admit(token(new, "ES256"), "predict", NOW)
    with pytest.raises(Unauthenticated, match="not among its issuer"):
        access.admit(token(old, "ES256"), "predict", NOW)


@pytest.mark.parametrize(
    ("status", "headers", "content", "said"),
    [
        (500, {}, "", "does not answer: HTTP Error 500"),
        (200, {}, "<html>", "not a JSON Web Key Set"),
        (200, {}, '{"keys": []}', "has no key for ES256"),
        (200, {}, " " * 300_000, "the limit of 262144 bytes"),
        (302, {"Location": "http://127.0.0.1:1/keys"}, "", "redirects (302) to http://127.0.0.1:1/keys"),
    ],
)
def test_an_issuer_that_fails_keeps_the_last_keys_and_is_told_once(
    url: str,
    answers: Answers,
    capfd: pytest.CaptureFixture[str],
    status: int,
    headers: dict[str, str],
    content: str,
    said: str,
) -> None:
    answers.content = key_set(ec())
    keys = RemoteKeys(url, ["ES256"])
    assert fetched(keys, NOW)
    before = keys.keys

    answers.status, answers.headers, answers.content = status, headers, content
    assert not fetched(keys, NOW + EVERY_SECONDS)
    assert not fetched(keys, NOW + 2 * EVERY_SECONDS)

    assert keys.keys == before
    assert capfd.readouterr().out.count(said) == 1


def test_an_issuer_whose_certificate_nobody_vouches_for_is_not_believed(
    tmp_path: Path, answers: Answers, capfd: pytest.CaptureFixture[str]
) -> None:
    answers.content = key_set(ec())
    with served(tmp_path, answers) as (url, _):
        keys = RemoteKeys(url, ["ES256"])
        assert not fetched(keys, NOW)

    assert keys.keys == {} and answers.asked == 0
    assert "CERTIFICATE_VERIFY_FAILED" in capfd.readouterr().out


@pytest.mark.parametrize("error", [RuntimeError("odd"), RecursionError(), OverflowError("big"), MemoryError()])
def test_an_answer_that_breaks_a_library_costs_no_good_key(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    keys = RemoteKeys("https://issuer.example/keys", ["ES256"])
    good = key_set(ec())
    monkeypatch.setattr("sealift.serving.access.remote_keys._read", lambda _url: good.encode())
    fetched(keys, NOW)
    before = dict(keys.keys)
    assert before

    def breaks(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr("sealift.serving.access.remote_keys._read", lambda _url: b"odd")
    monkeypatch.setattr("sealift.serving.access.remote_keys.parse_key_set", breaks)
    fetched(keys, NOW + EVERY_SECONDS)

    assert keys.keys == before
    assert type(error).__name__ in keys._failure


def test_an_issuer_that_drips_stops_no_later_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    drips = threading.Event()
    asked: list[str] = []

    def read(url: str) -> bytes:
        asked.append(url)
        drips.wait(30)
        return b"{}"

    monkeypatch.setattr("sealift.serving.access.remote_keys._read", read)
    keys = RemoteKeys("https://issuer.example/keys", ["ES256"])
    try:
        for turn in range(MOST_ASIDE + 3):
            keys.refresh(NOW + turn * WHOLE_SECONDS)
            assert "did not complete its response within" in keys._failure or turn == 0
        assert len(asked) == MOST_ASIDE + 1  # and no more threads than these
    finally:
        drips.set()
    for fetch in keys._aside:
        fetch.join(10)
    keys.refresh(NOW + 20 * WHOLE_SECONDS)
    assert len(asked) >= MOST_ASIDE + 1
