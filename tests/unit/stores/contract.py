"""What every store must do: a backend's test module has a subclass of StoreContract with its `store` and nothing else.

Small on purpose: what only one backend can get wrong (links, umasks, a full disk) stands in that backend's tests.
"""

import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest

from sealift.durable.new_file import Buffer
from sealift.sealing import SealedArtifact
from sealift.stores import (
    MANIFESTS,
    PAYLOADS,
    RECORDS,
    SIGNATURES,
    ArtifactDamaged,
    ArtifactErased,
    ArtifactMissing,
    AuditLine,
    Conflict,
    Stat,
    Store,
    StoreError,
    Versioned,
    artifact_ids,
    check_log,
    collect,
    create_artifact,
    delete_artifact,
    erase_artifact,
    find_tombstone,
    get_manifest,
    get_signature,
    hold_lease,
    owners_name,
    put_artifact,
    put_signature,
    read_log,
    remake_artifact,
)
from sealift.stores.audit_log import append
from sealift.stores.erasure import Tombstone, erase
from sealift.stores.store import TOMBSTONES, Folder

ID = "ab" * 16
OTHER = "cd" * 16
RUN = "ef" * 32
GMTIME = time.gmtime
FOLDERS: tuple[Folder, ...] = (PAYLOADS, MANIFESTS, RECORDS, SIGNATURES)
NO_NAMES = ["../../etc/passwd", "a/b", "..", "", "AB" * 16, "ab" * 16 + "\0", "é" * 16, "ab" * 100]


