"""Quantities against the forms that Kubernetes itself reads and writes."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.quantity import QuantityError, Resource, cpu_text, memory_text, parse
from sealift.settings.quantity import MAX

# Each was given to ParseQuantity of k8s.io/apimachinery v0.34.4: it reads both texts as this amount, and prints the
# second as it stands.
KUBERNETES: list[tuple[Resource, object, str, Fraction]] = [
    ("cpu", "500m", "500m", Fraction(1, 2)),
    ("cpu", "0.5", "500m", Fraction(1, 2)),
    ("cpu", ".5", "500m", Fraction(1, 2)),
    ("cpu", "1000m", "1", Fraction(1)),
    ("cpu", "1.0", "1", Fraction(1)),
    ("cpu", "1.50", "1500m", Fraction(3, 2)),
    ("cpu", "+2", "2", Fraction(2)),
    ("cpu", "0.001", "1m", Fraction(1, 1000)),
    ("cpu", "1e-3", "1e-3", Fraction(1, 1000)),
    ("cpu", "2000", "2k", Fraction(2000)),
    ("cpu", "500000u", "500m", Fraction(1, 2)),
    ("memory", "500Mi", "500Mi", Fraction(500 * 2**20)),
    ("memory", "1024Mi", "1Gi", Fraction(2**30)),
    ("memory", "1.5Gi", "1536Mi", Fraction(1536 * 2**20)),
    ("memory", ".5Gi", "512Mi", Fraction(2**29)),
    ("memory", "1.G", "1G", Fraction(10**9)),
    ("memory", "1.5G", "1500M", Fraction(1500 * 10**6)),
    ("memory", "12000k", "12M", Fraction(12 * 10**6)),
    ("memory", "1073741824", "1073741824", Fraction(2**30)),
    ("memory", "1e9", "1e9", Fraction(10**9)),
    ("memory", "100E7", "1e9", Fraction(10**9)),
    ("memory", "12e6", "12e6", Fraction(12 * 10**6)),
    ("memory", "1E", "1E", Fraction(10**18)),
    ("memory", "1Ei", "1Ei", Fraction(2**60)),
]


@pytest.mark.parametrize(("resource", "text", "canonical", "amount"), KUBERNETES)
def test_amounts_are_exact_and_texts_are_what_the_api_server_answers(
    resource: Resource, text: object, canonical: str, amount: Fraction
) -> None:
    quantity = parse(resource, text)

    assert quantity.amount == amount
    assert quantity.text == canonical
    assert parse(resource, quantity.text) == quantity


@pytest.mark.parametrize(("value", "text"), [(2, "2"), (2.0, "2"), (0.5, "500m"), (0.1, "100m")])
def test_numbers_count_as_the_text_they_are_written_as(value: float, text: str) -> None:
    assert parse("cpu", value).text == text


@pytest.mark.parametrize(
    ("resource", "value", "meant"),
    [
        ("memory", "1Gb", "did you mean '1Gi' or '1G'?"),
        ("memory", "512 mb", "did you mean '512Mi' or '512M'?"),
        ("memory", "2048K", "did you mean '2048Ki' or '2048k'?"),
        ("memory", "1gi", "did you mean '1Gi'?"),
        ("memory", "1GiB", "did you mean '1Gi'?"),
        ("memory", "500m", "that is 0.5 bytes, did you mean '500Mi'?"),
        ("memory", "500", "that is 500 bytes, did you mean '500Mi'?"),
        ("memory", "2", "that is 2 bytes, did you mean '2Gi'?"),
        ("cpu", "2 cores", "did you mean '2'?"),
        ("cpu", "500 millicores", "did you mean '500m'?"),
    ],
)
def test_what_was_probably_meant_is_said_and_would_be_accepted(resource: Resource, value: str, meant: str) -> None:
    with pytest.raises(QuantityError) as refused:
        parse(resource, value)

    assert str(refused.value).startswith(f"is {value!r}; allowed: ")
    assert str(refused.value).endswith(meant)
    for suggestion in meant.split("'")[1::2]:
        parse(resource, suggestion)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "1 Gi",
        "Gi",
        "-1Gi",
        "0",
        "0Gi",
        "1,5Gi",
        "1Gi ",
        "1e",
        "1e999999999",
        "0x10",
        "١Gi",
        "1Gi1",
        "1.2.3",
        "9" * 50,
        "8Ei",
        None,
        True,
        [],
        float("nan"),
        float("inf"),
        -1,
        0,
        8 * 2**60,
    ],
)
def test_what_is_no_amount_of_memory_is_refused_with_the_value(value: object) -> None:
    with pytest.raises(QuantityError, match="allowed: a number of bytes from '1Mi'") as refused:
        parse("memory", value)

    assert repr(value) in str(refused.value)


def test_cpu_finer_than_a_thousandth_is_refused_where_kubernetes_would_round_it_up() -> None:
    with pytest.raises(QuantityError, match="finer than a thousandth"):
        parse("cpu", "0.1m")


@given(st.integers(min_value=1, max_value=MAX))
def test_texts_of_any_amount_read_back_as_that_amount(amount: int) -> None:
    assert parse("cpu", cpu_text(Fraction(amount, 1000))).amount == Fraction(amount, 1000)
    if amount >= 2**20:
        assert parse("memory", memory_text(Fraction(amount))).amount == amount


@given(st.text(alphabet="0123456789.eE+-KMGTPiimk ", max_size=12) | st.text(max_size=8))
def test_any_text_is_an_amount_above_0_or_refused(text: str) -> None:
    try:
        quantity = parse("memory", text)
    except QuantityError:
        return
    assert 0 < quantity.amount <= MAX
    assert parse("memory", quantity.text) == quantity
