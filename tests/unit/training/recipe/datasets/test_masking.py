"""Masking: what is left of a column after each method, and that nothing of it leaks elsewhere."""

import datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from training.errors import DataError
from training.options import Masking
from training.recipe.datasets.masking import mask
from training.recipe.datasets.redaction import Redactor, _find_installed

KEY = bytes(range(32))
HASH = Masking("hash")
REDACT = Masking("redact")


def masked(values: pa.Array | list[object], rule: Masking, key: bytes = KEY, name: str = "x") -> list[object]:
    table, _ = mask(pa.table({name: values}), {name: rule}, key)
    result: list[object] = table.column(name).to_pylist()
    return result


def redacted(text: str) -> object:
    return masked([text], REDACT)[0]


def test_other_columns_and_the_order_stay() -> None:
    table, done = mask(
        pa.table({"a": [1, 2], "b": ["x", "y"], "c": [0.5, None]}), {"b": Masking("drop"), "c": Masking("drop")}, KEY
    )
    assert table.to_pydict() == {"a": [1, 2]}
    assert done == {"b": "dropped", "c": "dropped"}


def test_values_in_the_metadata_go_too() -> None:
    table = pa.table({"a": [1], "b": ["ada"]}).replace_schema_metadata({"pandas": '{"index": ["ada"]}'})
    assert mask(table, {"b": HASH}, KEY)[0].schema.metadata is None


def test_equal_values_have_equal_hashes_and_others_others() -> None:
    one, two, three, nothing = masked(["ada", "bob", "ada", None], HASH)
    assert one == three != two
    assert nothing is None
    assert isinstance(one, str)
    assert len(bytes.fromhex(one)) == 8


def test_a_hash_depends_on_the_key_and_the_column() -> None:
    assert masked(["ada"], HASH) != masked(["ada"], HASH, key=bytes(32))
    assert masked(["ada"], HASH) != masked(["ada"], HASH, name="y")


def test_a_hash_is_the_same_whatever_stands_around_it() -> None:
    values = pa.chunked_array([["ada"], [], ["bob", "ada"]])
    assert masked(values, HASH) == masked(["ada", "bob", "ada"], HASH)
    assert masked(pa.array(["ada"]).dictionary_encode(), HASH) == masked(["ada"], HASH)
    assert masked(pa.array(["ada"], pa.large_string()), HASH) == masked(["ada"], HASH)


def test_hashes_never_change_between_releases() -> None:
    """Oracle: HKDF (RFC 5869, no salt) and HMAC spelt out with the standard library."""
    import hashlib
    import hmac

    extracted = hmac.digest(bytes(32), KEY, "sha256")
    derived = hmac.digest(extracted, b"sealift/v1/mask\0name\x01", "sha256")
    expected = hmac.new(derived, b"ada", hashlib.sha256).hexdigest()[:16]
    assert masked(["ada"], HASH, name="name") == [expected]


@pytest.mark.parametrize(
    "values",
    [
        [7, 8, None],
        [0.5, 1.5, None],
        [True, False, None],
        [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2), None],
        [Decimal("1.10"), Decimal("1.20"), None],
        [b"\xff", b"\xfe", None],
    ],
    ids=lambda values: type(values[0]).__name__,
)
def test_every_plain_type_can_be_hashed(values: list[object]) -> None:
    first, second, nothing = masked(values, HASH)
    assert first != second
    assert nothing is None


def test_a_number_that_is_missing_has_no_hash() -> None:
    assert masked(pa.array([float("nan"), None, 1.0]), HASH)[:2] == [None, None]


def test_nested_values_cannot_be_hashed() -> None:
    with pytest.raises(DataError, match=r"masking\.x\.method is 'hash'.*list<"):
        masked(pa.array([["ada"], ["bob"]]), HASH)


@pytest.mark.parametrize(
    ("values", "step", "expected"),
    [
        ([0, 9, 10, 19, -1, None], 10.0, [0, 0, 10, 10, -10, None]),
        ([0.1, 0.3, 0.35, -0.05], 0.1, [0.1, pytest.approx(0.3), pytest.approx(0.3), -0.1]),
        ([1, 2, 3], 1.5, [0.0, 1.5, 3.0]),
        ([1e300, 5e-324, None], 10.0, [1e300, 0.0, None]),
        ([Decimal("17.5")], 5.0, [15.0]),
        ([2**53 + 1], 2.0, [2**53]),
    ],
)
def test_numbers_become_the_lower_end_of_their_range(values: list[object], step: float, expected: list[object]) -> None:
    assert masked(values, Masking("generalise", step)) == expected


def test_dates_become_the_first_day_of_their_range_and_stay_dates() -> None:
    days = [datetime.date(1970, 1, 7), datetime.date(1970, 1, 8), datetime.date(1969, 12, 31), None]
    first = datetime.date(1970, 1, 1)
    week = datetime.timedelta(7)
    assert masked(days, Masking("generalise", 7.0)) == [first, first + week, first - week, None]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_are_cut_to_the_step_whatever_their_unit(unit: str) -> None:
    moment = datetime.datetime(2024, 5, 6, 17, 30)
    values = pa.array([moment, None], pa.timestamp(unit))
    assert masked(values, Masking("generalise", 0.5)) == [datetime.datetime(2024, 5, 6, 12), None]


def test_a_generalised_value_keeps_nothing_of_the_old_one() -> None:
    table, done = mask(pa.table({"age": [31, 38]}), {"age": Masking("generalise", 10.0)}, KEY)
    assert table.column("age").unique().to_pylist() == [30]
    assert done["age"] == "generalised to the lower end of steps of 10"


