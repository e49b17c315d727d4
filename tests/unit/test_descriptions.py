"""Each description begins with a noun phrase that names the thing, and can be read without its neighbours."""

import re

import pytest

from tests.descriptions import COMMANDS, described

DESCRIPTIONS = sorted(set(described()))
PREPOSITIONS = """
    about above after at before below beside between by during following for from in into like of off on onto out over
    to under until with within without
"""
PRONOUNS = """
    he her how it its none one ones or she some such that their them then these they this those we what when where which
    whom whose why you previous
"""
SUBORDINATE = "also although as because but if once only since so than though unless while"
VERBS = """
    accepts adds allow allows appends applies ask asks avoids begins builds calculates call called calls causes change
    changed changes choose chooses compare compares computes configures contain contains continue continues controls
    converts creates decides decrypts defines deletes describes determines disable disables do does drop drops enable
    enables encrypts ends ensures explains finds gives goes has have hides holds ignore ignores includes indicates
    install installs is keep keeps leave leaves lets look make makes marks may means measures must need needs open opens
    picks prevents print prints provides publish publishes put puts read reads receives refuse refused refuses removes
    remove replaces represents requires restarts retrains returns rolls run runs saves say says seal seals see selects
    send sends serve serves set sets show shows skip skips specifies specify splits starts stop stops stores take takes
    tell tells trains treats try turns use used uses waits want wants wait warns write writes
"""
"""Verbs that begin an instruction or lack their subject. Verbs that are nouns too, such as "limits" and "requests", are
refused only before a determiner.
"""
NOT_FIRST = {word for words in (PREPOSITIONS, PRONOUNS, SUBORDINATE, VERBS) for word in words.split()}
DETERMINERS = "a an each every her his how its my no our the their these this those what whether which your"
NO_PLURAL = re.compile(rf"^`?[\w-]+s`? (?:{'|'.join(DETERMINERS.split())})\b", re.IGNORECASE)
"""A first word that ends like a verb in the third person, before what does not follow a noun: "Caps the rows"."""
NOUNS = re.compile(r"^(?:basis|bias|bonus|bus|class|status) ", re.IGNORECASE)
"""Singular nouns in -s, whose clause may follow at once: "Status the server reports"."""
NEEDS_A_NEIGHBOUR = re.compile(
    r"\bas (?:is|are) the (?:next|last|one)|\bthe one (?:before|after|above|below)\b|\bas above\b|\bas below\b"
    r"|\bthat is so\b|\bthe (?:next|former|latter|previous|following) (?:one|setting|option|input|output)\b"
    r"|(?:^|\. )None:|(?:^|\. )(?:Of|Or|That|Those) ",
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
    assert not lacks_its_subject(text), f"{text!r} begins with a verb"
    assert text[0].isalnum() or text[0] == "`", f"{text!r} begins with a value"
    assert not NEEDS_A_NEIGHBOUR.search(text), f"{text!r} needs its neighbour"
    assert text.endswith(".") or is_option(thing), f"{text!r} is no sentence"


@pytest.mark.parametrize(
    "text",
    [
        "Controls the rate of the updates.", "Governs how long a run may take.", "Caps the number of a batch's rows.",
        "Previous setting's value in seconds, if set.", "Like the setting of the same name.",
    ],
)  # fmt: skip
def test_a_description_without_a_noun_phrase_is_found(text: str) -> None:
    assert text.split()[0].lower() in NOT_FIRST or lacks_its_subject(text)


@pytest.mark.parametrize("text", ["Rows that wait for the model now.", "Status the server reports to its clients."])
def test_a_noun_in_s_is_no_verb(text: str) -> None:
    assert text.split()[0].lower() not in NOT_FIRST and not lacks_its_subject(text)


def test_a_neighbour_is_found() -> None:
    assert NEEDS_A_NEIGHBOUR.search("Seconds between two tries, unlike the previous setting.")


def lacks_its_subject(text: str) -> bool:
    return bool(NO_PLURAL.search(text)) and not NOUNS.search(text)


def is_option(thing: str) -> bool:
    """As argparse's own, an option's help begins in lower case and has no full stop."""
    return thing.split()[0] in {name.split()[0] for name in COMMANDS}
