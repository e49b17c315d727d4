"""Notes on the report of a run that its gates refused, because the engine keeps nothing of a failed update.

There is one small file for each TrainingRun of a stack, in the program's folder; `make report` reads it. The file and
the report are deleted when a run of that resource is sealed, or when another refused run replaces them.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sealift.durable.new_file import write_file
from sealift.stores import RECORDS, StoreError, delete_artifact, open_store, version_of

FOLDER: Final = Path(".sealift/refused-reports")
"""Folder of the notes, with a subfolder for each stack."""
NOTED: Final = ("storeUrl", "artifactId", "payloadDigest", "runId", "recordVersion")


def keep(urn: str, store_url: str, run_id: str, report: Mapping[str, str], keys_url: str | None = None) -> None:
    """Notes the report in the form of the stack's output `report`, and deletes the previous one. The run's record is
    noted too, unless its model is sealed in spite of the refusal (`of`), because that model may be served.
    """
    place = _place(urn)
    if _read_note(place).get("artifactId") != report["artifact_id"]:
        clear(urn, run_id)
    place.parent.mkdir(parents=True, exist_ok=True)
    version = None if "of" in report else version_of(open_store(store_url), RECORDS, run_id)
    noted = {
        "storeUrl": store_url, "artifactId": report["artifact_id"], "payloadDigest": report["payload_digest"],
        "runId": run_id, "recordVersion": version or "", **({} if keys_url is None else {"keysUrl": keys_url}),
    }  # fmt: skip
    write_file(place.absolute(), json.dumps(noted).encode())


def say_what_shows(urn: str) -> str:
    """Returns the command that shows the report, for a message."""
    return (
        f"`make report STACK={_stack(urn)}` shows the report of this run. Outputs that the engine lists as removed "
        "below still exist"
    )


def clear(urn: str, run_id: str = "") -> None:
    """Deletes the report of the resource's last refused run and the run's record, which contains the refused model, if
    they exist and their store can be reached. The record of the current run `run_id` stays. A record that has changed
    since stays too: another resource with other gates works on that run, or has sealed its model.
    """
    _clear(_place(urn), run_id)


def clear_stack(urn: str) -> None:
    """Does the same for all resources of the stack of `urn`: without the stack's key, nobody can open a report."""
    for place in _folder(urn).glob("*.json"):
        _clear(place)


def _clear(place: Path, run_id: str = "") -> None:
    noted = _read_note(place)
    if not noted:
        place.unlink(missing_ok=True)
        return
    with suppress(StoreError):
        store = open_store(noted["storeUrl"], noted.get("keysUrl"))
        delete_artifact(store, noted["artifactId"])
        if noted["recordVersion"] and noted["runId"] != run_id:
            store.delete(RECORDS, noted["runId"], noted["recordVersion"])
    place.unlink(missing_ok=True)


def _read_note(place: Path) -> dict[str, str]:
    try:
        noted = json.loads(place.read_text())
    except (OSError, ValueError):
        return {}
    is_whole = isinstance(noted, dict) and all(isinstance(noted.get(name), str) for name in NOTED)
    return noted if is_whole else {}


def _place(urn: str) -> Path:
    """Returns the file for a resource: `urn:pulumi:dev::sealift::type::training` → `dev/training.json`."""
    return _folder(urn) / f"{quote(urn.rpartition('::')[2], safe='')}.json"


def _folder(urn: str) -> Path:
    return FOLDER / quote(_stack(urn), safe="")


def _stack(urn: str) -> str:
    return urn.removeprefix("urn:pulumi:").partition("::")[0]
