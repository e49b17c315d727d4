"""The certificate that the server shows: `tls.crt` and `tls.key` in one folder, as Kubernetes mounts a Secret of type
kubernetes.io/tls, and read again when another one is mounted. Connections that are open keep the one that they have.
"""

import ssl
from pathlib import Path
from typing import Final

from sealift.serving import image_layout
from sealift.serving.access.watched import WatchedFiles
from sealift.serving.errors import StartError
from sealift.serving.log import log

MOST_BYTES: Final = 1 << 20
"""Of each: what a Secret can hold."""


class Certificate:
    """For TLS 1.2 and later, with the library's own choice of ciphers."""

    def __init__(self, folder: Path) -> None:
        """Raises StartError."""
        self._paths = folder / image_layout.CERTIFICATE_FILE, folder / image_layout.CERTIFICATE_KEY_FILE
        self._files = WatchedFiles()
        self._used, self.pem = self._read()
        """And the chain with its private key."""
        self.context = self._used
        """For all connections. Each takes, as its handshake begins, the certificate that is in use then."""
        self.context.sni_callback = self._choose

    def refresh(self) -> None:
        """Takes over another one. A broken one changes nothing and is told once."""
        if not self._files.have_changed():
            return
        self._files = WatchedFiles()
        try:
            self._used, self.pem = self._read()
            log("info", "certificate read")
        except StartError as error:
            log("error", "certificate not read, the last one stays in use", reason=str(error))

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """OpenSSL asks at every client's hello, whether it names a host or not."""
        connection.context = self._used

    def _read(self) -> tuple[ssl.SSLContext, tuple[bytes, bytes]]:
        """Into a context of its own: one that is in use would lose its certificate to a key that does not fit."""
        certificate, key = self._paths
        context = _context()
        pem = self._files.read(certificate, MOST_BYTES), self._files.read(key, MOST_BYTES)
        try:
            context.load_cert_chain(certificate, key, password=_no_password)
        except (ssl.SSLError, ValueError, OSError):  # whose messages say no more than a number
            hint = "mount a chain and its unencrypted private key, both in PEM"
            raise StartError(f"{certificate} and {key} are no certificate and its key", hint) from None
        return context, pem


def _context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    return made


def _no_password() -> str:
    """Without this, the terminal would be asked for it."""
    return ""
