"""One reading of every artifact in a store, with several requests at a time.

Object storage answers each request after some milliseconds: one after the other, 10,000 manifests take minutes. Only
commands about the whole store and the rotation of a key read every artifact.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from sealift.stores.artifacts import artifact_ids
from sealift.stores.store import Store

READERS: Final = 16
BATCH: Final = 256
"""Results that wait for the caller at most."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_artifacts(store: Store, function: Callable[[str], Result]) -> Iterator[tuple[str, Result]]:
    """Yields the id and the function's result of every artifact, in the order of the ids. Raises what the function
    raises, and StoreUnwritable if the store does not exist.
    """
    return map_all(artifact_ids(store), function)


def map_all(items: Sequence[Item], function: Callable[[Item], Result]) -> Iterator[tuple[Item, Result]]:
    """Yields each item and the function's result of it, in order. Raises what the function raises."""
    pool = ThreadPoolExecutor(READERS)
    try:
        for start in range(0, len(items), BATCH):
            batch = items[start : start + BATCH]
            yield from zip(batch, pool.map(function, batch), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
