"""An artifact is deleted when the last resource that uses it lets go, never before."""

from pathlib import Path

import pytest

from components.plugin.ownership import Owner, Owners, OwnersUnreadable
from sealift.stores import MANIFESTS, ArtifactMissing, Store, delete_artifact, has_artifact, open_store, put_artifact
from tests.store_files import store_files

ARTIFACT = "ab" * 16
KEY = b"k" * 32
MODEL = "urn:pulumi:dev::shop::sealift:index:TrainingRun::model"
RENAMED = "urn:pulumi:dev::shop::sealift:index:TrainingRun::renamed"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(f"file://{tmp_path}/store")
    put_artifact(store, ARTIFACT, b"payload", b"{}")
    return store


class Deletion:
    """Counts how often the artifact was deleted."""

    def __init__(self, store: Store) -> None:
        self.count, self._store = 0, store

    def __call__(self) -> None:
        self.count += 1
        delete_artifact(self._store, ARTIFACT)


def test_an_artifact_stays_while_another_resource_uses_it(store: Store) -> None:
    owners, delete = Owners(store, KEY, ARTIFACT), Deletion(store)
    owners.claim(Owner(MODEL, "model-1"))
    owners.claim(Owner(RENAMED, "renamed-1"))

    assert owners.release(Owner(MODEL, "model-1"), delete) == 1
    assert delete.count == 0 and has_artifact(store, ARTIFACT)

    assert owners.release(Owner(RENAMED, "renamed-1"), delete) == 0
    assert delete.count == 1


def test_what_is_replaced_lets_go_without_taking_the_replacement_s_artifact(store: Store) -> None:
    owners, delete = Owners(store, KEY, ARTIFACT), Deletion(store)
    owners.claim(Owner(MODEL, "model-1"))
    owners.claim(Owner(MODEL, "model-2"))

    assert owners.release(Owner(MODEL, "model-1"), delete) == 1
    assert delete.count == 0


def test_the_claim_of_a_killed_create_does_not_keep_an_artifact_for_ever(store: Store) -> None:
    owners, delete = Owners(store, KEY, ARTIFACT), Deletion(store)
    owners.claim(Owner(MODEL, "killed-before-the-engine-knew"))
    owners.claim(Owner(MODEL, "model-1"))

    assert owners.release(Owner(MODEL, "model-1"), delete) == 0
    assert delete.count == 1


def test_a_resource_without_a_claim_does_not_delete_what_others_use(store: Store) -> None:
    owners, delete = Owners(store, KEY, ARTIFACT), Deletion(store)
    owners.claim(Owner(RENAMED, "renamed-1"))

    assert owners.release(Owner(MODEL, "made-by-an-older-release"), delete) == 1
    assert delete.count == 0


def test_a_claim_of_an_artifact_that_was_just_deleted_fails(store: Store) -> None:
    delete_artifact(store, ARTIFACT)

    with pytest.raises(ArtifactMissing, match="just deleted"):
        Owners(store, KEY, ARTIFACT).claim(Owner(MODEL, "model-1"))


def files(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in store_files(folder)]


def test_what_is_left_of_an_artifact_without_a_manifest_is_deleted_and_no_lock_is_made(
    store: Store, tmp_path: Path
) -> None:
    store.delete(MANIFESTS, ARTIFACT)
    assert files(tmp_path) != []

    delete = Deletion(store)
    assert Owners(store, KEY, ARTIFACT).release(Owner(MODEL, "model-1"), delete) == 0

    assert (delete.count, files(tmp_path)) == (1, [])


