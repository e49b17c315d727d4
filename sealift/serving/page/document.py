"""The model's page as one file without external assets, and headers that let a browser run only its content."""

import base64
import hashlib
from pathlib import Path
from typing import Final

from sealift.serving.protocol.contract import Document

FOLDER: Final = Path(__file__).parent


def document() -> Document:
    """Returns page.html with page.css and page.js inserted."""
    style, script = (FOLDER.joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    shell = FOLDER.joinpath("page.html").read_text("utf-8")
    whole = shell.replace("/* page.css */", style).replace("/* page.js */", script)
    headers = {
        "content-security-policy": _policy(style, script),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-cache",
    }
    return Document(whole.encode(), "text/html; charset=utf-8", headers)


def _policy(style: str, script: str) -> str:
    """Returns the Content Security Policy (Level 3): only this style, this script, and requests to this server."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
