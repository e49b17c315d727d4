"""`python -m sealift.serving.health [--tls]`: exits 0 if this container's server is ready, else 1 with a reason.

Used by Docker's health check, because the image has no shell and no curl. It loads nothing of the server.
"""

import socket
import ssl
import sys

from sealift.serving import image_layout

SECONDS = 4.0


def main(arguments: list[str]) -> int:
    """Checks the server. Returns the exit code."""
    try:
        status = ask_status(image_layout.PORT, tls="--tls" in arguments)
    except OSError as error:
        status = f"no answer: {error}"
    if status.split()[1:2] == ["200"]:
        return 0
    print(status, file=sys.stderr)
    return 1


def ask_status(port: int, *, tls: bool) -> str:
    """Requests the readiness of the server on this machine. Returns the status line. Raises OSError."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as plain:
        connection = _any_certificate().wrap_socket(plain) if tls else plain
        with connection:
            connection.sendall(b"GET /v2/health/ready HTTP/1.0\r\n\r\n")
            return connection.makefile("rb").readline(256).decode("latin-1").strip()


def _any_certificate() -> ssl.SSLContext:
    """A context that accepts any certificate, since the server's is for its clients' names, not for 127.0.0.1."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
