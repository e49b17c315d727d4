"""Finds personal data in text with Presidio, and replaces it by its kind: `write to <EMAIL_ADDRESS>`.

Presidio's recognisers for English find data with a form or a checksum: e-mail and IP addresses, URLs, telephone, credit
card, bank account, social security and passport numbers, dates. Only a spaCy model finds names and places. It is
used if it is installed, and never fetched. Errors in both directions are possible: personal data may be left. Nothing
here writes, logs or fetches. The precautions against the libraries are numbered below.
"""

import functools
import importlib.metadata
import logging
import re
from collections.abc import Iterable
from typing import Any, Final

from training.errors import DataError, MissingLibraryError

CERTAINTY: Final = 0.4
"""Presidio's score of a telephone number, and of what only a nearby word reveals ("passport 123456789")."""
PHONE_REGIONS: Final = ("US", "GB", "DE", "FR", "ES", "IT", "IN", "BR")
"""Regions whose numbers are found without a country code too. With one, numbers of all regions are found."""
MODELS: Final = ("en_core_web_lg", "en_core_web_md", "en_core_web_sm")
LANGUAGE: Final = "en"
LONGEST_TEXT: Final = 1_000_000
"""Largest number of characters of one text, which is spaCy's own limit."""


class Redactor:
    """Presidio with the best installed spaCy model, or without one."""

    def __init__(self) -> None:
        """Loads Presidio. Raises MissingLibraryError."""
        try:
            import presidio_analyzer
            import spacy
        except ImportError as error:
            raise MissingLibraryError(
                f"Presidio, which `redact` needs, is not installed: {error}", "run `make setup`"
            ) from error
        for name in ("presidio-analyzer", "decision_process", "spacy"):
            logging.getLogger(name).addFilter(_silence)
        model = _find_installed(spacy.util.get_installed_models())
        self._analyzer = _make_analyzer(presidio_analyzer, _load_pipeline(spacy, model))
        self._tag = re.compile(f"<({'|'.join(sorted(self._analyzer.get_supported_entities()))})>")
        version = importlib.metadata.version("presidio-analyzer")
        self.name = f"Presidio {version} " + (
            f"with the spaCy model {model}"
            if model
            else "without a spaCy model, so names and places are not found and not redacted"
        )
        """Name with the models in use, for the report."""

    @staticmethod
    @functools.cache
    def get_shared() -> "Redactor":
        """Returns the process's only one, since making it takes seconds."""
        return Redactor()

    def redact(self, text: str, counts: dict[str, int]) -> str:
        """Returns the text with tags. `counts` grows by 1 for each kind found in it."""
        kinds: set[str] = set()
        # Searches again after every find: in "212-555-5555 4111 1111 1111 1111", Presidio tries "5555 4111 1111 1111"
        # as card first, and finds the real one after the telephone number is gone. It ends when only tags are left.
        while spans := self._find(text):
            for start, end, (_, _, entity) in reversed(spans):
                text = f"{text[:start]}<{entity}>{text[end:]}"
                kinds.add(entity)
        for entity in kinds:
            counts[entity] = counts.get(entity, 0) + 1
        return text

    def _find(self, text: str) -> "list[Span]":
        """Returns the personal data outside tags, in order."""
        found = self._analyzer.analyze(text, LANGUAGE, score_threshold=CERTAINTY)
        tags = [match.span() for match in self._tag.finditer(text)]
        spans = ((one.start, one.end, (one.score, one.end - one.start, one.entity_type)) for one in found)
        return [span for span in _merge(_grow(text, tags, span) for span in spans) if (span[0], span[1]) not in tags]


Rank = tuple[float, int, str]
Span = tuple[int, int, Rank]


def _merge(spans: Iterable[Span]) -> list[Span]:
    """Merges overlapping spans, and names them after the most certain (then longest): everything found is removed.

    Presidio's own anonymizer decides ties by the order of a set, which differs from run to run.
    """
    merged: list[Span] = []
    for start, end, rank in sorted(spans):
        if merged and start < merged[-1][1]:
            first, last, best = merged[-1]
            merged[-1] = (first, max(last, end), max(best, rank))
        else:
            merged.append((start, end, rank))
    return merged


def _grow(text: str, tags: Iterable[tuple[int, int]], span: Span) -> Span:
    """Extends a span to whole words, since Presidio finds only fe80:: of fe80::1, and to whole tags."""
    start, end, rank = span
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    touched = [(first, last) for first, last in tags if first < end and start < last]
    return min([start, *(first for first, _ in touched)]), max([end, *(last for _, last in touched)]), rank


def _silence(record: logging.LogRecord) -> bool:
    """Precaution 1: log records may quote texts. One kind of record means that a text was searched only in part."""
    if "timed out" in str(record.msg):
        raise DataError(
            "masking: the search for personal data in a text timed out",
            "shorten texts, or drop the column",
        )
    return False


def _find_installed(models: Iterable[str]) -> str | None:
    """Returns the best English model, otherwise the first of any language."""
    found = sorted(models)
    return next((model for model in MODELS if model in found), found[0] if found else None)


def _load_pipeline(spacy: Any, model: str | None) -> Any:
    """Loads the model. Without one, it only splits words in lower case, which a recogniser's context needs."""
    if model:
        return spacy.load(model)
    if not spacy.Language.has_factory("sealift_lower_case"):
        spacy.Language.component("sealift_lower_case", func=_make_lower_case)
    pipeline = spacy.blank(LANGUAGE)
    pipeline.add_pipe("sealift_lower_case")
    return pipeline


def _make_lower_case(document: Any) -> Any:
    for token in document:
        token.lemma_ = token.lower_
    return document


def _make_analyzer(presidio: Any, pipeline: Any) -> Any:
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Loaded(SpacyNlpEngine):
        """Precaution 2: Presidio's own engine downloads a missing model."""

        def __init__(self) -> None:
            super().__init__()
            self.nlp = {LANGUAGE: pipeline}  # type: ignore[assignment] # declared as None

    engine = Loaded()
    registry = presidio.RecognizerRegistry(supported_languages=[LANGUAGE])
    registry.load_predefined_recognizers([LANGUAGE], engine)
    for recognizer in _make_replacements():
        registry.remove_recognizer(recognizer.name)
        registry.add_recognizer(recognizer)
    return presidio.AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[LANGUAGE])


def _make_replacements() -> tuple[Any, ...]:
    """Returns recognisers of Presidio with another set-up."""
    from presidio_analyzer.predefined_recognizers import EmailRecognizer, PhoneRecognizer

    class AnyEmailRecognizer(EmailRecognizer):
        """Precaution 3: Presidio's own fetches the public suffixes over the network. Here, ada@host.internal counts
        too.
        """

        def validate_result(self, pattern_text: str) -> None:
            return None

    return AnyEmailRecognizer(name="EmailRecognizer"), PhoneRecognizer(supported_regions=PHONE_REGIONS)
