"""Settings are read all at once: what is wrong is told by path, and nothing is said of what is not known yet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from sealift.settings import Clash, kinds, properties, read, section, sections, setting
from sealift.settings.read import numbers_read, texts_read


@dataclass(frozen=True)
class Rod:
    length_metres: float = setting(kinds.number_within(0, 3), 1.0, "From end to end.")


@dataclass(frozen=True)
class Cage:
    birds: int = setting(kinds.whole_number(0, 9), 1, "That live there.")
    places: int = setting(kinds.whole_number(1, 9), 2, "On the rod.")
    rod: Rod = section(Rod, Rod(), "Where they sit.")
    spare: Rod | None = section(Rod, None, "If there is one.")
    toys: Mapping[str, Rod] = sections(Rod, "By name.")

    def clashes(self) -> Iterator[Clash]:
        if self.birds > self.places:
            yield Clash("birds", f"is {self.birds}; there are {self.places} places", ("places",))


def told(raw: Mapping[str, object], unknown: tuple[str, ...] = ()) -> list[str]:
    return [str(problem) for problem in read(Cage, raw, "a cage", unknown=unknown)[1]]


def test_nothing_said_is_the_default() -> None:
    assert read(Cage, {}, "a cage") == (Cage(), [])


def test_objects_are_read_by_name_and_whole_numbers_from_doubles() -> None:
    raw = {"birds": 2.0, "rod": {"lengthMetres": 2}, "spare": {}, "toys": {"bell": {"lengthMetres": 0.5}}}

    cage, problems = read(Cage, raw, "a cage")

    assert problems == []
    assert cage == Cage(birds=2, rod=Rod(2.0), spare=Rod(), toys={"bell": Rod(0.5)})


def test_every_problem_is_told_by_its_path_in_the_order_of_the_declarations() -> None:
    raw = {"toys": {"bell": {"lengthMetres": 4}}, "rod": [], "birds": -1}

    assert told(raw) == [
        "birds is -1; allowed: a whole number from 0 to 9",
        "rod is []; allowed: an object of settings",
        "toys.bell.lengthMetres is 4; allowed: a number from 0 to 3",
    ]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"bird": 1}, "bird is not a setting of a cage; did you mean 'birds'?"),
        ({"zzz": 1}, "zzz is not a setting of a cage; allowed: birds, places, rod, spare, toys"),
        ({"rod": {"length": 1}}, "rod.length is not a setting of rod; did you mean 'lengthMetres'?"),
    ],
)
def test_a_name_that_is_none_is_told_with_what_was_meant(raw: Mapping[str, object], said: str) -> None:
    assert told(raw) == [said]


def test_a_clash_is_told_only_if_all_that_it_needs_is_known_and_right() -> None:
    assert told({"birds": 3}) == ["birds is 3; there are 2 places"]
    assert told({"birds": 3}, unknown=("places",)) == []
    assert told({"birds": 3, "places": 0}) == ["places is 0; allowed: a whole number from 1 to 9"]


def test_of_an_unknown_value_nothing_is_said() -> None:
    assert told({"birds": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}, unknown=("birds",)) == []


def test_what_is_read_is_written_back_without_defaults() -> None:
    raw = {"birds": 2, "rod": {"lengthMetres": 2.0}, "toys": {"bell": {"lengthMetres": 0.5}}}

    assert properties(read(Cage, raw, "a cage")[0]) == raw


@dataclass(frozen=True)
class Ring:
    year: str = setting(kinds.any_text, "", "Of the bird.")
    notes: tuple[str, ...] = setting(kinds.texts, (), "On it.")
    millimetres: float = setting(kinds.number_within(0, 9), 1.0, "Across.")
    closed: bool = setting(kinds.boolean, True, "Whether it is.")


@pytest.mark.parametrize(
    ("value", "text"), [(2027, "2027"), (2027.0, "2027"), (0.5, "0.5"), (-1, "-1"), (2**60, str(2**60)), ("x", "x")]
)
def test_text_takes_a_number_as_its_text(value: object, text: str) -> None:
    assert texts_read(Ring, {"year": value, "notes": [value, "y"]}) == {"year": text, "notes": [text, "y"]}
    assert numbers_read(Ring, {"year": value})["year"] == text
    assert read(Ring, {"year": value}, "a ring") == (Ring(year=text), [])


def test_text_takes_nothing_else_than_texts_and_numbers() -> None:
    for value in (True, [1], {"a": 1}):
        assert texts_read(Ring, {"year": value}) == {"year": value}
        assert len(read(Ring, {"year": value}, "a ring")[1]) == 1


def test_numbers_and_truth_values_stay_what_they_are() -> None:
    assert numbers_read(Ring, {"millimetres": "0.5", "closed": True}) == {"millimetres": 0.5, "closed": True}
    assert texts_read(Ring, {"millimetres": 2.0, "closed": False}) == {"millimetres": 2.0, "closed": False}
