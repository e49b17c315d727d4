"""One reading of every artifact in a store, with several requests at a time.

Object storage answers each request after some milliseconds: one after the other, 10,000 manifests take minutes. Only
commands about the whole store and the rotation of a key read every artifact.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from sealift.stores.artifacts import artifact_ids
from sealift.stores.store import Store

READERS: Final = 16
BATCH: Final = 256
"""Results that wait for the caller at most."""

Result = TypeVar("Result")


def map_artifacts(store: Store, function: Callable[[str], Result]) -> Iterator[tuple[str, Result]]:
    """Yields the id and the function's result of every artifact, in the order of the ids. Raises what the function
    raises, and StoreUnwritable if the store does not exist.
    """
    ids = artifact_ids(store)
    pool = ThreadPoolExecutor(READERS)
    try:
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            yield from zip(batch, pool.map(function, batch), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
