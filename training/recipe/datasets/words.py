"""TEXT → WORD IDS: the features of a text column. Id 0 is padding, id 1 any word that is not in the vocabulary."""

import re
from collections import Counter
from typing import Any, Final

import numpy as np
import pyarrow as pa

WORD: Final = re.compile(r"\w+")
MOST_WORDS: Final = 20_000
FEWEST_ROWS: Final = 2
"""Smallest number of rows with a word of the vocabulary."""
LONGEST: Final = 256
"""Largest number of words of a text. Further words are ignored."""
PADDING, UNKNOWN = 0, 1


def split_into_words(text: str | None) -> list[str]:
    """Returns the words in lower case, in order."""
    return WORD.findall((text or "").lower())[:LONGEST]


def encode(column: pa.ChunkedArray) -> tuple[np.ndarray[Any, np.dtype[np.int64]], tuple[str, ...]]:
    """Returns ids (R, L), with L words in the longest text, and the word of each id."""
    texts = [split_into_words(text) for text in column.to_pylist()]
    counts = Counter(word for text in texts for word in set(text))
    common = sorted((-count, word) for word, count in counts.items() if count >= FEWEST_ROWS)[:MOST_WORDS]
    vocabulary = ("", "", *(word for _, word in common))
    number = {word: at for at, word in enumerate(vocabulary) if word}
    ids = np.full((len(texts), max(map(len, texts), default=1) or 1), PADDING, dtype=np.int64)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = [number.get(word, UNKNOWN) for word in text]
    return ids, vocabulary
