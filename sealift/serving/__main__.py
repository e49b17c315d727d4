"""`python -m sealift.serving`, the image's entry point: opens one sealed artifact, serves it until SIGTERM, exits 0.

If it cannot start, it reports the reason in one line, on standard error and in Kubernetes' termination message, and
exits with code 1.
"""

import argparse
import contextlib
import os
import resource
import signal
import sys
import time
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn

from sealift.serving import confinement, image_layout
from sealift.serving.errors import StartError
from sealift.serving.opening import Opening, Source
from sealift.serving.version import VERSION

if TYPE_CHECKING:
    from sealift.serving.certificate import Certificate
    from sealift.serving.grpc.transport import GrpcTransport
    from sealift.serving.served import Served
    from sealift.serving.tracing.exporter import Exporter
    from sealift.serving.tracing.tracer import Tracer

TERMINATION_LOG: Final = Path("/dev/termination-log")
"""Kubernetes shows its content as the reason that the container ended (Container.terminationMessagePath)."""
TERMINATION_BYTES: Final = 4096
FLUSH_SECONDS: Final = 2.0
"""Time to send the last spans. Together with the drain, it is less than the pod's grace period."""


PROGRAM: Final = "python -m sealift.serving"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise StartError(message, f"see {self.prog} --help")


def main(arguments: list[str] | None = None, program: str = PROGRAM) -> int:
    """Runs the server, which calls itself `program`. Returns the exit code."""
    started = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)  # otherwise SIGTERM would not end the first process of a container
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the plain model
    try:
        serve(_parse(arguments, program), started)
    except StartError as error:
        _tell(str(error), TERMINATION_LOG)
        return 1
    return 0


def serve(options: argparse.Namespace, started: float) -> None:
    """Serves until SIGTERM or SIGINT. Raises StartError."""
    source = _source(options)
    confinement.leave_folder()
    with Opening(source) as opening:
        watched = [path for path in (options.access, options.tls) if path is not None]
        key_hidden = confinement.hide(source.key, watched)
        # Before numpy is loaded: its OpenBLAS, unused here, would start a thread for each core of the node.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from sealift.serving.access import Access, CheckedAccess, OneKey, UncheckedAccess, new_key
        from sealift.serving.certificate import Certificate
        from sealift.serving.http.browsers import Browsers
        from sealift.serving.http.metrics_service import metrics_of
        from sealift.serving.http.service import HttpService
        from sealift.serving.http.sockets import every_address, listen
        from sealift.serving.http.transport import HttpTransport
        from sealift.serving.log import log
        from sealift.serving.metrics.cgroup import cpus
        from sealift.serving.model import load
        from sealift.serving.served import Served
        from sealift.serving.server import Server, Transport

        if options.access is None and options.auth is None:
            key = new_key()
            access: Access = OneKey(key)
        else:
            access = CheckedAccess(options.access) if options.access else UncheckedAccess()
        certificate = Certificate(options.tls) if options.tls else None
        options.host = options.host or every_address()  # in a pod, where the Service controls what reaches it
        socket = listen(options.host, options.port)
        metrics_socket = listen(options.host, options.metrics_port) if options.metrics_port is not None else None
        exporter = _exporter(options, source) if options.otlp_endpoint else None
        model = load(opening)
    tracer = None if exporter is None else _tracer(options, exporter)
    local = options.local or (options.auth == "none" and ip_address(socket.getsockname()[0]).is_loopback)
    browsers = Browsers(options.cors_origin, local=local)
    served = Served(options.name, model, access, log_all=options.access_log == "all", tracer=tracer)
    http = HttpTransport(HttpService(served, options.explain, browsers), socket, certificate)
    rpc = None if options.grpc_port is None else _rpc(options, served, certificate)
    beside: list[Transport] = []
    if metrics_socket is not None:
        info = {"model": options.name, "artifact_id": source.artifact_id, "payload_digest": source.payload_digest}
        spans = (lambda: {"sent": exporter.sent, "dropped": exporter.dropped}) if exporter is not None else dict
        metrics = metrics_of(served, lambda: http.clients, info | {"version": VERSION}, spans)
        beside.append(HttpTransport(metrics, metrics_socket, certificate))

    def ready() -> None:
        address, port = socket.getsockname()[:2]
        where: dict[str, str | float] = {"address": address, "port": port}
        if rpc is not None:
            where["grpc_port"] = rpc.port
        if metrics_socket is not None:
            where["metrics_port"] = metrics_socket.getsockname()[1]
        seconds = round(time.monotonic() - started, 3)
        artifact = source.artifact_id
        log(
            "info",
            "ready",
            model=options.name,
            artifact=artifact,
            **where,
            cpus=cpus(),
            key_hidden=key_hidden,
            seconds=seconds,
        )
        if isinstance(access, OneKey):
            scheme = "http" if certificate is None else "https"
            print(f"{scheme}://{address}:{port}/ takes this key, shown this once: {key}", file=sys.stderr, flush=True)

    if exporter is not None:
        exporter.start()
    transports: list[Transport] = [http] if rpc is None else [rpc, http]
    Server(served, transports, beside, certificate).run(ready)
    if exporter is not None:
        exporter.stop(FLUSH_SECONDS)