class StoreContract:
    """`store` is an empty one, of which nothing is there yet."""

    large_mib = 32
    """Size of a payload that no backend may hold whole, nor half."""

    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    @pytest.mark.parametrize("folder", FOLDERS)
    @pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, (1 << 20) + 1])
    def test_what_was_put_is_there(self, store: Store, folder: Folder, size: int) -> None:
        store.put(folder, ID, bytes(range(256)) * (size // 256) + bytes(size % 256))

        assert store.get(folder, ID) == bytes(range(256)) * (size // 256) + bytes(size % 256)

    def test_putting_the_same_again_is_fine_and_something_else_is_refused(self, store: Store) -> None:
        store.put(PAYLOADS, ID, b"payload")
        store.put(PAYLOADS, ID, memoryview(b"payload"))

        for another in (b"another", b"payload and more", b"pay", b""):
            with pytest.raises(ArtifactDamaged):
                store.put(PAYLOADS, ID, another)
        assert store.get(PAYLOADS, ID) == b"payload"

    @pytest.mark.parametrize("sizes", [(), (0,), (1, 0, 2), ((1 << 20) - 1, 2), (1 << 20, 1 << 20, 1)])
    def test_what_comes_in_pieces_is_there_as_one(self, store: Store, sizes: tuple[int, ...]) -> None:
        pieces = [bytes([65 + at]) * size for at, size in enumerate(sizes)]
        for _ in range(2):
            with store.create(PAYLOADS, ID) as file:
                for piece in pieces:
                    file.write(piece)
        whole = b"".join(pieces)

        assert store.get(PAYLOADS, ID) == whole
        assert store.stat(PAYLOADS, ID) == Stat(len(whole), store.read(PAYLOADS, ID).version)
        with store.open(PAYLOADS, ID) as stream:
            assert [stream.read(2), stream.read(), stream.read()] == [whole[:2], whole[2:], b""]

    @pytest.mark.parametrize("pieces", [(b"pay", b"loaf"), (b"payload", b"s"), (b"pay",), ()])
    def test_other_pieces_under_its_name_are_refused(self, store: Store, pieces: tuple[bytes, ...]) -> None:
        store.put(PAYLOADS, ID, b"payload")

        with pytest.raises(ArtifactDamaged), store.create(PAYLOADS, ID) as file:
            for piece in pieces:
                file.write(piece)
        assert store.get(PAYLOADS, ID) == b"payload"

    def test_after_an_error_in_between_nothing_is_there_and_the_error_is_the_caller_s(self, store: Store) -> None:
        with pytest.raises(FileNotFoundError, match="mine"), store.create(PAYLOADS, ID) as file:
            file.write(b"half")
            raise FileNotFoundError("mine")

        assert store.names(PAYLOADS) == []
        with store.create(PAYLOADS, ID) as file:
            file.write(b"whole")
        assert store.get(PAYLOADS, ID) == b"whole"

    def test_of_two_that_create_it_at_once_the_first_to_end_wins(self, store: Store) -> None:
        with pytest.raises(ArtifactDamaged), store.create(PAYLOADS, ID) as late:
            late.write(b"late")
            with store.create(PAYLOADS, ID) as first:
                first.write(b"first")

        assert store.get(PAYLOADS, ID) == b"first"

    def test_no_payload_is_ever_held_whole(self, store: Store) -> None:
        piece, count = bytes(range(256)) * 4096, self.large_mib
        tracemalloc.start()
        try:
            for _ in range(2):
                with store.create(PAYLOADS, ID) as file:
                    for _ in range(count):
                        file.write(piece)
            assert store.stat(PAYLOADS, ID).size_bytes == count * len(piece)
            with store.open(PAYLOADS, ID) as stream:
                while stream.read(len(piece)):
                    pass
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

        assert most < count * len(piece) / 2, f"{most >> 20} MiB"

    def test_what_is_in_one_folder_is_in_no_other(self, store: Store) -> None:
        store.put(PAYLOADS, ID, b"payload")

        assert [store.names(folder) for folder in FOLDERS] == [[ID], [], [], []]
        with pytest.raises(ArtifactMissing):
            store.get(MANIFESTS, ID)

    def test_names_are_sorted_and_none_where_nothing_is(self, store: Store) -> None:
        assert store.names(RECORDS) == []
        for name in ("ef" * 32, ID, OTHER):
            store.put(RECORDS, name, b"")

        assert store.names(RECORDS) == [ID, OTHER, "ef" * 32]

    def test_a_listing_has_sizes_and_times_without_reading(self, store: Store) -> None:
        before = time.time()
        store.put(PAYLOADS, ID, b"payload")
        store.put(PAYLOADS, OTHER, b"")

        listed = store.entries(PAYLOADS)

        assert [(entry.name, entry.size_bytes) for entry in listed] == [(ID, 7), (OTHER, 0)]
        assert all(before - 2 <= entry.modified <= time.time() + 2 for entry in listed)

    def test_what_is_purged_is_gone(self, store: Store) -> None:
        store.swap(RECORDS, ID, b"second", store.swap(RECORDS, ID, b"first", None))
        store.purge(RECORDS, ID)
        store.purge(RECORDS, ID)

        assert store.names(RECORDS) == []
        store.swap(RECORDS, ID, b"third", None)

    def test_only_payloads_without_a_manifest_are_collected_and_only_old_ones(self, store: Store) -> None:
        put_artifact(store, ID, b"payload", b"manifest")
        store.put(PAYLOADS, OTHER, b"left")
        store.put(SIGNATURES, OTHER, b"signature")
        store.put(RECORDS, OTHER, b"record")
        put_signature(store, ID, b"signature")

        assert collect(store).payloads == ()
        assert [entry.name for entry in collect(store, -10, dry_run=True).payloads] == [OTHER]
        assert store.names(PAYLOADS) == [ID, OTHER]
        assert [store.names(SIGNATURES), collect(store).signatures] == [[ID, OTHER], ()]
        removed = collect(store, -10)
        assert [[entry.name for entry in one] for one in (removed.payloads, removed.signatures)] == [[OTHER], [OTHER]]
        assert (store.names(PAYLOADS), store.names(SIGNATURES), store.names(RECORDS)) == ([ID], [ID], [OTHER])
        assert collect(store, -10).payloads == ()

    def test_an_erased_artifact_leaves_only_its_tombstone(self, store: Store) -> None:
        put_artifact(store, ID, b"payload", b"manifest")
        store.put(RECORDS, owners_name(ID), b"owners")
        put_signature(store, ID, b"signature")

        erased = erase_artifact(store, ID, "request 17")

        assert erase_artifact(store, ID, "again") == erased == find_tombstone(store, ID)
        assert [store.names(folder) for folder in FOLDERS] == [[], [], [], []]
        assert erased.erased_at.endswith("Z") and erased.reason == "request 17"
        with pytest.raises(ArtifactErased, match=r"was erased on .*: request 17"):
            get_manifest(store, ID)
        with pytest.raises(ArtifactMissing):
            erase_artifact(store, OTHER, "request 18")
        assert find_tombstone(store, OTHER) is None

    def test_of_two_erasures_at_once_both_end_with_the_first_one_s_reason(self, store: Store) -> None:
        put_artifact(store, ID, b"payload", b"manifest")
        both = Barrier(2)

        def wait() -> None:
            both.wait(60)

        def erase_with(reason: str) -> Tombstone:
            return erase(store, ID, reason, owners_name(ID), wait)

        with ThreadPoolExecutor(2) as pool:
            ended = list(pool.map(erase_with, ("request 17", "request 18")))

        assert ended[0] == ended[1] == find_tombstone(store, ID)

    @pytest.mark.parametrize(
        "forged",
        [
            b"not JSON",
            b"[" * 4000,
            b"[]",
            b'{"erased_at": "2026-12-01T00:00:00Z", "reason": "a\\nerror: all is well"}',
            b'{"erased_at": "2026-12-01T00:00:00Z", "reason": "\\u001b[2J"}',
            b'{"erased_at": "2026-12-01T00:00:00Z", "reason": 5}',
            b'{"erased_at": "2026-12-01T00:00:00Z", "reason": "%s"}' % (b"x" * 501),
            b'{"erased_at": "yesterday\\n", "reason": "x"}',
            b'{"erased_at": "2026-12-01T00:00:00Z", "reason": "%s"}' % (b"x" * 5000),
            b"\xff" * 10,
        ],
        ids=range(10),
    )
    def test_a_forged_tombstone_says_nothing_of_its_own(self, store: Store, forged: bytes) -> None:
        store.put(TOMBSTONES, ID, forged)

        with pytest.raises(ArtifactErased, match="was erased on an unknown date: the tombstone cannot be read") as told:
            get_manifest(store, ID)
        assert told.value.message.isprintable()

    @pytest.mark.parametrize("left", [MANIFESTS, PAYLOADS, SIGNATURES])
    def test_an_erasure_that_was_killed_is_done_again(self, store: Store, left: Folder) -> None:
        put_artifact(store, ID, b"payload", b"manifest")
        erase_artifact(store, ID, "request 17")
        store.put(left, ID, b"left")

        erase_artifact(store, ID, "request 17")

        assert store.names(left) == []

    def test_an_erased_artifact_does_not_come_back(self, store: Store) -> None:
        put_artifact(store, ID, b"payload", b"manifest")
        erase_artifact(store, ID, "request 17")

        def seal(write: Callable[[Buffer], object], kek: bytes | None) -> SealedArtifact:
            raise AssertionError("it is sealed in spite of its tombstone")

        refusal = pytest.raises(ArtifactErased, match=r"was erased on .*: request 17")
        with refusal:
            put_artifact(store, ID, b"payload", b"manifest")
        with refusal:
            create_artifact(store, ID, seal)
        with hold_lease(store, RUN) as fence, refusal:
            remake_artifact(fence, ID, seal)

        assert [store.names(folder) for folder in FOLDERS] == [[], [], [], []]
        assert [(one.action, one.outcome, one.error) for one in lines(store)[-3:]] == [
            ("seal", "refused", "ArtifactErased")
        ] * 3
        put_artifact(store, OTHER, b"payload", b"manifest")

    def test_a_signature_is_replaced_and_goes_with_its_artifact(self, store: Store) -> None:
        put_artifact(store, ID, b"payload", b"manifest")
        assert get_signature(store, ID) is None
        for signature in (b"first", b"second"):
            put_signature(store, ID, signature)
            assert get_signature(store, ID) == signature
        assert [one.outcome for one in lines(store) if one.action == "sign"] == ["begun", "done"] * 2

        delete_artifact(store, ID)

        assert get_signature(store, ID) is None
        with pytest.raises(ArtifactMissing):
            put_signature(store, ID, b"late")
        assert store.names(SIGNATURES) == []

    @pytest.mark.parametrize("ends", ["erased", "deleted"])
    def test_no_signature_stays_of_what_ended_while_it_was_written(
        self, store: Store, ends: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_artifact(store, ID, b"payload", b"manifest")
        swap = type(store).swap

        def ended_before(self: Store, folder: Folder, name: str, content: bytes, expected: str | None) -> str:
            monkeypatch.undo()
            if ends == "erased":
                erase_artifact(store, ID, "request 17")
            else:
                delete_artifact(store, ID)
            return swap(self, folder, name, content, expected)

        monkeypatch.setattr(type(store), "swap", ended_before)
        with pytest.raises(ArtifactErased if ends == "erased" else ArtifactMissing):
            put_signature(store, ID, b"late")
        assert store.names(SIGNATURES) == []

    def test_each_change_of_an_artifact_has_its_lines_which_stay(self, store: Store) -> None:
        put_artifact(store, ID, b"payload", b"manifest")
        delete_artifact(store, ID)
        delete_artifact(store, ID)
        put_artifact(store, ID, b"payload", b"manifest")
        erase_artifact(store, ID, "request 17")
        store.put(PAYLOADS, OTHER, b"left")
        collect(store, -10)
        with pytest.raises(ArtifactMissing):
            erase_artifact(store, "ef" * 16, "request 18")

        actions = [("seal", ID), ("delete", ID), ("seal", ID), ("erase", ID), ("delete", OTHER)]
        assert [(one.action, one.artifact_id, one.outcome) for one in lines(store)] == [
            *((*action, outcome) for action in actions for outcome in ("begun", "done")),
            ("erase", "ef" * 16, "refused"),
        ]
        checked = check_log(store)
        assert (checked.head.lines, checked.damage) == (11, [])
        assert artifact_ids(store) == []

    def test_a_clock_that_was_set_back_collects_nothing_and_breaks_no_chain(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_artifact(store, ID, b"payload", b"manifest")
        store.put(PAYLOADS, OTHER, b"left")
        now = time.time

        with monkeypatch.context() as set_back:
            set_back.setattr(time, "time", lambda: now() - 600)  # services refuse a clock that is further off
            set_back.setattr(time, "gmtime", lambda at=None: GMTIME(now() - 600 if at is None else at))
            assert collect(store, 0).payloads == ()
            delete_artifact(store, ID)

        assert [one.time for one in lines(store)] != sorted(one.time for one in lines(store))
        assert check_log(store).damage == []
        assert [one.name for one in collect(store, -10).payloads] == [OTHER]

    def test_writers_at_once_have_a_line_each(self, store: Store) -> None:
        def write(at: int) -> None:
            for turn in range(5):
                append(store, "open", f"{at:032x}", f"{turn:064x}", "done")

        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(write, at) for at in range(4)]:
                done.result()

        written = [(one.artifact_id, one.payload_digest) for one in lines(store)]
        assert sorted(written) == [(f"{at:032x}", f"{turn:064x}") for at in range(4) for turn in range(5)]
        assert check_log(store).damage == []

    @pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 501, "\x1b[2J"])
    def test_a_reason_is_one_printable_line(self, store: Store, reason: str) -> None:
        put_artifact(store, ID, b"payload", b"manifest")

        with pytest.raises(StoreError, match="one line"):
            erase_artifact(store, ID, reason)
        assert get_manifest(store, ID) == b"manifest"

    @pytest.mark.parametrize(("start", "size"), [(0, 0), (0, 10), (3, 4), (3, 100), (9, 1), (10, 1), (50, 1)])
    def test_a_range_is_read_alone_and_ends_where_the_content_does(self, store: Store, start: int, size: int) -> None:
        store.put(PAYLOADS, ID, b"0123456789")

        assert store.get_range(PAYLOADS, ID, start, size) == b"0123456789"[start : start + size]

    def test_more_bytes_than_the_caller_takes_are_refused(self, store: Store) -> None:
        store.put(MANIFESTS, ID, b"0123456789")

        assert store.get(MANIFESTS, ID, 10) == b"0123456789"
        assert store.read(MANIFESTS, ID, 1 << 60).content == b"0123456789"
        for read in (store.get, store.read):
            with pytest.raises(ArtifactDamaged, match="the limit of 9 bytes"):
                read(MANIFESTS, ID, 9)

    def test_what_is_not_there_is_missing_and_deleting_it_is_fine(self, store: Store) -> None:
        store.delete(PAYLOADS, ID)
        with pytest.raises(ArtifactMissing):
            store.get(PAYLOADS, ID)
        for read in (store.stat, store.open):
            with pytest.raises(ArtifactMissing):
                read(PAYLOADS, ID)
        with pytest.raises(ArtifactMissing):
            store.get_range(PAYLOADS, ID, 0, 1)

    def test_deleting_makes_room_for_another_content(self, store: Store) -> None:
        store.put(PAYLOADS, ID, b"payload")
        store.delete(PAYLOADS, ID)
        store.delete(PAYLOADS, ID)
        store.put(PAYLOADS, ID, b"another")

        assert store.get(PAYLOADS, ID) == b"another"

    def test_a_record_is_replaced_as_a_whole(self, store: Store) -> None:
        first = store.swap(RECORDS, ID, b"first", None)
        second = store.swap(RECORDS, ID, memoryview(b"second"), first)

        assert store.read(RECORDS, ID) == Versioned(b"second", second)
        assert store.get(RECORDS, ID) == b"second"

    def test_what_has_changed_since_it_was_read_is_not_replaced(self, store: Store) -> None:
        with pytest.raises(Conflict):
            store.swap(RECORDS, ID, b"x", "a version that never was")
        first = store.swap(RECORDS, ID, b"first", None)
        store.swap(RECORDS, ID, b"second", first)

        for expected in (first, None):
            with pytest.raises(Conflict):
                store.swap(RECORDS, ID, b"late", expected)
        assert store.get(RECORDS, ID) == b"second"

    def test_what_has_changed_since_it_was_read_is_not_deleted(self, store: Store) -> None:
        first = store.swap(RECORDS, ID, b"first", None)
        second = store.swap(RECORDS, ID, b"second", first)

        with pytest.raises(Conflict):
            store.delete(RECORDS, ID, first)
        assert store.get(RECORDS, ID) == b"second"
        store.delete(RECORDS, ID, second)
        store.delete(RECORDS, ID, second)
        assert store.names(RECORDS) == []

    def test_an_equal_version_has_equal_bytes(self, store: Store) -> None:
        contents = (b"", b"a", b"b", b"ab")
        versions = {store.swap(RECORDS, f"{at:032x}", content, None) for at, content in enumerate(contents)}

        assert len(versions) == 4

    def test_of_many_swaps_at_once_none_is_lost(self, store: Store) -> None:
        store.swap(RECORDS, ID, b"0", None)

        def count() -> None:
            for _ in range(25):
                while True:
                    found = store.read(RECORDS, ID)
                    with suppress(Conflict):
                        store.swap(RECORDS, ID, str(int(found.content) + 1).encode(), found.version)
                        break

        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(count) for _ in range(4)]:
                done.result()

        assert store.get(RECORDS, ID) == b"100"

    @pytest.mark.parametrize("name", NO_NAMES)
    def test_a_name_that_is_not_hex_reaches_nothing(self, store: Store, name: str) -> None:
        for folder in FOLDERS:
            for reach in (store.get, store.delete):
                with pytest.raises(ArtifactMissing):
                    reach(folder, name)
            with pytest.raises(ArtifactMissing):
                store.put(folder, name, b"x")
            with pytest.raises(ArtifactMissing):
                store.swap(folder, name, b"x", None)
            with pytest.raises(ArtifactMissing):
                store.get_range(folder, name, 0, 1)
            for read in (store.stat, store.open):
                with pytest.raises(ArtifactMissing):
                    read(folder, name)
            with pytest.raises(ArtifactMissing), store.create(folder, name) as file:
                file.write(b"x")


def lines(store: Store) -> list[AuditLine]:
    """The lines of the store's audit log, all of them whole."""
    found = [one.line for one in read_log(store)]
    whole = [line for line in found if isinstance(line, AuditLine)]
    assert len(whole) == len(found)
    return whole


def exactly_one_wins(store: Store, content: bytes) -> None:
    """Of six writers that create one payload at once, each with an end of its own, the store has one's content."""

    def write(at: int) -> bool:
        try:
            store.put(PAYLOADS, ID, content + str(at).encode())
        except ArtifactDamaged:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        won = [*pool.map(write, range(6))]

    assert sum(won) == 1
    assert store.get(PAYLOADS, ID) == content + str(won.index(True)).encode()
