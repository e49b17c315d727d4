"""What is noted of a refused run's report, and what goes when another takes its place."""

import json
from pathlib import Path
from typing import Any

import pytest

from components.plugin import refused_report
from sealift.stores import MANIFESTS, PAYLOADS, RECORDS, Store, get_record, open_store
from sealift.stores.store import KEYS

URN = "urn:pulumi:dev::sealift::sealift:index:TrainingRun::training/one"
FIRST, SECOND = "ab" * 16, "cd" * 16


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.chdir(tmp_path)
    return open_store(f"file://{tmp_path / 'store'}")


def keep(store: Store, artifact_id: str) -> None:
    """Of a run that has just sealed this report."""
    if artifact_id not in store.names(MANIFESTS):
        store.put(PAYLOADS, artifact_id, b"report")
        store.put(MANIFESTS, artifact_id, b"{}")
    if get_record(store, artifact_id[::-1]) is None:
        store.swap(RECORDS, artifact_id[::-1], b"the refused model", None)
    report = {"artifact_id": artifact_id, "payload_digest": "12" * 32}
    refused_report.keep(URN, f"file://{store.location}", artifact_id[::-1], report)


def noted() -> list[tuple[str, Any]]:
    files = sorted(path for path in Path(".sealift").rglob("*") if path.is_file())
    return [(str(path), json.loads(path.read_text())) for path in files]


def test_it_is_noted_as_the_output_is_spelt_by_stack_and_name(store: Store) -> None:
    keep(store, FIRST)

    said = {
        "storeUrl": f"file://{store.location}", "artifactId": FIRST, "payloadDigest": "12" * 32, "runId": FIRST[::-1],
        "recordVersion": store.read(RECORDS, FIRST[::-1]).version,
    }  # fmt: skip
    assert noted() == [(".sealift/refused-reports/dev/training%2Fone.json", said)]


def test_its_own_key_goes_with_it(store: Store, tmp_path: Path) -> None:
    keys = open_store(f"file://{tmp_path}/keys")
    keys.put(KEYS, FIRST, bytes(32))
    store.put(MANIFESTS, FIRST, b"{}")
    report = {"artifact_id": FIRST, "payload_digest": "12" * 32}
    refused_report.keep(URN, f"file://{store.location}", "ef" * 16, report, f"file://{tmp_path}/keys")
    assert noted()[0][1]["keysUrl"] == f"file://{tmp_path}/keys", "`make report` needs it"

    refused_report.clear(URN)

    assert keys.names(KEYS) == store.names(MANIFESTS) == []


def test_another_one_takes_its_place_and_the_first_report_goes(store: Store) -> None:
    keep(store, FIRST)
    keep(store, SECOND)

    assert [one["artifactId"] for _, one in noted()] == [SECOND]
    assert list(store.names(MANIFESTS)) == list(store.names(PAYLOADS)) == [SECOND]
    assert store.names(RECORDS) == [SECOND[::-1]], "a record has the whole model that was refused"


def test_the_same_one_is_noted_again_and_stays(store: Store) -> None:
    keep(store, FIRST)
    keep(store, FIRST)

    assert list(store.names(MANIFESTS)) == list(store.names(PAYLOADS)) == [FIRST]


def test_a_sealed_run_clears_it_and_its_report(store: Store) -> None:
    keep(store, FIRST)
    refused_report.clear(URN)
    refused_report.clear(URN)

    assert noted() == []
    assert list(store.names(MANIFESTS)) == list(store.names(PAYLOADS)) == store.names(RECORDS) == []


def test_a_record_that_another_resource_has_sealed_since_stays(store: Store) -> None:
    """The same run with a lower gate: its record has the model that is served."""
    keep(store, FIRST)
    store.swap(RECORDS, FIRST[::-1], b"sealed", store.read(RECORDS, FIRST[::-1]).version)

    refused_report.clear(URN)

    assert store.get(RECORDS, FIRST[::-1]) == b"sealed"
    assert noted() == []


def test_the_record_of_the_run_that_is_sealed_now_stays(store: Store) -> None:
    """A gate that is lowered makes no other run."""
    keep(store, FIRST)
    refused_report.clear(URN, FIRST[::-1])

    assert noted() == []
    assert store.names(RECORDS) == [FIRST[::-1]]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"artifactId": 3}'])
def test_a_note_that_is_not_whole_is_none(store: Store, content: str) -> None:
    keep(store, FIRST)
    file = Path(".sealift/refused-reports/dev/training%2Fone.json")
    file.write_text(content)

    refused_report.clear(URN)

    assert not file.exists()


def test_one_of_another_resource_or_stack_stays(store: Store) -> None:
    keep(store, FIRST)
    refused_report.clear(URN.replace("one", "two"))
    refused_report.clear(URN.replace("dev", "prod"))

    assert len(noted()) == 1


def test_a_store_that_has_gone_keeps_no_note(store: Store) -> None:
    keep(store, FIRST)
    Path(store.location).rename("elsewhere")
    Path(store.location).touch()

    refused_report.clear(URN)

    assert noted() == []


def test_a_note_that_cannot_be_read_is_written_anew(store: Store) -> None:
    keep(store, FIRST)
    Path(noted()[0][0]).write_text("{")

    keep(store, SECOND)

    assert [one["artifactId"] for _, one in noted()] == [SECOND]


def test_with_a_stack_s_key_all_its_reports_go_and_none_of_another_stack(store: Store) -> None:
    """Its first run was refused, so there is no resource whose end would clear them."""
    keep(store, FIRST)
    refused_report.clear_stack("urn:pulumi:prod::sealift::sealift:index:SealingKey::store")
    assert len(noted()) == 1

    refused_report.clear_stack("urn:pulumi:dev::sealift::sealift:index:SealingKey::store")

    assert noted() == []
    assert store.names(MANIFESTS) == store.names(PAYLOADS) == store.names(RECORDS) == []
