"""The access of a pod to its run: the request, and signed URLs of the run's files in the store. It is one JSON
object, which a Secret holds.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sealift.contents.codec import decode_fields, encode
from sealift.contents.errors import ContentsError
from training.errors import RunRequestError

ACCESS_FILE: Final = "access.json"
HOST: Final = "SEALIFT_POD_ADDRESS"
"""Variable with the address of the pod."""


@dataclass(frozen=True)
class PodAccess:
    """All that a pod gets. Every field is a secret of this run alone."""

    request: str = field(repr=False)
    """The request, as one line of JSON."""
    parcel_url: str = field(repr=False)
    """URL that reads the parcel."""
    record_get_url: str = field(repr=False)
    record_put_url: str = field(repr=False)
    """URLs that read and write the run's record."""
    meeting_get_url: str = field(repr=False)
    meeting_put_url: str = field(repr=False)
    """URLs that read and write the file with the first pod's address."""


def write_access(access: PodAccess) -> bytes:
    """Returns the content of access.json."""
    return json.dumps(encode(access)).encode()


def read_access(folder: Path) -> PodAccess:
    """Raises RunRequestError, which shows no secret."""
    try:
        values: Mapping[str, Any] = json.loads((folder / ACCESS_FILE).read_bytes())
        return decode_fields(PodAccess, values, "access")
    except (OSError, ValueError, AttributeError, ContentsError) as error:
        raise RunRequestError(
            f"{folder / ACCESS_FILE} cannot be read: {type(error).__name__}", "see training/pod.py"
        ) from None
