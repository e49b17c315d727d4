"""A store on a real S3 server: the contract of all stores, and what only object storage can get wrong."""

import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3

from bootstrap.steps.object_store import BUCKET
from sealift.sealing import seal_into, under_key
from sealift.stores import (
    MANIFESTS,
    PAYLOADS,
    RECORDS,
    ArtifactDamaged,
    KeysUnusable,
    Store,
    StoreError,
    StoreUnwritable,
    collect,
    create_artifact,
    erase_artifact,
    get_key,
    open_store,
    put_artifact,
    s3_bucket,
    sign_url,
)
from sealift.stores.object_store import MARKER, PART_BYTES
from tests.keys import key_pair
from tests.object_store import ObjectStore, running
from tests.unit.stores.contract import ID, OTHER, StoreContract, exactly_one_wins

KEY = key_pair().recipient
LARGE = bytes(PART_BYTES) + b"end"


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A prefix of this test's own."""
    return f"{abs(hash(request.node.nodeid))}"


@pytest.fixture
def store(object_store: ObjectStore, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store."""
    for name, value in object_store.variables.items():
        monkeypatch.setenv(name, value)
    return open_store(f"{object_store.url}/{prefix}")


@pytest.fixture
def client(object_store: ObjectStore, store: Store) -> Any:
    """Another program's access to the same bucket."""
    return boto3.session.Session().client("s3", endpoint_url=object_store.endpoint)


class TestS3Store(StoreContract):
    large_mib = 96

    @pytest.fixture
    def store(self, store: Store) -> Store:
        return store


@pytest.mark.parametrize("content", [b"payload", LARGE], ids=["one request", "parts"])
def test_of_many_writers_of_one_name_exactly_one_wins(store: Store, content: bytes) -> None:
    exactly_one_wins(store, content)


def test_writers_of_different_names_do_not_disturb_each_other(store: Store) -> None:
    names = [f"{at:032x}" for at in range(6)]

    with ThreadPoolExecutor(6) as pool:
        [*pool.map(lambda name: store.put(PAYLOADS, name, LARGE + name.encode()), names)]

    assert store.names(PAYLOADS) == names
    assert [store.get(PAYLOADS, name) for name in names] == [LARGE + name.encode() for name in names]


def test_a_failed_writer_leaves_no_parts(store: Store, client: Any) -> None:
    with pytest.raises(RuntimeError), store.create(PAYLOADS, ID) as file:
        file.write(LARGE)
        raise RuntimeError

    assert "Uploads" not in client.list_multipart_uploads(Bucket=BUCKET)


def test_a_refused_writer_leaves_no_parts(store: Store, client: Any) -> None:
    store.put(PAYLOADS, ID, b"payload")

    with pytest.raises(ArtifactDamaged):
        store.put(PAYLOADS, ID, LARGE)

    assert "Uploads" not in client.list_multipart_uploads(Bucket=BUCKET)


def test_the_next_writer_removes_what_a_killed_one_left_a_day_ago(
    store: Store, client: Any, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (ID, OTHER):
        key = f"{prefix}/payloads/{name}"
        client.create_multipart_upload(Bucket=BUCKET, Key=key)
    store.put(PAYLOADS, ID, LARGE)
    assert len(client.list_multipart_uploads(Bucket=BUCKET)["Uploads"]) == 2
    store.delete(PAYLOADS, ID)

    monkeypatch.setattr(s3_bucket, "UPLOADS_EXPIRE_SECONDS", -86400.0)
    store.put(PAYLOADS, ID, LARGE)

    left = client.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert [upload["Key"] for upload in left] == [f"{prefix}/payloads/{OTHER}"]
    client.abort_multipart_upload(Bucket=BUCKET, Key=left[0]["Key"], UploadId=left[0]["UploadId"])


def test_a_payload_replaced_while_it_is_read_is_not_mixed_with_the_new_one(
    store: Store, client: Any, prefix: str
) -> None:
    store.put(PAYLOADS, ID, LARGE)
    with store.open(PAYLOADS, ID) as stream:
        stream.read(1)
        client.put_object(Bucket=BUCKET, Key=f"{prefix}/payloads/{ID}", Body=bytes(len(LARGE)) + b"other")

        with pytest.raises(StoreError, match="was changed by another process"):
            stream.read()


def test_other_objects_beside_the_store_are_not_its_files(store: Store, client: Any, prefix: str) -> None:
    store.put(RECORDS, ID, b"record")
    for key in ("records/readme.txt", f"records/{OTHER}/deeper", "else"):
        client.put_object(Bucket=BUCKET, Key=f"{prefix}/{key}", Body=b"x")

    assert store.names(RECORDS) == [ID]


def test_two_prefixes_are_two_stores(object_store: ObjectStore, store: Store, prefix: str) -> None:
    other = open_store(f"{object_store.url}/{prefix}/below")
    store.put(MANIFESTS, ID, b"mine")
    other.put(MANIFESTS, ID, b"other")

    assert (store.get(MANIFESTS, ID), other.get(MANIFESTS, ID)) == (b"mine", b"other")


def test_a_store_can_be_handed_to_another_process(store: Store) -> None:
    store.put(PAYLOADS, ID, b"payload")

    assert pickle.loads(pickle.dumps(store)).get(PAYLOADS, ID) == b"payload"


def test_a_bucket_that_does_not_exist_is_said(store: Store) -> None:
    nowhere = open_store("s3://no-such-bucket/store")

    with pytest.raises(StoreUnwritable, match="there is no bucket no-such-bucket"):
        nowhere.reach()
    with pytest.raises(StoreUnwritable, match="there is no bucket no-such-bucket"):
        nowhere.put(PAYLOADS, ID, b"payload")
    with pytest.raises(StoreUnwritable, match="there is no bucket no-such-bucket"):
        nowhere.names(PAYLOADS)


def test_the_url_s_endpoint_and_profile_are_used(
    object_store: ObjectStore, prefix: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    credentials = f"aws_access_key_id = {object_store.key.access}\naws_secret_access_key = {object_store.key.secret}\n"
    (tmp_path / "credentials").write_text(f"[mine]\n{credentials}")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    url = f"{object_store.url}/{prefix}?profile=mine&region=us-east-1&endpoint={object_store.endpoint}"

    open_store(url).put(PAYLOADS, ID, b"payload")

    assert open_store(url).get(PAYLOADS, ID) == b"payload"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "nobody", "InvalidAccessKeyId|XAdminUserNotFound"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9", "EndpointConnectionError"),
        ("AWS_PROFILE", "nowhere", "the profile in AWS_PROFILE is not configured"),
    ],
)
def test_what_keeps_the_store_from_being_used_is_said_without_secrets(
    object_store: ObjectStore, store: Store, prefix: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str,
    message: str,
) -> None:  # fmt: skip
    if name == "AWS_PROFILE":
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(s3_bucket, "ATTEMPTS", 2)

    with pytest.raises(StoreUnwritable, match=message) as refused:
        open_store(f"{object_store.url}/{prefix}{name.replace('_', '-')}").put(PAYLOADS, ID, b"payload")
    assert object_store.key.secret not in str(refused.value) and "wrong" not in str(refused.value)
    assert refused.value.hint


def test_without_credentials_the_ways_to_give_them_are_said(
    object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in object_store.variables:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")

    with pytest.raises(StoreUnwritable, match="there are no credentials") as refused:
        open_store("s3://my-bucket/nobody?region=us-east-1").get(PAYLOADS, ID)
    assert "AWS_ACCESS_KEY_ID" in refused.value.hint


def test_the_marker_shows_that_conditions_were_checked(store: Store, client: Any, prefix: str) -> None:
    store.put(PAYLOADS, ID, b"payload")

    assert client.head_object(Bucket=BUCKET, Key=f"{prefix}/{MARKER}")["ContentLength"] > 0


def test_a_collection_removes_old_uploads_of_this_store_alone(
    object_store: ObjectStore, store: Store, client: Any, prefix: str
) -> None:
    store.put(MANIFESTS, ID, b"manifest")
    keys = [f"{prefix}/payloads/{ID}", f"{prefix}-other/payloads/{ID}"]
    uploads = [client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"] for key in keys]

    assert collect(store).unfinished == 0
    assert collect(store, -10).unfinished == 1

    left = client.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert [upload["Key"] for upload in left] == keys[1:]
    client.abort_multipart_upload(Bucket=BUCKET, Key=keys[1], UploadId=uploads[1])


def test_a_bucket_with_versioning_takes_no_artifacts_own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "versions").mkdir()
    with running(tmp_path, "--versioning-dir", str(tmp_path / "versions")) as server:
        for name, value in server.variables.items():
            monkeypatch.setenv(name, value)
        client = boto3.session.Session().client("s3", endpoint_url=server.endpoint)
        store = open_store(f"file://{tmp_path}/store", f"{server.url}/keys")
        create_artifact(store, ID, lambda write, kek: seal_into(write, b"model", {}, under_key([KEY], kek), ID))
        assert len(get_key(store.keys, ID)) == 32
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

        with pytest.raises(KeysUnusable, match="its versioning is on"):
            create_artifact(
                store, OTHER, lambda write, kek: seal_into(write, b"model", {}, under_key([KEY], kek), OTHER)
            )

        assert store.names(PAYLOADS) == [ID]
        erase_artifact(store, ID, "request 17")
        listed = client.list_object_versions(Bucket=BUCKET, Prefix="keys/keys/")
    assert "Versions" not in listed and "DeleteMarkers" not in listed


def test_an_erasure_destroys_the_versions_that_a_bucket_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "versions").mkdir()
    with running(tmp_path, "--versioning-dir", str(tmp_path / "versions")) as server:
        for name, value in server.variables.items():
            monkeypatch.setenv(name, value)
        client = boto3.session.Session().client("s3", endpoint_url=server.endpoint)
        store, early = open_store(f"{server.url}/versioned"), "ef" * 16
        put_artifact(store, early, b"payload", b"manifest")
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        put_artifact(store, ID, b"payload", b"manifest")
        store.swap(MANIFESTS, ID, b"rewrapped", store.read(MANIFESTS, ID).version)
        put_artifact(store, OTHER, b"payload", b"manifest")
        store.delete(PAYLOADS, OTHER)
        assert len(client.list_object_versions(Bucket=BUCKET, Prefix=f"versioned/manifests/{ID}")["Versions"]) == 2

        for artifact_id in (ID, OTHER, early):
            erase_artifact(store, artifact_id, "request 17")

        listed = client.list_object_versions(Bucket=BUCKET, Prefix="versioned/")
    assert {version["Key"].split("/")[1] for version in listed["Versions"]} == {MARKER, "audit", "tombstones"}
    assert "DeleteMarkers" not in listed


def send(method: str, url: str, content: bytes | None = None, **conditions: str) -> tuple[int, bytes]:
    """Status and content, without any credentials but the URL."""
    answer = urllib3.request(method, url, body=content, headers=conditions, retries=False)
    return answer.status, answer.data


def test_a_signed_url_allows_one_method_on_one_file_with_conditions(store: Store) -> None:
    put, get = (sign_url(store, RECORDS, ID, method) for method in ("PUT", "GET"))

    assert send("GET", get)[0] == 404
    assert send("PUT", put, b"first", **{"If-None-Match": "*"})[0] == 200
    assert send("PUT", put, b"second", **{"If-None-Match": "*"})[0] == 412
    version = store.read(RECORDS, ID).version
    assert send("PUT", put, b"third", **{"If-Match": version})[0] == 200
    assert send("PUT", put, b"fourth", **{"If-Match": version})[0] == 412
    assert send("GET", get) == (200, b"third")

    store.put(RECORDS, OTHER, b"of another run")
    assert send("GET", get.replace(ID, OTHER))[0] == 403
    assert send("PUT", get, b"by the wrong method")[0] == 403
    assert send("DELETE", put)[0] == 403
    assert send("GET", get.partition("?")[0])[0] == 403


def test_a_signed_url_ends(store: Store) -> None:
    store.put(RECORDS, ID, b"content")
    url = sign_url(store, RECORDS, ID, "GET", seconds=1)
    assert send("GET", url)[0] == 200
    time.sleep(2.1)
    assert send("GET", url)[0] == 403


@pytest.mark.parametrize("url", ["file:///tmp/a", "gs://bucket/models", "az://container/models?account=acme"])
def test_a_store_that_cannot_sign_says_which_one_can(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_KEY", "a2V5")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    with pytest.raises(StoreUnwritable, match="use a store in S3"):
        sign_url(open_store(url), RECORDS, ID, "GET")