def _source(options: argparse.Namespace) -> Source:
    if options.artifact is None:
        return Source(options.payload, options.manifest, options.key, options.artifact_id, options.payload_digest)
    store, artifact_id = options.artifact.parent, options.artifact.name
    payload, manifest = store / image_layout.PAYLOADS / artifact_id, store / image_layout.MANIFESTS / artifact_id
    return Source(payload, manifest, options.key, artifact_id, options.payload_digest, store)


def _exporter(options: argparse.Namespace, source: Source) -> "Exporter":
    """Raises StartError."""
    import uuid

    from sealift.serving.tracing.exporter import Exporter

    resource = {
        "service.name": options.name,
        "service.version": VERSION,
        "service.instance.id": str(uuid.uuid4()),
        "sealift.artifact.id": source.artifact_id,
        "sealift.payload.digest": source.payload_digest,
    }
    return Exporter(options.otlp_endpoint, resource)


def _tracer(options: argparse.Namespace, exporter: "Exporter") -> "Tracer":
    from sealift.serving.tracing.tracer import Tracer

    return Tracer(options.trace_ratio, "https" if options.tls else "http", exporter.offer)


def _rpc(options: argparse.Namespace, served: "Served", certificate: "Certificate | None") -> "GrpcTransport":
    """gRPC beside HTTP: the same model, access and batches. Loaded only on request, because it takes memory."""
    from sealift.serving.grpc.transport import GrpcTransport
    from sealift.serving.memory_budget import MAX_BODY_BYTES

    pem = None if certificate is None else lambda: certificate.pem
    return GrpcTransport(served, options.host, options.grpc_port, MAX_BODY_BYTES, pem)


