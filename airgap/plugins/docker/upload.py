"""A file that is uploaded into a container before it starts."""

import io
import tarfile
from base64 import b64decode
from typing import Any


def archive(upload: dict[str, Any]) -> bytes:
    """Packs one file for the engine. Missing folders are created with owner root."""
    content = b64decode(upload["contentBase64"]) if "contentBase64" in upload else upload["content"].encode()
    file = tarfile.TarInfo(upload["file"].lstrip("/"))
    file.size, file.mode = len(content), int(upload.get("permissions") or "0644", 8)
    file.uid, file.gid = int(upload.get("owner") or 0), int(upload.get("group") or 0)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(file, io.BytesIO(content))
    return packed.getvalue()
