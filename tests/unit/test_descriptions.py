"""Each description begins with a noun phrase that names the thing, and can be read without its neighbours."""

import re

import pytest

from tests.descriptions import COMMANDS, described

DESCRIPTIONS = sorted(set(described()))
PREPOSITIONS = """
    about above after at before below beside between by during for from in into of off on onto out over to under until
    with within without
"""
PRONOUNS = """
    he her how it its none one ones or she some such that their them then these they this those we what when where which
    who whom whose why you
"""
SUBORDINATE = "although as because but if once only since so than though unless while"
VERBS = """
    adds allow allows ask asks begins call called change changes choose compare continue contains create deletes do does
    drop gives goes has have ignore install is keep keeps leave look make makes may must need needs open opens print
    prints publish put read reads refuse refused remove runs say says seal see send sends serve serves set sets show
    shows skip starts stop stops take takes tell tells trains try use used uses want wants wait write writes
"""
NOT_FIRST = {word for words in (PREPOSITIONS, PRONOUNS, SUBORDINATE, VERBS) for word in words.split()}
NEEDS_A_NEIGHBOUR = re.compile(
    r"\bas (?:is|are) the (?:next|last|one)|\bthe one (?:before|after|above|below)\b|\bas above\b|\bas below\b"
    r"|\bthat is so\b|\bthe (?:next|former|latter) (?:one|setting)\b|(?:^|\. )None:|(?:^|\. )(?:Of|Or|That|Those) ",
    re.IGNORECASE,
)


def test_descriptions_of_each_kind_are_read() -> None:
    things = [name for name, _ in DESCRIPTIONS]

    for kind, least in {"(inputProperties)": 100, "setting ": 100, "--": 20, "metric ": 15}.items():
        assert len([name for name in things if kind in name]) >= least, kind


@pytest.mark.parametrize(("thing", "text"), DESCRIPTIONS, ids=[name for name, _ in DESCRIPTIONS])
def test_a_description_names_the_thing_first_and_stands_alone(thing: str, text: str) -> None:
    words = re.findall(r"[\w'`$./:-]+", text)

    assert len(words) >= 5, f"{text!r} says too little"
    assert words[0].strip("`").lower() not in NOT_FIRST, f"{text!r} does not begin with a noun phrase"
    assert text[0].isalnum() or text[0] == "`", f"{text!r} begins with a value"
    assert not NEEDS_A_NEIGHBOUR.search(text), f"{text!r} needs its neighbour"
    assert text.endswith(".") or is_option(thing), f"{text!r} is no sentence"


def is_option(thing: str) -> bool:
    """As argparse's own, an option's help begins in lower case and has no full stop."""
    return thing.split()[0] in {name.split()[0] for name in COMMANDS}
