"""Single objects in object storage, by their URL: files of others, such as data sets. Nothing is written."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from sealift.stores.bucket import ConditionFailed, ObjectMissing
from sealift.stores.errors import ArtifactMissing, Conflict, StoreError, StoreUrlInvalid
from sealift.stores.object_services import SERVICES, connect
from sealift.stores.object_store import PART_BYTES, ObjectReader
from sealift.stores.object_url import EXAMPLES, ObjectUrl, parse_object_url


def is_object_url(url: str) -> bool:
    return url.partition("://")[0] in SERVICES


def open_object(url: str, refuse: Callable[[StoreError], Exception] = lambda error: error) -> BinaryIO:
    """Opens one version of an object: a stream that can seek, and reads ranges. Credentials and options are those of a
    store's URL. Opening and reading raise what `refuse` makes of a StoreError.
    """
    try:
        parsed = _parse(url)
        folder, _, name = parsed.prefix.rpartition("/")
        bucket = connect(replace(parsed, prefix=folder))
        _, head = bucket.read(name, 0, 1)  # the answer to `head` would not say what is wrong
    except ObjectMissing:
        missing = ArtifactMissing(f"there is no object {parsed.location}", "check the URL's bucket and path")
        raise refuse(missing) from None
    except StoreError as error:
        raise refuse(error) from None

    def read_range(start: int, size: int) -> bytes:
        try:
            return bucket.read(name, start, size, head.version)[0]
        except (ObjectMissing, ConditionFailed):
            changed = Conflict(f"{parsed.location} was changed while it was read", "run it again")
            raise refuse(changed) from None
        except StoreError as error:
            raise refuse(error) from None

    return io.BufferedReader(ObjectReader(read_range, head.size_bytes), PART_BYTES)


def _parse(url: str) -> ObjectUrl:
    parsed = parse_object_url(url)
    if not parsed.prefix:
        example = EXAMPLES[parsed.scheme]
        raise StoreUrlInvalid(f"the URL {parsed.location} names no object", f"allowed: a URL such as {example}")
    return parsed
