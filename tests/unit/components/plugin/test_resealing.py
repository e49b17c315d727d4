"""A resealed artifact has the same model under another key; an attempt that was killed is done again."""

from pathlib import Path

import pytest

from components.plugin.resealing import OldArtifact, Resealing
from sealift.sealing import (
    ArtifactCorrupt,
    Sealed,
    WrongKey,
    describe,
    new_artifact_id,
    open_artifact,
    recipient_ids,
    record_key,
    seal,
    unwrap,
)
from sealift.stores import (
    PAYLOADS,
    Store,
    StoreError,
    artifact_ids,
    delete_artifact,
    get_manifest,
    get_payload,
    hold_lease,
    open_store,
    put_artifact,
)
from tests.keys import key_pair
from tests.unit.stores.contract import lines
from training.checkpoint import Records, SealedRecord

KEY = b"k" * 32
RUN = "ab" * 32
OURS, OTHER = key_pair(0), key_pair(1)
MODEL, REPORT = b"model " * 1000, b"<html>report</html>"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"file://{tmp_path}/store")


def put(store: Store, content: bytes, **description: str) -> OldArtifact:
    sealed = seal(content, description, [OURS.recipient], new_artifact_id())
    put_artifact(store, sealed.artifact_id, sealed.payload, sealed.manifest)
    return OldArtifact(sealed.artifact_id, sealed.payload_digest, sealed.manifest)


@pytest.fixture
def model(store: Store) -> OldArtifact:
    return put(store, MODEL, task="regression")


@pytest.fixture
def report(store: Store, model: OldArtifact) -> OldArtifact:
    report = put(store, REPORT, of=model.artifact_id)
    with hold_lease(store, RUN) as fence:
        result = {"artifact_id": model.artifact_id, "payload_digest": model.payload_digest, "payload_size": 1}
        reports = {"key": (report.artifact_id, report.payload_digest)}
        Records(store, record_key(KEY, RUN), RUN, fence).save(SealedRecord(result, reports, b"evidence"))
    return report


def opened(store: Store, sealed: Sealed) -> bytes:
    manifest, payload = get_manifest(store, sealed.artifact_id), get_payload(store, sealed.artifact_id)
    pinned = open_artifact(
        manifest, payload, OURS, artifact_id=sealed.artifact_id, payload_digest=sealed.payload_digest
    )
    return bytes(pinned.model)


def recorded(store: Store) -> SealedRecord:
    with hold_lease(store, RUN) as fence:
        record = Records(store, record_key(KEY, RUN), RUN, fence).load()
    assert isinstance(record, SealedRecord)
    return record


def test_model_and_report_are_the_same_under_other_keys(store: Store, model: OldArtifact, report: OldArtifact) -> None:
    made, made_report = Resealing(store, KEY, RUN, "2027").reseal(model, report, [OTHER, OURS], [OURS.recipient])

    assert made_report is not None
    assert (opened(store, made), opened(store, made_report)) == (MODEL, REPORT)
    assert describe(made.manifest, OURS) == {"task": "regression"}
    assert describe(made_report.manifest, OURS) == {"of": made.artifact_id}
    assert unwrap(made.manifest, [OURS]) != unwrap(model.manifest, [OURS])
    assert recipient_ids(made.manifest) == {OURS.key_id}
    record = recorded(store)
    assert (record.result["artifact_id"], record.result["payload_digest"]) == (made.artifact_id, made.payload_digest)
    assert {*map(tuple, record.reports.values())} == {(made_report.artifact_id, made_report.payload_digest)}


def test_opening_and_sealing_again_have_their_lines(store: Store, model: OldArtifact) -> None:
    before = len(lines(store))
    made, _ = Resealing(store, KEY, RUN, "2027").reseal(model, None, [OURS], [OURS.recipient])
    with pytest.raises(WrongKey):
        Resealing(store, KEY, RUN, "2028").reseal(model, None, [OTHER], [OURS.recipient])

    assert [(one.action, one.artifact_id, one.payload_digest, one.outcome) for one in lines(store)[before:]] == [
        ("open", model.artifact_id, model.payload_digest, "begun"),
        ("open", model.artifact_id, model.payload_digest, "done"),
        ("seal", made.artifact_id, "", "begun"),
        ("seal", made.artifact_id, made.payload_digest, "done"),
        ("open", model.artifact_id, "", "refused"),
    ]


def test_what_an_earlier_attempt_recorded_is_taken_though_the_old_artifacts_are_gone(
    store: Store, model: OldArtifact, report: OldArtifact
) -> None:
    resealing = Resealing(store, KEY, RUN, "2027")
    first = resealing.reseal(model, report, [OURS], [OURS.recipient])
    for old in (model, report):
        delete_artifact(store, old.artifact_id)

    assert resealing.reseal(model, report, [OURS], [OURS.recipient]) == first


def test_an_attempt_that_was_not_recorded_is_done_again_and_leaves_nothing(
    store: Store, model: OldArtifact, report: OldArtifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    resealing = Resealing(store, KEY, RUN, "2027")
    with monkeypatch.context() as patch:
        patch.setattr(Records, "save", lambda *_: (_ for _ in ()).throw(StoreError("killed")))
        with pytest.raises(StoreError, match="killed"):
            resealing.reseal(model, report, [OURS], [OURS.recipient])
    left = artifact_ids(store)

    made, _ = resealing.reseal(model, report, [OURS], [OURS.recipient])

    assert artifact_ids(store) == left and len(left) == 4
    assert opened(store, made) == MODEL


def test_without_a_record_of_this_model_the_artifacts_are_sealed_alone(store: Store, model: OldArtifact) -> None:
    made, made_report = Resealing(store, KEY, RUN, "2027").reseal(model, None, [OURS], [OURS.recipient])

    assert made_report is None and opened(store, made) == MODEL


def test_a_payload_that_was_replaced_is_not_sealed_again(store: Store, model: OldArtifact, report: OldArtifact) -> None:
    before = artifact_ids(store)
    payload = bytearray(get_payload(store, model.artifact_id))
    payload[-1] ^= 1
    store.delete(PAYLOADS, model.artifact_id)
    store.put(PAYLOADS, model.artifact_id, payload)

    with pytest.raises(ArtifactCorrupt):
        Resealing(store, KEY, RUN, "2027").reseal(model, None, [OURS], [OURS.recipient])
    assert artifact_ids(store) == before


def test_a_stack_without_a_key_of_it_cannot_seal_it_again(store: Store, model: OldArtifact) -> None:
    with pytest.raises(WrongKey):
        Resealing(store, KEY, RUN, "2027").reseal(model, None, [OTHER], [OTHER.recipient])


def test_each_name_and_each_store_key_gives_another_id() -> None:
    store, old = open_store("file:///nowhere"), "cd" * 16

    ids = {Resealing(store, key, RUN, name).new_id(old) for key in (KEY, b"x" * 32) for name in ("2027", "2028")}

    assert len(ids) == 4 and all(len(one) == 32 for one in ids)
