"""What the benchmark of sealing reports, and that every program in it opens what it seals; never how fast it is."""

from pathlib import Path

import pytest

from benchmarks.sealing import limits, ours
from benchmarks.sealing.peers import OpenSSL, Peer, Pyrage, TinkPython
from benchmarks.sealing.report import AES, COPY, HASHED_AES, OURS, UNDIGESTED, Row, ratios, table
from sealift.sealing.memory import private_memory

PEERS: list[Peer] = [TinkPython(), Pyrage(), OpenSSL("openssl_enc", "enc"), OpenSSL("openssl_cms", "cms")]


def row(program: str, work: str, place: str, speed: float) -> Row:
    return {"program": program, "work": work, "place": place, "gb_per_second": speed}


ROWS = [
    row(AES, "limit", "memory", 10), row(HASHED_AES, "limit", "memory", 2),
    row(UNDIGESTED, "seal", "memory", 9), row(UNDIGESTED, "open", "memory", 8),
    row(OURS, "seal", "memory", 1.5), row(OURS, "open", "memory", 1.8),
    row("other", "seal", "memory", 2), row("other", "open", "memory", 4),
    row(COPY, "seal", "file", 2), row(COPY, "open", "file", 2),
    row(UNDIGESTED, "seal", "file", 3), row(UNDIGESTED, "open", "file", 2.5),
    row(OURS, "seal", "file", 1), row(OURS, "open", "file", 1.2),
    row("other", "seal", "file", 4), row("other", "open", "file", 1),
]  # fmt: skip


def test_ratios_are_those_of_the_slower_work_and_above_1_is_faster() -> None:
    assert ratios(ROWS) == {
        "memory_vs_aesgcm": 0.8, "digested_vs_sha256": 0.75, "file_vs_cp": 1.25, "digested_file_vs_cp": 0.5,
        "worst_peer": 0.75,
    }  # fmt: skip


def test_a_ratio_without_figures_is_left_out() -> None:
    assert ratios(ROWS[:4]) == {"memory_vs_aesgcm": 0.8}


def test_the_table_has_every_program_once_per_place_and_says_what_is_absent() -> None:
    told = table(ROWS, {"other": "Another", "gone": "Gone"}, {"gone": "it is not installed"})

    assert "| Another | memory | 2.00 | 4.00 |" in told
    assert "| limit: cp | file | 2.00 | 2.00 |" in told
    assert "Gone is not in the table: it is not installed." in told
    assert told.count("sealift") == 4


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_peer_opens_what_it_seals(peer: Peer, tmp_path: Path) -> None:
    if peer.absent:
        pytest.skip(peer.absent)
    plain, sealed, opened = (tmp_path / name for name in ("plain", "sealed", "opened"))
    plain.write_bytes(bytes(range(256)) * 10_000)

    assert peer.file_seconds("seal", plain, sealed) > 0
    peer.file("open", sealed, opened)

    assert opened.read_bytes() == plain.read_bytes() != sealed.read_bytes()
    if peer.in_memory:
        assert peer.memory_seconds("seal", plain) > 0
        assert peer.memory_seconds("open", plain) > 0


def test_ours_opens_what_it_seals(tmp_path: Path) -> None:
    plain, sealed, opened = (tmp_path / name for name in ("plain", "sealed", "opened"))
    plain.write_bytes(bytes(range(256)) * 10_000)
    digest = ours.seal_file(plain, sealed)
    ours.open_file(sealed, opened, digest)
    assert opened.read_bytes() == plain.read_bytes()
    ours.seal_file_undigested(plain, sealed)
    ours.open_file(sealed, opened, None)
    assert opened.read_bytes() == plain.read_bytes()
    assert ours.open_from_file(sealed, ours.seal_file(plain, sealed)) > 0

    memory = ours.InMemory(private_memory(3 << 20))
    for work in (memory.seal, memory.open, memory.seal_undigested, memory.open_undigested, memory.range_seconds):
        assert work() > 0
    assert limits.aes_seconds(2) > 0
    assert limits.hashed_aes_seconds(3) > 0
    assert limits.copy_seconds(plain, tmp_path / "copy") > 0
