"""Quantities against what Kubernetes' own ParseQuantity says of the same texts."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealift.settings.quantity import BINARY, DECIMAL, MAX, canonical, parse

VECTORS = Path(__file__).parents[2] / "vectors" / "kubernetes-quantities" / "canonical.json"


def test_every_text_is_read_and_written_as_kubernetes_does_or_refused_as_it_does() -> None:
    vectors = json.loads(VECTORS.read_text())["canonical"]
    assert len(vectors) > 600

    found = []
    for text, _ in vectors:
        quantity = parse(text)
        found.append([text, None if quantity is None else quantity.text])

    assert found == vectors


@pytest.mark.parametrize("text", ["1.1Ki", "0.05Gi", "1024.001Ki"])
def test_a_fraction_with_a_binary_suffix_loses_nothing(text: str) -> None:
    quantity = parse(text)

    assert quantity is not None
    reread = parse(quantity.text)
    assert reread is not None
    assert reread.amount == quantity.amount


@pytest.mark.parametrize("text", ["Ki", "m", "+", "."])
def test_no_digit_is_no_quantity_though_parse_quantity_reads_0(text: str) -> None:
    assert parse(text) is None


def test_what_no_suffix_is_large_enough_for_has_an_exponent() -> None:
    assert canonical(Fraction(10**21)) == "1e21"


@given(st.integers(min_value=-MAX, max_value=MAX), st.sampled_from([*BINARY, *DECIMAL, "e0"]))
def test_the_canonical_text_of_a_number_of_billionths_is_that_number(billionths: int, suffix: str) -> None:
    amount = Fraction(billionths, 10**9)
    quantity = parse(canonical(amount, suffix))

    assert quantity is not None
    assert quantity.amount == amount
    assert parse(quantity.text) == quantity


@given(st.text(alphabet="0123456789.eE+-KMGTPnumki ", max_size=12) | st.text(max_size=8))
def test_any_text_is_a_quantity_whose_canonical_text_stays_as_it_is_or_none(text: str) -> None:
    quantity = parse(text)

    if quantity is not None:
        again = parse(quantity.text)
        assert again is not None
        assert again.text == quantity.text
