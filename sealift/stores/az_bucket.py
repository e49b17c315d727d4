"""Containers of Azure Blob Storage, through its own library.

Credentials: AZURE_STORAGE_CONNECTION_STRING, else AZURE_STORAGE_KEY, else AZURE_STORAGE_SAS_TOKEN, else what
azure-identity finds (environment, workload identity, managed identity, `az login`). A large blob is a list of blocks:
Azure removes uncommitted blocks after a week. Source: "Specifying conditional headers" in Azure's reference.
"""

import base64
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from azure.core import MatchConditions, exceptions
from azure.storage.blob import BlobBlock, ContainerClient

from sealift.stores.bucket import ABSENT, Condition, ConditionFailed, Head, ObjectMissing
from sealift.stores.errors import StoreUnwritable
from sealift.stores.object_url import ObjectUrl

R = TypeVar("R")

MARK: Final = "sealift_write"
"""Name of the metadata that holds a write's mark. Azure allows no hyphen in it."""
BLOCKS_REPLACED: Final = "InvalidBlockList"
"""Answer to the commit of blocks that another writer's commit of the same blob has discarded."""
BEYOND_THE_END: Final = 416
ACCOUNT_MISSING: Final = "add ?account=NAME to store.url, or set AZURE_STORAGE_ACCOUNT"


def connect(url: ObjectUrl) -> "AzureContainer":
    """The container at this URL. Sends no request. Raises StoreUnwritable."""
    text = os.environ.get("AZURE_STORAGE_CONNECTION_STRING")
    options: dict[str, Any] = {"retry_total": 5, "connection_timeout": 10, "read_timeout": 60}
    try:
        if text:
            return AzureContainer(url, ContainerClient.from_connection_string(text, url.bucket, **options))
    except ValueError:
        raise StoreUnwritable(
            f"the store {url.location} cannot be used: AZURE_STORAGE_CONNECTION_STRING is not a connection string",
            "copy it from the storage account's access keys",
        ) from None
    account = url.option("account") or os.environ.get("AZURE_STORAGE_ACCOUNT")
    if not account:
        raise StoreUnwritable(
            f"the store {url.location} cannot be used: its storage account is not known", ACCOUNT_MISSING
        )
    endpoint = f"https://{account}.blob.core.windows.net"
    return AzureContainer(url, ContainerClient(endpoint, url.bucket, credential=_credential(account), **options))


def _credential(account: str) -> Any:
    if key := os.environ.get("AZURE_STORAGE_KEY"):
        return {"account_name": account, "account_key": key}
    if token := os.environ.get("AZURE_STORAGE_SAS_TOKEN"):
        return token
    from azure.identity import DefaultAzureCredential  # takes half a second to import

    return DefaultAzureCredential()


@dataclass(frozen=True)
class AzureContainer:
    """See bucket.Bucket."""

    url: ObjectUrl
    client: Any = field(repr=False)

    def reach(self) -> None:
        if not self.request(self.client.exists):
            raise StoreUnwritable(
                f"the store {self.url.location} does not exist: there is no container {self.url.bucket}",
                "create the container, or check store.url and its account",
            )

    def head(self, key: str) -> Head:
        found = self.request(self.blob(key).get_blob_properties)
        return Head(found.size, found.etag, (found.metadata or {}).get(MARK, ""))

    def read(self, key: str, start: int, size: int, version: str | None = None) -> tuple[bytes, Head]:
        found = self.request(self._read, key, start, size, _condition(version) if version else {})
        return found or (b"", self.head(key))

    def put(self, key: str, content: bytes, condition: Condition, mark: str) -> str:
        put = self.request(
            self.blob(key).upload_blob,
            content,
            overwrite=condition is not ABSENT,
            metadata={MARK: mark},
            **_condition(condition),
        )
        return str(put["etag"])

    def begin(self, key: str, mark: str) -> "AzureUpload":
        return AzureUpload(self, self.blob(key), mark)

    def names(self, prefix: str) -> Iterator[str]:
        whole = self.url.key(prefix)
        for name in self.request(lambda: [*self.client.list_blob_names(name_starts_with=whole)]):
            yield name[len(whole) :]

    def delete(self, key: str, version: str | None) -> None:
        with suppress(ObjectMissing):
            self.request(self.blob(key).delete_blob, **(_condition(version) if version else {}))

    def blob(self, key: str) -> Any:
        return self.client.get_blob_client(self.url.key(key))

    def request(self, send: Callable[..., R], *arguments: Any, **options: Any) -> R:
        """Sends a request. Raises StoreError, ObjectMissing or ConditionFailed."""
        try:
            return send(*arguments, **options)
        except exceptions.AzureError as error:
            raise _mapped(self.url, error) from error

    def _read(self, key: str, start: int, size: int, condition: dict[str, Any]) -> tuple[bytes, Head] | None:
        """None if the range begins at the blob's end or behind it."""
        try:
            found = self.blob(key).download_blob(offset=start, length=size, max_concurrency=1, **condition)
            content = found.readall()
        except exceptions.HttpResponseError as error:
            if error.status_code == BEYOND_THE_END:
                return None
            raise
        properties = found.properties
        whole = int((properties.content_range or f"/{len(content)}").rpartition("/")[2])
        return content, Head(whole, properties.etag, (properties.metadata or {}).get(MARK, ""))


class AzureUpload:
    """See bucket.Upload. Block ids are random: two writers of one blob share a list of uncommitted blocks."""

    workers = 3

    def __init__(self, container: AzureContainer, blob: Any, mark: str) -> None:
        self._container, self._blob, self._mark = container, blob, mark
        self._own = secrets.token_hex(8)
        self._parts: set[int] = set()

    def put_part(self, number: int, content: bytes | bytearray) -> None:
        self._container.request(self._blob.stage_block, self._id(number), content, validate_content=True)
        self._parts.add(number)

    def commit(self) -> str:
        blocks = [BlobBlock(self._id(number)) for number in sorted(self._parts)]
        send = self._blob.commit_block_list
        return str(self._container.request(send, blocks, metadata={MARK: self._mark}, **_condition(ABSENT))["etag"])

    def abort(self) -> None:
        """Azure removes uncommitted blocks after a week."""

    def _id(self, number: int) -> str:
        return base64.b64encode(f"{self._own}{number:06}".encode()).decode()


def _condition(condition: Condition) -> dict[str, Any]:
    if condition is ABSENT:
        return {"match_condition": MatchConditions.IfMissing}
    return {"etag": condition, "match_condition": MatchConditions.IfNotModified}


def _mapped(url: ObjectUrl, error: exceptions.AzureError) -> Exception:
    code = str(getattr(error, "error_code", None) or type(error).__name__)
    status = getattr(error, "status_code", None)
    if isinstance(error, exceptions.ResourceModifiedError | exceptions.ResourceExistsError) or code == BLOCKS_REPLACED:
        return ConditionFailed()
    if status == 412:
        return ConditionFailed()
    if isinstance(error, exceptions.ResourceNotFoundError) and code != "ContainerNotFound":
        return ObjectMissing()
    hints = {
        401: "check the credentials: AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, or `az login`",
        403: "give this identity the role Storage Blob Data Contributor on the container",
        404: "create the container, or check store.url and its account",
        None: "check the network, the account in store.url, and the credentials (`az login`)",
    }
    hint = hints.get(status, "run it again once the service answers")
    said = f"the service answered {code} ({status})" if status else code
    return StoreUnwritable(f"the store {url.location} cannot be used: {said}", hint)
