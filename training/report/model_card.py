"""Model card: questions that only a model's makers can answer, and their answers.

Missing answers are shown as not stated. Nothing is guessed: an invented licence is worse than none.
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
    """Returns questions and answers in reading order. An empty or blank answer is None."""
    given = ((question, getattr(card, field)) for field, question in QUESTIONS.items())
    return [(question, (answer or "").strip() or None) for question, answer in given]


def lines(card: ModelCardReport) -> list[tuple[str, str]]:
    """Returns the same for a terminal."""
    return [(question, answer or units.NOT_STATED) for question, answer in answers(card)]
