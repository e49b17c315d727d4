"""A registry that is hostile, or is none, gets no credentials and causes no traceback."""

import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from sealift.registry import RegistryError, Repository, find_images, parse_repository
from sealift.registry.artifact_images import CONFIG_TYPES

Answer = tuple[int, Mapping[str, str], bytes]
ARTIFACT_ID = "0" * 32
CREDENTIALS = ("ada", "password")


class Hostile(http.server.ThreadingHTTPServer):
    """Answers each path as it is told, and notes the credentials that it got."""

    def __init__(self, address: str, answer: Callable[[str], Answer]) -> None:
        super().__init__((address, 0), _Handler)
        self.answer = answer
        self.got: list[str | None] = []


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Hostile

    def do_GET(self) -> None:
        self.server.got.append(self.headers.get("Authorization"))
        status, headers, body = self.server.answer(self.path)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def running(answer: Callable[[str], Answer], address: str = "127.0.0.1") -> Iterator[Hostile]:
    with Hostile(address, answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def find(server: Hostile) -> list[str]:
    name = parse_repository(f"localhost:{server.server_port}/acme/model")
    return find_images(Repository(name, CREDENTIALS), ARTIFACT_ID)


def json_answer(content: Any, **headers: str) -> Answer:
    return 200, headers, json.dumps(content).encode()


def with_tags(tags: Any, otherwise: Callable[[str], Answer] = lambda _: (404, {}, b"")) -> Callable[[str], Answer]:
    return lambda path: json_answer({"tags": tags}) if "/tags/" in path else otherwise(path)


def test_a_registry_on_this_machine_cannot_send_the_password_to_another_one_in_the_clear() -> None:
    with running(lambda _: json_answer({"token": "t"}), "127.0.0.2") as other:
        challenge = f'Bearer realm="http://127.0.0.2:{other.server_port}/token"'
        answer = (401, {"WWW-Authenticate": challenge}, b"{}")
        with running(lambda _: answer) as server, pytest.raises(RegistryError, match="without TLS"):
            find(server)

    assert other.got == []


@pytest.mark.parametrize(
    "place", ["https://[", "https://host:port/token", "https://ada:password@localhost/token", "https:///token"]
)
def test_a_place_that_is_no_url_is_refused(place: str) -> None:
    challenge = (401, {"WWW-Authenticate": f'Bearer realm="{place}"'}, b"{}")
    with running(lambda _: challenge) as server, pytest.raises(RegistryError, match="sends on to a place"):
        find(server)

    configuration = f"sha256:{hashlib.sha256(b'{}').hexdigest()}"
    manifest = json_answer({"config": {"mediaType": CONFIG_TYPES[0], "digest": configuration}})
    answers = with_tags(["one"], lambda path: manifest if "/manifests/" in path else (307, {"Location": place}, b""))
    with running(answers) as server, pytest.raises(RegistryError):
        find(server)


def test_a_redirect_without_a_place_is_refused() -> None:
    manifest = json_answer({"config": {"mediaType": CONFIG_TYPES[0], "digest": f"sha256:{'0' * 64}"}})
    answers = with_tags(["one"], lambda path: manifest if "/manifests/" in path else (307, {}, b""))

    with running(answers) as server, pytest.raises(RegistryError, match="sends on to a place"):
        find(server)


@pytest.mark.parametrize("tags", [5, True, "one", {"one": 1}, [5], ["\ud800"], ["../other"], [""], ["x" * 129]])
def test_a_list_of_other_things_than_tags_is_not_taken_for_a_repository_without_images(tags: Any) -> None:
    with running(with_tags(tags)) as server, pytest.raises(RegistryError, match="its tags"):
        find(server)


@pytest.mark.parametrize("tags", [None, []])
def test_a_repository_may_have_no_tags(tags: Any) -> None:
    with running(with_tags(tags)) as server:
        assert find(server) == []


def test_pages_are_followed_wherever_their_link_begins_and_not_in_a_circle() -> None:
    pages = {"last=one": ("</v2/acme/model/tags/list?last=two>", "one"), "last=two": ("", "two")}

    def answer(path: str) -> Answer:
        link, tag = pages.get(path.partition("?")[2], ("<list?last=one>", "zero"))
        return json_answer({"tags": [tag]}, **({"Link": f'{link}; rel="next"'} if link else {}))

    with running(answer) as server:
        name = parse_repository(f"localhost:{server.server_port}/acme/model")
        assert Repository(name).tags() == ["zero", "one", "two"]

    for link in ("<list>", "<?>", "<http://[>"):
        turned = json_answer({"tags": []}, Link=f'{link}; rel="next"')
        with running(lambda _, turned=turned: turned) as server, pytest.raises(RegistryError):  # type: ignore[misc]
            find(server)
        assert len(server.got) <= 2