def _parse(arguments: list[str] | None, program: str = PROGRAM) -> argparse.Namespace:
    about = "Serves one sealed model over the Open Inference Protocol v2."
    parser = _Parser(prog=program, description=about)
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="private or data key of the artifact")
    store = "artifact in a local store, by its id (listens on this machine only, unless --host is given)"
    parser.add_argument("--artifact", type=Path, metavar="STORE/ID", help=store)
    for name in ("payload", "manifest"):
        parser.add_argument(
            f"--{name}", type=Path, metavar="FILE", help=f"the artifact's {name}, instead of --artifact (in a pod)"
        )
    parser.add_argument("--artifact-id", metavar="HEX", help="expected id of the artifact; another one is refused")
    digest = "expected SHA-256 digest of the payload (default with --artifact: the digest in the artifact's manifest)"
    parser.add_argument("--payload-digest", metavar="HEX", help=digest)
    parser.add_argument("--name", default="model", help="model name in the URLs, /v2/models/NAME (default: model)")
    who = parser.add_mutually_exclusive_group()
    who.add_argument(
        "--access", type=Path, metavar="FILE", help="file of API keys or a token issuer, with the scopes of clients"
    )
    who.add_argument("--auth", choices=["none"], help="no access control: anyone who reaches the port is served")
    tls = "folder with tls.crt and tls.key, like a mounted Secret of type kubernetes.io/tls (default: no TLS)"
    parser.add_argument("--tls", type=Path, metavar="FOLDER", help=tls)
    host = "network address to listen on (default: all IPv6 and IPv4 addresses; with --artifact, 127.0.0.1)"
    parser.add_argument("--host", help=host)
    port = f"port for HTTP; 0 picks a free one, which the log shows (default: {image_layout.PORT})"
    parser.add_argument("--port", type=_port, default=image_layout.PORT, help=port)
    origin = "origin whose pages may send requests: https://app.example.com, or * for all; repeatable (default: none)"
    parser.add_argument("--cors-origin", metavar="ORIGIN", action="append", default=[], help=origin)
    local = "restriction to requests whose Host is localhost (default: only if it listens on loopback with --auth none)"
    parser.add_argument("--local", action="store_true", help=local)
    rpc = f"port for gRPC; 0 picks a free one, pods use {image_layout.GRPC_PORT} (default: no gRPC, which saves memory)"
    parser.add_argument("--grpc-port", type=_port, metavar="PORT", help=rpc)
    lines = "requests that the log has a line for (default: errors)"
    parser.add_argument("--access-log", choices=["all", "errors"], default="errors", help=lines)
    why = "explanations of predictions at /v2/models/NAME/explain (default: no, since they need much CPU time)"
    parser.add_argument("--explain", action="store_true", help=why)
    metrics = f"port for Prometheus metrics at {image_layout.METRICS_PATH}; 0 picks a free one (default: no metrics)"
    parser.add_argument("--metrics-port", type=_port, metavar="PORT", help=metrics)
    spans = "collector of trace spans, sent as OTLP over HTTP to URL/v1/traces (default: no tracing)"
    parser.add_argument("--otlp-endpoint", metavar="URL", help=spans)
    ratio = "share of requests without a traceparent to trace, 0 to 1; others follow their traceparent (default: 0)"
    parser.add_argument("--trace-ratio", type=_ratio, default=0.0, metavar="RATIO", help=ratio)
    options = parser.parse_args(arguments)
    for name, value in vars(options).items():
        if isinstance(value, Path):
            setattr(options, name, value.absolute())  # the server changes its working directory before it reads them
    if options.artifact is not None:
        _refuse_beside(parser, options, ("payload", "manifest", "artifact_id"))
        options.host = options.host or "127.0.0.1"
        return options
    needed = ("payload", "manifest", "artifact_id", "payload_digest")
    missing = [name.replace("_", "-") for name in needed if getattr(options, name) is None]
    if missing:
        parser.error(f"the following arguments are required: --{', --'.join(missing)}, or --artifact")
    if options.access is None and options.auth is None:
        parser.error("one of the arguments --access --auth is required")
    return options


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid int value: {text!r}") from None
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; allowed: 0 to 65535")
    return port


def _ratio(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a ratio; allowed: 0 to 1")
    return value


def _refuse_beside(parser: argparse.ArgumentParser, options: argparse.Namespace, names: tuple[str, ...]) -> None:
    given = [name.replace("_", "-") for name in names if getattr(options, name) is not None]
    if given:
        parser.error(f"argument --{given[0]}: not allowed with argument --artifact")


def _tell(reason: str, termination_log: Path) -> None:
    line = f"{reason}\n".encode()
    with contextlib.suppress(OSError):  # standard error is closed
        os.write(sys.stderr.fileno(), line)
    with contextlib.suppress(OSError):  # not in a container, or not writable
        descriptor = os.open(termination_log, os.O_WRONLY | os.O_TRUNC)  # never creates it
        try:
            os.write(descriptor, line[:TERMINATION_BYTES])
        finally:
            os.close(descriptor)


def _leave(_number: int, _frame: FrameType | None) -> None:
    """Exits at once, before serving has begun. An exception would be raised within the import of a library, which makes
    an error of its own of it. The process that opens the artifact ends with this one.
    """
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