def test_a_store_that_is_not_there_is_not_made_by_letting_go(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/nowhere")

    assert Owners(store, KEY, ARTIFACT).release(Owner(MODEL, "model-1"), Deletion(store)) == 0
    assert list(tmp_path.iterdir()) == []


def test_an_artifact_that_lost_its_manifest_stays_while_another_resource_claims_it(store: Store) -> None:
    owners, delete = Owners(store, KEY, ARTIFACT), Deletion(store)
    owners.claim(Owner(MODEL, "model-1"))
    owners.claim(Owner(RENAMED, "renamed-1"))
    store.delete(MANIFESTS, ARTIFACT)

    assert owners.release(Owner(MODEL, "model-1"), delete) == 1
    assert delete.count == 0
    assert owners.release(Owner(RENAMED, "renamed-1"), delete) == 0
    assert delete.count == 1


def test_an_artifact_without_a_list_of_owners_is_deleted_by_the_one_who_lets_go(store: Store, tmp_path: Path) -> None:
    delete = Deletion(store)

    assert Owners(store, KEY, ARTIFACT).release(Owner(MODEL, "made-by-an-older-release"), delete) == 0
    assert (delete.count, files(tmp_path)) == (1, [])


def test_a_claim_of_an_artifact_that_lost_its_manifest_fails_and_forgets_who_claimed_it(
    store: Store, tmp_path: Path
) -> None:
    owners = Owners(store, KEY, ARTIFACT)
    owners.claim(Owner(RENAMED, "renamed-1"))
    delete_artifact(store, ARTIFACT)

    with pytest.raises(ArtifactMissing):
        owners.claim(Owner(MODEL, "model-1"))
    assert files(tmp_path) == []


AFTER = "urn:pulumi:production::shop::sealift:index:TrainingRun::model"


def test_a_resource_of_a_renamed_stack_is_the_owner_that_it_was(store: Store) -> None:
    owners, delete = Owners(store, KEY, ARTIFACT), Deletion(store)
    owners.claim(Owner(MODEL, "model-1"))

    assert owners.release(Owner(AFTER, "model-1"), delete) == 0
    assert delete.count == 1


def test_a_resource_that_claims_again_under_another_name_counts_once(store: Store) -> None:
    owners, delete = Owners(store, KEY, ARTIFACT), Deletion(store)
    owners.claim(Owner(MODEL, "model-1"))
    owners.claim(Owner(RENAMED, "renamed-1"))
    owners.claim(Owner(AFTER, "model-1"))

    assert owners.release(Owner(AFTER, "model-1"), delete) == 1
    assert owners.release(Owner(RENAMED, "renamed-1"), delete) == 0
    assert delete.count == 1


@pytest.mark.parametrize("claims_again", [True, False])
def test_the_claim_of_a_killed_create_goes_with_the_resource_though_the_stack_was_renamed(
    store: Store, claims_again: bool
) -> None:
    owners, delete = Owners(store, KEY, ARTIFACT), Deletion(store)
    owners.claim(Owner(MODEL, "killed-before-the-engine-knew"))
    owners.claim(Owner(MODEL, "model-1"))
    if claims_again:
        owners.claim(Owner(AFTER, "model-1"))

    assert owners.release(Owner(AFTER, "model-1"), delete) == 0
    assert delete.count == 1


def test_two_claims_that_an_older_release_left_of_one_renamed_resource_are_one(store: Store) -> None:
    owners, delete = Owners(store, KEY, ARTIFACT), Deletion(store)
    owners._save([Owner(MODEL, "model-1"), Owner(AFTER, "model-1")], None)

    assert owners.release(Owner(AFTER, "model-1"), delete) == 0
    assert delete.count == 1


def test_another_resource_that_has_a_name_of_before_is_another_owner(store: Store) -> None:
    owners, delete = Owners(store, KEY, ARTIFACT), Deletion(store)
    owners.claim(Owner(MODEL, "model-1"))
    owners.claim(Owner(MODEL, "model-of-a-new-stack"))

    assert owners.release(Owner(AFTER, "model-1"), delete) == 1
    assert delete.count == 0


def test_what_is_left_of_a_damaged_artifact_goes_when_nobody_else_uses_it(store: Store, tmp_path: Path) -> None:
    owners, delete = Owners(store, KEY, ARTIFACT), Deletion(store)
    owners.claim(Owner(MODEL, "before-the-refresh"))

    assert owners.abandon(Owner(MODEL, "model-1"), delete) == 0
    assert delete.count == 1
    assert store_files(tmp_path) == []


def test_a_damaged_artifact_stays_while_another_resource_uses_it(store: Store) -> None:
    owners, delete = Owners(store, KEY, ARTIFACT), Deletion(store)
    owners.claim(Owner(MODEL, "model-1"))
    owners.claim(Owner(RENAMED, "renamed-1"))

    assert owners.abandon(Owner(MODEL, "model-1"), delete) == 1
    assert delete.count == 0
    assert owners.release(Owner(RENAMED, "renamed-1"), delete) == 0, "the last of them deletes it"


def test_nothing_is_left_in_the_store_when_the_last_owner_has_let_go(store: Store, tmp_path: Path) -> None:
    owners = Owners(store, KEY, ARTIFACT)
    owners.claim(Owner(MODEL, "model-1"))

    owners.release(Owner(MODEL, "model-1"), Deletion(store))

    assert store_files(tmp_path) == []


def test_a_damaged_list_of_owners_counts_as_somebody(store: Store) -> None:
    owners, delete = Owners(store, KEY, ARTIFACT), Deletion(store)
    owners.claim(Owner(MODEL, "model-1"))
    others_key = Owners(store, b"x" * 32, ARTIFACT)

    assert others_key.claim(Owner(RENAMED, "renamed-1"), lambda keep: b"kept" if keep("any key") else b"") == b"kept"
    with pytest.raises(OwnersUnreadable):
        others_key.release(Owner(RENAMED, "renamed-1"), delete)
    assert delete.count == 0


def kept_for(owners: Owners, owner: Owner) -> list[str]:
    """The key ids, of a, b and c, that must stay when this owner's artifact is wrapped."""
    kept = owners.claim(owner, lambda keep: "".join(filter(keep, "abc")).encode())
    return list((kept or b"").decode())


def test_the_recipients_of_other_owners_stay_and_one_s_own_earlier_ones_do_not(store: Store) -> None:
    owners = Owners(store, KEY, ARTIFACT)
    owners.claim(Owner(MODEL, "killed-before-the-engine-knew", ["c"]))
    owners.claim(Owner(RENAMED, "renamed-1", ["b"]))

    assert kept_for(owners, Owner(MODEL, "model-1", ["a"])) == ["b"]
    assert kept_for(owners, Owner(RENAMED, "renamed-1", ["c"])) == ["a", "c"], "the killed create may still be one"
    assert kept_for(owners, Owner(MODEL, "model-1", ["b"])) == ["c"]


def test_of_an_owner_that_named_no_recipients_all_stay(store: Store) -> None:
    owners = Owners(store, KEY, ARTIFACT)
    owners._save([Owner(RENAMED, "renamed-1")], None)

    assert kept_for(owners, Owner(MODEL, "model-1", ["a"])) == ["a", "b", "c"]


def test_an_owner_whose_key_cannot_be_wrapped_has_claimed_nothing(store: Store) -> None:
    owners, delete = Owners(store, KEY, ARTIFACT), Deletion(store)
    owners.claim(Owner(RENAMED, "renamed-1"))

    assert owners.claim(Owner(MODEL, "model-1"), lambda keep: None) is None
    assert owners.release(Owner(RENAMED, "renamed-1"), delete) == 0
