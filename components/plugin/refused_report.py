"""Where the report of a run that its gates refused is: the engine keeps nothing of an update that failed.

One small file for each TrainingRun of a stack, in the program's folder; `make report` reads it. It goes, and the
report with it, when a run of that resource is sealed, or when another refused run takes its place.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from durable.new_file import write_file
from stores import StoreError, delete_artifact, open_store

FOLDER: Final = Path(".sealift/refused-reports")
"""Below it, a folder for each stack."""


def keep(urn: str, store_url: str, report: Mapping[str, str]) -> None:
    """Notes the report, spelt as the stack's output `report`, and deletes the one before it."""
    place = _place(urn)
    if _noted(place).get("artifactId") != report["artifact_id"]:
        clear(urn)
    place.parent.mkdir(parents=True, exist_ok=True)
    noted = {
        "storeUrl": store_url, "artifactId": report["artifact_id"], "payloadDigest": report["payload_digest"],
    }  # fmt: skip
    write_file(place.absolute(), json.dumps(noted).encode())


def shown_by(urn: str) -> str:
    """The way to the report, for a message."""
    return (
        f"`make report STACK={_stack(urn)}` shows the report of this run. Outputs that the engine lists as removed "
        "below are there as before"
    )


def clear(urn: str) -> None:
    """Deletes the report of the resource's last refused run, if there is one and its store can be reached."""
    place = _place(urn)
    noted = _noted(place)
    if not noted:
        return
    with suppress(StoreError):
        delete_artifact(open_store(noted["storeUrl"]), noted["artifactId"])
    place.unlink(missing_ok=True)


def _noted(place: Path) -> dict[str, str]:
    try:
        noted: dict[str, str] = json.loads(place.read_text())
    except (OSError, ValueError):
        return {}
    return noted


def _place(urn: str) -> Path:
    """`urn:pulumi:dev::sealift::type::training` → `dev/training.json`."""
    return FOLDER / quote(_stack(urn), safe="") / f"{quote(urn.rpartition('::')[2], safe='')}.json"


def _stack(urn: str) -> str:
    return urn.removeprefix("urn:pulumi:").partition("::")[0]
