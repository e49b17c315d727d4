"""Numbers as people read them, names as terminals and pages can take them."""

import math
from pathlib import Path

import pytest

from training.report import ModelCardReport, environment, model_card, units


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (12345, "12,345"), (0.97222, "0.9722"), (2859.69, "2,860"), (1.2e-5, "1.2e-05"), (3e20, "3e+20"),
     (-0.5, "-0.5000"), (math.nan, "nan"), (math.inf, "inf"), (True, "True"), (999999.5, "1,000,000")],
)  # fmt: skip
def test_numbers_have_four_digits_that_count(value: float, shown: str) -> None:
    assert units.number(value) == shown


@pytest.mark.parametrize(
    ("shown", "expected"),
    [(units.size(2200), "2.2 kB"), (units.energy(4.25), "4.25 J"), (units.energy(7200), "2 Wh"),
     (units.energy(7.2e6), "2 kWh"), (units.mass(0.0004), "0.4 mg"), (units.mass(1500), "1.5 kg"),
     (units.duration(0.0042), "4.2 ms"), (units.duration(42), "42 s"), (units.duration(59.99), "60 s"),
     (units.duration(200), "3 min 20 s"), (units.duration(7500), "2 h 5 min")],
)  # fmt: skip
def test_units_are_the_ones_that_keep_numbers_short(shown: str, expected: str) -> None:
    assert shown == expected


def test_a_name_is_one_line_of_printable_characters() -> None:
    assert units.name("a\n\tb\x1b[31m\u202ec") == "a b\ufffd[31m\ufffdc"
    assert units.name(" ") == "(empty)"
    assert units.name("x" * 100, 10) == "x" * 9 + "…"


def test_a_model_card_answers_only_what_was_said() -> None:
    answers = dict(model_card.answers(ModelCardReport(licence=" MIT ", contact="\n")))

    assert answers == dict.fromkeys(answers, None) | {"Licence of the model": "MIT"}
    assert dict(model_card.lines(ModelCardReport()))["Contact"] == "not stated"


def test_the_environment_is_this_machine_s_and_names_no_library_that_is_absent() -> None:
    found = environment.environment(("numpy", "no-such-library-at-all"), threads=2, device="cpu")

    assert set(found.libraries) == {"numpy"}
    assert found.cores >= 1
    assert found.memory_bytes > 2**20
    assert found.cpu


def test_a_processor_without_a_name_is_called_by_its_architecture(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nCPU implementer\t: 0x41\n")

    assert environment._cpu(tmp_path / "cpuinfo") == environment._cpu(tmp_path / "absent") != ""
