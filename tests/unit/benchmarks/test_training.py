"""What the benchmark of training reports; never how fast anything is."""

from typing import Any

import pytest

from benchmarks.training import ours, plain
from benchmarks.training.__main__ import ratios, table
from benchmarks.training.cases import CASES


def rows() -> list[dict[str, Any]]:
    return [
        {
            "case": case.name,
            "loop": loop,
            "steps_per_second": steps,
            "cold_seconds": cold,
            "warm_seconds": 1.0,
            "loss": 1.0,
        }
        for case in CASES
        for loop, steps, cold in (("plain", 100.0, 3.0), ("ours", 250.0, 2.0 if case.name == "mlp" else 1.0))
    ]


def test_ratios_have_their_names_and_above_1_is_faster_than_the_plain_loop() -> None:
    assert ratios(rows()) == {
        "small_net_vs_plain": 2.5, "small_classifier_vs_plain": 2.5, "mlp_vs_plain": 2.5, "cnn_vs_plain": 2.5,
        "cold_worst_vs_plain": 1.5,
    }  # fmt: skip


def test_the_table_says_when_lightning_is_not_there() -> None:
    told = table(rows(), ratios(rows()), lightning=False)

    assert "Lightning is not installed" in told
    assert "Lightning is not installed" not in table(rows(), ratios(rows()), lightning=True)
    assert told.count("sealift") == len(CASES)


@pytest.mark.parametrize("case", CASES[:2], ids=lambda case: case.name)
def test_the_loops_learn_alike(case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "pin", lambda environment, bf16: dict(environment))
    losses = [loop.start(case, threads=1, epochs=30)(30) for loop in (plain, ours)]

    assert losses[0] == pytest.approx(losses[1], rel=0.05)
