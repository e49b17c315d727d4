"""Signed URLs: the right to read or write one file of a store for a limited time, for a program without credentials.

A training pod gets URLs of its own run's files instead of the store's credentials. Only S3 and services with its
protocol are supported. Source: "Sharing objects with presigned URLs" in the user guide of S3.
"""

from typing import Final

from sealift.stores.bucket import Method, SigningBucket
from sealift.stores.errors import StoreUnwritable
from sealift.stores.object_store import ObjectStore, object_key
from sealift.stores.store import Folder, Store

LONGEST_SECONDS: Final = 7 * 86400
"""Limit of S3. A URL that temporary credentials signed ends with them."""


def sign_url(store: Store, folder: Folder, name: str, method: Method, seconds: int = LONGEST_SECONDS) -> str:
    """Returns a URL that allows `method` on one file. The URL is a secret. Sends no request to the store.

    Raises StoreUnwritable if the store cannot sign URLs, or without credentials.
    """
    bucket: object = store.bucket if isinstance(store, ObjectStore) else None
    if not isinstance(bucket, SigningBucket):
        raise StoreUnwritable(
            f"the store {store.location} cannot give pods access to single files",
            "use a store in S3 or a service with its protocol, such as s3://my-bucket/models",
        )
    return bucket.sign(object_key(folder, name), method, seconds)