@pytest.mark.parametrize(
    ("values", "rule", "said"),
    [
        (["ada"], Masking("generalise", 10.0), r"masking\.x\.method is 'generalise'.*numbers and dates.*string"),
        ([True], Masking("generalise", 10.0), "bool"),
        ([1], REDACT, r"masking\.x\.method is 'redact'.*text.*int64"),
        (pa.array([2**64 - 1], pa.uint64()), Masking("generalise", 10.0), "uint64"),
        ([-(2**63)], Masking("generalise", 10.0), "int64"),
        (["ä" * 1_000_001], REDACT, "1,000,001 characters"),
    ],
)
def test_what_a_method_cannot_do_is_said_without_the_value(values: list[object], rule: Masking, said: str) -> None:
    with pytest.raises(DataError, match=said) as refused:
        masked(values, rule)
    assert refused.value.hint
    assert "ada" not in str(refused.value)
    assert "1844674407" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("rule", [HASH, REDACT, Masking("generalise", 10.0)])
def test_columns_without_values_are_left(rule: Masking) -> None:
    assert masked(pa.nulls(2), rule) == [None, None]
    empty, _ = mask(pa.table({"x": pa.array([], pa.string())}), {"x": HASH}, KEY)
    assert empty.num_rows == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to ada@example.com now", "write to <EMAIL_ADDRESS> now"),
        ("write to ada@mail.internal", "write to <EMAIL_ADDRESS>"),
        ("call 212-555-5555", "call <PHONE_NUMBER>"),
        ("call +49 30 901820 or 020 7946 0958", "call <PHONE_NUMBER> or <PHONE_NUMBER>"),
        ("card 4111 1111 1111 1111", "card <CREDIT_CARD>"),
        ("card 4111 1111 1111 1112", "card 4111 1111 1111 1112"),
        ("iban DE89370400440532013000", "iban <IBAN_CODE>"),
        ("from 10.1.2.3", "from <IP_ADDRESS>"),
        ("from fe80::1 on", "from <IP_ADDRESS> on"),
        ("see https://example.org/ada?id=1", "see <URL>"),
        ("ssn 536-22-1234", "ssn <US_SSN>"),
        ("my passport is 123456789", "my passport is <US_PASSPORT>"),
        ("order 123456789 of 3 items", "order 123456789 of 3 items"),
        ("😀 ünï a@b.de 😀 c@d.org", "😀 ünï <EMAIL_ADDRESS> 😀 <EMAIL_ADDRESS>"),
        ("212-555-5555 4111 1111 1111 1111", "<PHONE_NUMBER> <CREDIT_CARD>"),
        ("<PERSON> of <EMAIL_ADDRESS>", "<PERSON> of <EMAIL_ADDRESS>"),
        ("", ""),
    ],
)
def test_personal_data_gives_way_to_its_kind(text: str, expected: str) -> None:
    assert redacted(text) == expected


def test_what_was_found_and_with_what_is_told_in_kinds_and_counts() -> None:
    texts = ["ada@example.com, bob@example.com", "ada@example.com from 10.1.2.3", "nothing", None]
    _, done = mask(pa.table({"note": texts}), {"note": REDACT}, KEY)
    assert "found in distinct texts: EMAIL_ADDRESS in 2, IP_ADDRESS in 1" in done["note"]
    assert "spaCy model" in done["note"]
    assert "ada" not in done["note"]


def test_the_best_installed_model_is_chosen() -> None:
    assert _find_installed([]) is None
    assert _find_installed(["en_core_web_sm", "de_core_news_sm", "en_core_web_lg"]) == "en_core_web_lg"
    assert _find_installed(["xx_ent_wiki_sm", "de_core_news_sm"]) == "de_core_news_sm"


def test_names_and_places_are_found_where_a_model_finds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for a trained model: a pipeline that knows two entities by heart."""
    import spacy

    trained = spacy.blank("en")
    ruler = trained.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Ada"}, {"label": "GPE", "pattern": "London"}])  # type: ignore[attr-defined]
    monkeypatch.setattr(spacy.util, "get_installed_models", lambda: ["en_core_web_sm"])
    monkeypatch.setattr(spacy, "load", lambda name: trained)
    redactor = Redactor()
    assert redactor.redact("Ada of London, ada@example.com", {}) == "<PERSON> of <LOCATION>, <EMAIL_ADDRESS>"
    assert "with the spaCy model en_core_web_sm" in redactor.name


def test_a_text_that_could_not_be_looked_through_is_not_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Presidio only warns of a pattern that ran out of time, and goes on without it."""
    monkeypatch.setattr("presidio_analyzer.pattern_recognizer.REGEX_TIMEOUT_SECONDS", 1e-9)
    with pytest.raises(DataError, match="timed out"):
        redacted("ada@example.com " * 1000)


def test_a_long_redaction_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was once silent for minutes."""

    class Fast:
        name = "a test's"

        def redact(self, text: str, counts: dict[str, int]) -> str:
            return text

    monkeypatch.setattr(Redactor, "get_shared", Fast)
    told: list[str] = []
    texts = [f"text {at}" for at in range(250)] * 2 + [None]

    mask(pa.table({"note": texts}), {"note": Masking("redact")}, KEY, told.append)

    assert told == [
        "redacting note: 100 of 250 different texts", "redacting note: 200 of 250 different texts",
    ]  # fmt: skip
