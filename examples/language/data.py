"""Short support tickets and the team that each is for, generated from templates. Some have a random team."""

from typing import Any, Final

import numpy as np
import pyarrow as pa

from training.recipe.datasets import words

TEAMS: Final = ("account", "billing", "delivery", "technical")
WRONG_TEAM: Final = 0.05
"""Share of the tickets whose team is drawn at random, from all four."""

PROBLEMS: Final = {
    "account": (
        "i cannot sign in to my {thing} account",
        "the password reset mail for my {thing} never came",
        "please change the address in my profile",
        "someone else uses my {thing} login",
        "how do i close my account",
        "my user name is locked after three wrong passwords",
    ),
    "billing": (
        "i was charged twice for the {thing}",
        "the invoice for my {thing} is wrong",
        "please refund what i paid for the {thing}",
        "my card was refused though there is money on it",
        "the discount is missing on my invoice",
        "why did the price of the {thing} go up",
    ),
    "delivery": (
        "my {thing} has not arrived",
        "the parcel with my {thing} is damaged",
        "the courier left the {thing} at a wrong address",
        "please send the {thing} to another address",
        "tracking has not changed and i am waiting for my {thing}",
        "the box came without the {thing}",
    ),
    "technical": (
        "the {thing} does not switch on",
        "my {thing} loses its connection",
        "after the update the {thing} is slow",
        "the {thing} shows an error and stops",
        "the battery of the {thing} is empty within an hour",
        "i hear a noise when the {thing} is on",
    ),
}
OPENINGS: Final = ("hello", "hi there", "good morning", "dear team", "to whom it may concern", "help", "it is me again")
THINGS: Final = ("phone", "tablet", "router", "camera", "speaker", "printer", "watch", "lamp", "heater", "keyboard")
TIMES: Final = ("since monday", "for two weeks", "today", "since yesterday", "again", "for days", "last night")
REMARKS: Final = (
    "i have paid for it",
    "i wrote from my account",
    "the order was confirmed by mail",
    "i have tried everything",
    "the shop sent me to you",
    "my address is in the order",
    "there was no error before",
    "i need it for work",
)
CLOSINGS: Final = ("thank you", "please answer soon", "regards", "i am waiting", "best wishes", "this is urgent")


def load(rows: int = 1500, seed: int = 0) -> dict[str, Any]:
    """Returns features int64 (rows, words of the longest ticket), target int64 (rows,), and the `words` of the ids."""
    if not 40 <= rows <= 20_000:
        raise ValueError(f"rows is {rows}; allowed: 40 to 20000")
    random = np.random.default_rng(seed)
    tickets: dict[str, int] = {}  # each text once, so that no text is both learnt from and tested on
    while len(tickets) < rows:
        team = int(random.integers(len(TEAMS)))
        text = _ticket(TEAMS[team], random)
        wrong = random.random() < WRONG_TEAM
        tickets.setdefault(text, int(random.integers(len(TEAMS))) if wrong else team)
    ids, vocabulary = words.encode(pa.chunked_array([list(tickets)]))
    target = np.array(list(tickets.values()), dtype=np.int64)
    return {"features": ids, "target": target, "classes": TEAMS, "words": vocabulary}


def _ticket(team: str, random: np.random.Generator) -> str:
    """Makes a ticket. Only the problem reveals the team. The other parts are the same for every team."""

    def one_of(choices: tuple[str, ...]) -> str:
        return choices[random.integers(len(choices))]

    problem = one_of(PROBLEMS[team]).format(thing=one_of(THINGS))
    return f"{one_of(OPENINGS)}, {problem} {one_of(TIMES)}. {one_of(REMARKS)}. {one_of(CLOSINGS)}"
