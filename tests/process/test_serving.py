"""`python -m sealift.serving` as Kubernetes runs it: start, answer, what keeps it from starting, and its end."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sealift.serving import __main__ as program
from sealift.serving.memory_budget import MAX_BODY_BYTES
from sealift.serving.server import DRAIN_SECONDS
from tests.keys import key_pair
from tests.process.serving_process import Server, arguments, serving, start
from tests.unit.serving.access.files import digest, mount
from tests.unit.serving.sockets import INFER, SECONDS, answer
from tests.unit.serving.tiny import Files, request, sealed

BODY = json.dumps(request([[1, 2, 3]])).encode()
ANSWER = (200, None, [321.0])

AUDIT = """
import os, sys
from tests.keys import key_pair
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        path, mode, flags = arguments
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            os.write(2, f"WRITES {path}\\n".encode())
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "tempfile.mkstemp"):
        os.write(2, f"WRITES {event} {arguments}\\n".encode())
sys.addaudithook(watch)
"""
"""A sitecustomize.py that tells of every file that Python opens for writing."""

LAST_WORDS = """
import atexit, os
def tell():
    for path in os.environ["TRIED"].split():
        try:
            said = len(open(path).read())
        except OSError as error:
            said = type(error).__name__
        os.write(2, f"{said}\\n".encode())
