"""`python -m serving`, the image's entry point: opens one sealed artifact, serves it until SIGTERM, exits 0.

What keeps it from starting is told in one line, on standard error and in Kubernetes' termination message, with exit
code 1.
"""

import argparse
import contextlib
import os
import resource
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn

from serving import places
from serving.errors import StartError
from serving.opening import Opening, Source
from serving.version import VERSION

if TYPE_CHECKING:
    from serving.grpc.server import Server as RpcServer
    from serving.http.service import Service
    from serving.http.tls import Certificate
    from serving.model import Model

TERMINATION_LOG: Final = Path("/dev/termination-log")
"""What is in it, Kubernetes shows as the reason that the container ended (Container.terminationMessagePath)."""
TERMINATION_BYTES: Final = 4096


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise StartError(message, "see python -m serving --help")


def main(arguments: list[str] | None = None) -> int:
    """The exit code."""
    started = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)  # as a container's first process it would not end by SIGTERM otherwise
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the plain model
    try:
        serve(_parse(arguments), started)
    except StartError as error:
        _tell(str(error), TERMINATION_LOG)
        return 1
    return 0


def serve(options: argparse.Namespace, started: float) -> None:
    """Returns when told to stop. Raises StartError."""
    source = Source(options.payload, options.manifest, options.key, options.artifact_id, options.payload_digest)
    with Opening(source) as opening:
        # Before numpy is loaded: its OpenBLAS, idle here, would start a thread for each of the node's cores.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from serving.access import CheckedAccess, UncheckedAccess
        from serving.http.metrics_service import metrics_of
        from serving.http.server import Server, listen
        from serving.http.service import Service
        from serving.http.tls import Certificate
        from serving.log import log
        from serving.metrics.cgroup import cpus
        from serving.model import load

        access = CheckedAccess(options.access) if options.access else UncheckedAccess()
        certificate = Certificate(options.tls) if options.tls else None
        socket = listen(options.host, options.port)
        metrics_socket = listen(options.host, options.metrics_port) if options.metrics_port is not None else None
        model = load(opening)
    service = Service(options.name, model, access, options.access_log == "all")
    rpc = None if options.grpc_port is None else _rpc(options, model, service, certificate)
    server = Server(service, rpc, certificate)
    if metrics_socket is not None:
        info = {"model": options.name, "artifact_id": source.artifact_id, "payload_digest": source.payload_digest}
        server.also(metrics_of(server, service, info | {"version": VERSION}), metrics_socket)

    def ready() -> None:
        address, port = socket.getsockname()[:2]
        where: dict[str, str | float] = {"address": address, "port": port}
        if rpc is not None:
            where["grpc_port"] = rpc.port
        if metrics_socket is not None:
            where["metrics_port"] = metrics_socket.getsockname()[1]
        seconds = round(time.monotonic() - started, 3)
        artifact = source.artifact_id
        log("info", "ready", model=options.name, artifact=artifact, **where, cpus=cpus(), seconds=seconds)

    server.run(socket, ready)


def _rpc(
    options: argparse.Namespace, model: "Model", service: "Service", certificate: "Certificate | None"
) -> "RpcServer":
    """gRPC beside HTTP: the same model, clients and runs. Loaded only where it is asked for, since it takes memory."""
    from serving.grpc.server import Server
    from serving.grpc.service import Served
    from serving.http.limits import MAX_BODY_BYTES

    served = Served(options.name, model, service.batches.run, service.access, lambda: not service.draining)
    pem = None if certificate is None else lambda: certificate.pem
    return Server(served, options.host, options.grpc_port, MAX_BODY_BYTES, pem)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    about = "Serves one sealed model over the Open Inference Protocol v2."
    parser = _Parser(prog="python -m serving", description=about)
    for name in ("payload", "manifest", "key"):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="FILE")
    parser.add_argument("--artifact-id", required=True, metavar="HEX", help="the artifact that it must be")
    parser.add_argument("--payload-digest", required=True, metavar="HEX", help="the payload that it must have")
    parser.add_argument("--name", required=True, help="what clients ask for: /v2/models/NAME")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--access", type=Path, metavar="FILE", help="who may ask (serving/access/access_file.py)")
    who.add_argument("--auth", choices=["none"], help="none: anyone who reaches the port may ask")
    tls = "of tls.crt and tls.key, as a Secret of type kubernetes.io/tls is mounted (default: no TLS)"
    parser.add_argument("--tls", type=Path, metavar="FOLDER", help=tls)
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on (default: all of IPv4)")  # noqa: S104
    port = f"0 is any free one, see the log (default: {places.PORT})"
    parser.add_argument("--port", type=int, default=places.PORT, help=port)
    rpc = f"0 is any free one; in a pod it is {places.GRPC_PORT} (default: none, gRPC takes some memory)"
    parser.add_argument("--grpc-port", type=int, metavar="PORT", help=rpc)
    lines = "which requests have a line in the log (default: errors)"
    parser.add_argument("--access-log", choices=["all", "errors"], default="errors", help=lines)
    metrics = f"of {places.METRICS_PATH} for Prometheus; 0 is any free one (default: none)"
    parser.add_argument("--metrics-port", type=int, metavar="PORT", help=metrics)
    return parser.parse_args(arguments)


def _tell(reason: str, termination_log: Path) -> None:
    line = f"{reason}\n".encode()
    with contextlib.suppress(OSError):  # nobody reads it
        os.write(sys.stderr.fileno(), line)
    with contextlib.suppress(OSError):  # not in a container, or not ours to write
        descriptor = os.open(termination_log, os.O_WRONLY | os.O_TRUNC)  # never creates it
        try:
            os.write(descriptor, line[:TERMINATION_BYTES])
        finally:
            os.close(descriptor)


def _leave(_number: int, _frame: FrameType | None) -> None:
    """Before serving: at once."""
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
