"""The model card: questions that only a model's makers can answer, and what they answered.

What was not said is shown as not stated. Nothing here guesses: a licence that was invented is worse than none.
"""

from typing import Final

from training.report import units
from training.report.content import ModelCardReport

QUESTIONS: Final = {
    "intended_use": "Intended use",
    "limitations": "Limitations",
    "ethical_considerations": "Ethical considerations",
    "licence": "Licence of the model",
    "data_licence": "Licence of the data",
    "contact": "Contact",
}


def answers(card: ModelCardReport) -> list[tuple[str, str | None]]:
    """Question and answer, in the order of reading; None where nothing, or only white space, was said."""
    given = ((question, getattr(card, field)) for field, question in QUESTIONS.items())
    return [(question, (answer or "").strip() or None) for question, answer in given]


def lines(card: ModelCardReport) -> list[tuple[str, str]]:
    """The same for a terminal."""
    return [(question, answer or units.NOT_STATED) for question, answer in answers(card)]