atexit.register(tell)
"""
"""A sitecustomize.py that tries at the end to open files."""


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files.write(tmp_path)


def infer(connection: http.client.HTTPConnection, body: bytes = BODY) -> tuple[int, str | None, object]:
    """Status, Connection header and the numbers of an answer."""
    connection.request("POST", INFER, body)
    response = connection.getresponse()
    answer = json.loads(response.read())
    return response.status, response.getheader("connection"), answer.get("outputs", [{}])[0].get("data")


def test_it_starts_answers_and_ends_with_0_when_told_to(files: Files) -> None:
    with serving(files) as server:
        with server.connect() as connection:
            connection.request("GET", "/v2/health/ready")
            assert json.loads(connection.getresponse().read()) == {"ready": True}
            assert infer(connection) == ANSWER
        threads = len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))
        server.terminate()
        code, log, complaints = server.end()

    assert threads == 1, "as many on a node with many cores"
    assert server.ready["event"] == "ready"
    assert (server.ready["model"], server.ready["artifact"]) == ("tiny", sealed().artifact_id)
    assert (code, [line["event"] for line in log], complaints) == (0, ["draining", "stopped"], "")


def refused(words: list[str]) -> str:
    """The one line that a server which does not start says."""
    process = start(words)
    said, complaints = process.communicate(timeout=SECONDS)
    assert (process.returncode, said, complaints.count("\n")) == (1, "", 1)
    return complaints


@pytest.mark.parametrize("option", ["--port", "--grpc-port", "--metrics-port"])
@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_is_none_is_refused(files: Files, option: str, port: str) -> None:
    assert f"'{port}' is not a port; allowed: 0 to 65535" in refused([*arguments(files), f"{option}={port}"])


def test_another_key_keeps_it_from_starting(files: Files) -> None:
    files.key.write_text(key_pair(1).pem)

    assert "does not belong to a recipient of this artifact; use a private key" in refused(arguments(files))


@pytest.mark.parametrize("part", ["payload", "manifest"])
def test_a_flipped_bit_keeps_it_from_starting(files: Files, part: str) -> None:
    path: Path = getattr(files, part)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    assert refused(arguments(files)).startswith("the ")


@pytest.mark.parametrize("pin", ["artifact_id", "payload_digest"])
def test_another_pin_keeps_it_from_starting(files: Files, pin: str) -> None:
    wrong = {pin: "0" * len(getattr(sealed(), pin))}

    assert "not the pinned artifact" in refused(arguments(files, **wrong))


def test_what_is_missing_or_taken_is_said_in_one_line(files: Files, tmp_path: Path) -> None:
    assert refused([]).startswith("the following arguments are required: --key")
    words = arguments(files)
    assert "argument --payload: not allowed with argument --artifact" in refused([*words, "--artifact", "a/b"])
    start_of = words.index("--manifest")
    del words[start_of : start_of + 2]
    assert refused(words).startswith("the following arguments are required: --manifest, or --artifact")
    assert refused(arguments(files, port="http")).startswith("argument --port: invalid int value: 'http'")
    assert f"{tmp_path}/none cannot be read: No such file" in refused(arguments(files, key=f"{tmp_path}/none"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1 port {port}: " in refused(arguments(files, port=str(port)))


def test_kubernetes_reads_the_reason_too(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "termination-log"
    log.write_text("an older and longer reason than the one of now")
    monkeypatch.setattr(program, "TERMINATION_LOG", log)

    program._tell("the reason", program.TERMINATION_LOG)
    assert log.read_text() == "the reason\n"
    program._tell("x" * 10_000, log)
    assert len(log.read_bytes()) == 4096
    log.unlink()
    program._tell("the reason", log)
    assert not log.exists()


def test_a_request_in_flight_is_answered_after_sigterm_and_then_its_connection_closes(files: Files) -> None:
    with serving(files) as server, server.connect() as connection:
        assert infer(connection) == ANSWER
        connection.putrequest("POST", INFER)
        connection.putheader("Content-Length", str(len(BODY)))
        connection.endheaders()
        connection.send(BODY[:10])
        time.sleep(0.2)
        server.terminate()
        time.sleep(DRAIN_SECONDS + 1)
        connection.send(BODY[10:])
        response = connection.getresponse()

        assert (response.status, response.getheader("connection")) == (200, "close")
        assert json.loads(response.read())["outputs"][0]["data"] == [321]
        assert server.end()[0] == 0


def test_no_request_is_lost_of_clients_that_keep_their_connection(files: Files) -> None:
    """Each asks again and again on one connection until an answer says that it closes."""
    answers: list[list[tuple[int, str | None, object]]] = [[] for _ in range(4)]

    def ask(server: Server, told: list[tuple[int, str | None, object]]) -> None:
        with server.connect() as connection:
            while not told or told[-1][1] != "close":
                told.append(infer(connection))
                time.sleep(0.002)

    with serving(files) as server:
        clients = [threading.Thread(target=ask, args=(server, told)) for told in answers]
        for client in clients:
            client.start()
        time.sleep(0.5)
        server.terminate()
        for client in clients:
            client.join(SECONDS)
        assert server.end()[0] == 0

    assert [told[-1] for told in answers] == [(200, "close", [321])] * 4
    assert [answer for told in answers for answer in told[:-1] if answer != ANSWER] == []
    assert min(map(len, answers)) > 10


def test_killed_under_load_it_gives_no_half_answer_and_the_next_one_has_its_port(files: Files) -> None:
    wrong: list[object] = []
    cut = threading.Barrier(9)

    def ask(server: Server) -> None:
        try:
            with server.connect() as connection:
                while True:
                    answer = infer(connection)
                    if answer != ANSWER:
                        wrong.append(answer)
        except (OSError, http.client.HTTPException):  # no answer, or a part of one that says so
            cut.wait(SECONDS)

    with serving(files) as server:
        clients = [threading.Thread(target=ask, args=(server,)) for _ in range(8)]
        for client in clients:
            client.start()
        time.sleep(0.5)
        server.process.kill()
        cut.wait(SECONDS)  # every client was told by its connection's end
        for client in clients:
            client.join(SECONDS)
        with serving(files, port=str(server.ready["port"])) as second, second.connect() as connection:
            assert infer(connection) == ANSWER

    assert wrong == []


def test_no_request_is_lost_that_comes_at_the_instant_its_idle_connection_closes(files: Files) -> None:
    """It is answered, or told that it was not taken: a 408 with `connection: close` may be sent again elsewhere."""
    answers: list[object] = []

    def ask(connection: http.client.HTTPConnection, at: float) -> None:
        time.sleep(max(at - time.monotonic(), 0))
        try:
            answers.append(infer(connection)[:2])
        except OSError as error:
            answers.append(repr(error))

    with serving(files) as server, contextlib.ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(200)]
        for connection in connections:
            assert infer(connection) == ANSWER
        server.terminate()
        closes = time.monotonic() + DRAIN_SECONDS
        clients = [
            threading.Thread(target=ask, args=(connection, closes - 0.4 + 0.005 * i))
            for i, connection in enumerate(connections)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join(SECONDS)
        assert server.end()[0] == 0

    assert len(answers) == len(connections)
    assert set(map(str, answers)) <= {"(200, 'close')", "(408, 'close')"}


def test_idle_connections_are_told_so_and_do_not_keep_it_from_ending(files: Files) -> None:
    """They are not held until its patience with requests under way ends: these would be cut off without a word."""
    with serving(files) as server, server.connect() as idle, server.connect() as unused:
        infer(idle)
        server.terminate()

        assert server.end()[0] == 0
        for connection in (idle, unused):
            assert answer(connection.sock).startswith(b"HTTP/1.1 408 ")


def test_an_access_file_that_cannot_be_used_keeps_it_from_starting(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "access.json"
    path.write_text('{"keys": []}')

    process = start(arguments(files, access=str(path)))
    said, complaints = process.communicate(timeout=SECONDS)

    assert (process.returncode, said) == (1, "")
    problem = "it has neither `keys` nor `jwt`, so no client would have access"
    assert complaints == f"{path} is not an access file: {problem}\n"


def test_access_control_and_none_of_it_are_not_both_chosen(files: Files, tmp_path: Path) -> None:
    process = start([*arguments(files, access=str(tmp_path / "access.json")), "--auth", "none"])

    assert process.communicate(timeout=SECONDS)[1].startswith("argument --auth: not allowed with argument --access")
    assert process.returncode == 1


def test_that_nobody_is_asked_for_a_key_has_to_be_said(files: Files) -> None:
    words = arguments(files)
    start_of = words.index("--auth")
    del words[start_of : start_of + 2]

    assert refused(words) == "one of the arguments --access --auth is required; see python -m sealift.serving --help\n"


def test_an_artifact_of_a_local_store_is_served_to_this_machine_with_a_key_that_is_shown_once(
    files: Files, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    for folder, path in (("payloads", files.payload), ("manifests", files.manifest)):
        (store / folder).mkdir(parents=True)
        path.rename(store / folder / sealed().artifact_id)
    words = ["--artifact", str(store / sealed().artifact_id), "--key", str(files.key), "--port", "0"]
    server = Server(words)
    try:
        assert (server.ready["model"], server.ready["address"]) == ("model", "127.0.0.1")
        assert server.process.stderr is not None
        shown = server.process.stderr.readline()
        key = shown.split()[-1]
        assert shown == f"http://127.0.0.1:{server.ready['port']}/ takes this key, shown this once: {key}\n"
        with server.connect() as connection:
            for headers, status in (({}, 401), ({"X-API-Key": key}, 200), ({"X-API-Key": key[:-1]}, 401)):
                connection.request("POST", "/v2/models/model/infer", BODY, headers)
                answer = connection.getresponse()
                assert (answer.status, key in answer.read().decode()) == (status, False)
        server.terminate()
        code, log, complaints = server.end()
    finally:
        server.process.kill()
        server.process.communicate()

    assert (code, complaints, key in repr(log)) == (0, "", False)
    assert "not the pinned artifact" in refused([*words, "--payload-digest", "0" * 64])
    wrong = [*words[:1], str(store / ("0" * 32)), *words[2:]]
    assert f"the store {store} has no artifact {'0' * 32}; " in refused(wrong)


def test_a_key_is_rotated_under_load_and_no_request_is_lost(files: Files, tmp_path: Path) -> None:
    """As the kubelet swings a mounted Secret: the new key from then on, the old one until it is taken out."""
    first, second = (f"sealift_{letter * 43}" for letter in "ab")
    entry = {"name": "app", "scopes": ["predict"]}

    def swing(*keys: str) -> None:
        mount(tmp_path, access=json.dumps({"keys": [entry | {"sha256": [digest(key.encode()) for key in keys]}]}))

    def status(connection: http.client.HTTPConnection, key: str) -> int:
        connection.request("POST", INFER, BODY, {"X-API-Key": key})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def until(connection: http.client.HTTPConnection, key: str, wanted: int) -> None:
        end = time.monotonic() + SECONDS
        while status(connection, key) != wanted:
            assert time.monotonic() < end

    swing(first)
    server = Server(arguments(files, access=str(tmp_path / "access.json")))
    busy: list[int] = []
    over = threading.Event()

    def load() -> None:
        with server.connect() as connection:
            while not over.is_set():
                busy.append(status(connection, first))

    try:
        client = threading.Thread(target=load)
        client.start()
        with server.connect() as connection:
            assert status(connection, second) == 401
            swing(first, second)
            until(connection, second, 200)
            over.set()
            client.join(SECONDS)
            swing(second)
            until(connection, first, 401)
            assert status(connection, second) == 200
    finally:
        over.set()
        server.process.kill()
        server.process.communicate()

    assert set(busy) == {200}


def test_sigterm_while_it_starts_ends_it_with_0(files: Files, tmp_path: Path) -> None:
    files.manifest.unlink()
    os.mkfifo(files.manifest)  # its opening waits for a writer
    process = start(arguments(files))
    time.sleep(2)
    process.send_signal(signal.SIGTERM)

    assert process.communicate(timeout=SECONDS) == ("", "")
    assert process.returncode == 0


def test_a_client_that_sends_too_much_gets_to_read_why(files: Files) -> None:
    with serving(files) as server, server.connect() as connection:
        assert infer(connection, b" " * (2 * MAX_BODY_BYTES))[:2] == (413, "close")


def test_it_writes_no_file_and_onnx_runtime_tells_nobody_of_the_model(files: Files, tmp_path: Path) -> None:
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(AUDIT)
    paths = os.pathsep.join([str(hook), *sys.path])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    environment = {"PYTHONPATH": paths, "TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    with serving(files, environment) as server:
        opened = Path(f"/proc/{server.process.pid}/fd")
        with server.connect() as connection:
            assert infer(connection) == ANSWER
            assert infer(connection, json.dumps(request([[1, 2, 3]] * 20_000)).encode())[0] == 200
        regular = [str(link.readlink()) for link in opened.iterdir() if link.is_symlink() and link.resolve().is_file()]
        server.terminate()
        code, _, complaints = server.end()

    assert (code, regular) == (0, [])
    assert re.fullmatch(r"WRITES os.mkdir \('/dev/shm/[0-9a-f]{32}', 448, -1\)\n", complaints), "its empty folder"
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_the_server_cannot_open_the_key_once_it_is_ready(files: Files, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    key = files.key.rename(tmp_path / "elsewhere" / "private.pem")
    (tmp_path / "sitecustomize.py").write_text(LAST_WORDS)
    tried = {"TRIED": f"{key} {files.manifest}", "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    with serving(replace(files, key=key), tried) as server:
        ready = server.ready
        server.terminate()
        said = server.end()[2]

    assert ready["key_hidden"] is True
    assert said == f"PermissionError\n{files.manifest.stat().st_size}\n"


def test_the_hook_above_does_see_files_that_are_written(files: Files, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(AUDIT + f'open({str(tmp_path / "x")!r}, "w").close()\n')

    with serving(files, {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}) as server:
        server.terminate()
        assert f"WRITES {tmp_path / 'x'}" in server.end()[2]


def test_rows_are_explained_where_it_is_asked_for_and_predictions_go_on(files: Files) -> None:
    server = Server([*arguments(files), "--explain"])
    try:
        with server.connect() as connection, server.connect() as other:
            connection.request("POST", INFER.replace("infer", "explain"), BODY)
            assert infer(other) == ANSWER
            response = connection.getresponse()
            answer = json.loads(response.read())
            assert response.status == 200, answer
            assert answer["outputs"][0] == {
                "name": "prediction.shap_values", "datatype": "FP64", "shape": [1, 3, 1], "data": [1, 20, 300],
            }  # fmt: skip
            assert answer["parameters"] == {"method": "exact", "evaluations": 8}
        server.terminate()
        assert (server.end()[0], server.process.returncode) == (0, 0)
    finally:
        server.process.kill()
        server.process.communicate()
