"""Data sets in object storage are those of local files: the same rows, the same digest, and one clear error."""

import secrets
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
import torch

from bootstrap.steps.object_store import BUCKET
from sealift.stores import StoreError, open_object
from sealift.stores.object_services import connect
from tests.object_store import ObjectStore
from training import sources
from training.errors import DataError
from training.job import Job
from training.options import Data
from training.recipe.datasets.dataset import Dataset, TensorRows
from training.recipe.datasets.load import load

CSV = "age,city,income\n" + "".join(
    f"{20 + at % 50},{'ABC'[at % 3]},{1000.5 + 3 * (at * 7 % 40)}\n" for at in range(60)
)
FILES = ("people.csv", "people.parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text(CSV)
    pa.parquet.write_table(pa.csv.read_csv(tmp_path / "people.csv"), tmp_path / "people.parquet")
    return tmp_path


@pytest.fixture
def url(object_store: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder of the bucket with the same files."""
    for name, value in object_store.variables.items():
        monkeypatch.setenv(name, value)
    prefix = secrets.token_hex(8)
    client = boto3.client("s3")
    for name in FILES:
        client.upload_file(str(folder / name), BUCKET, f"{prefix}/{name}")
    return f"{object_store.url}/{prefix}"


def load_people(folder: Path, dataset: str, **data: object) -> Dataset:
    job, problems = Job.validate({"dataset": dataset, "data": {"target": "income", **data}}, folder)
    assert job is not None, problems
    return load(job, folder, bytes(32))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("query", ["", "?region=us-east-1"], ids=["plain", "with an option"])
def test_a_data_set_in_a_bucket_equals_the_local_one(folder: Path, url: str, name: str, query: str) -> None:
    remote = load_people(folder, f"{url}/{name}{query}")
    local = load_people(folder, name)

    assert isinstance(remote.rows, TensorRows) and isinstance(local.rows, TensorRows)
    assert torch.equal(remote.rows.features, local.rows.features)
    assert torch.equal(remote.rows.target, local.rows.target)
    assert sources.digest(f"{url}/{name}{query}", folder, Data()) == sources.digest(name, folder, Data())


@pytest.mark.parametrize(
    ("file", "variable", "said", "hint"),
    [
        ("none.csv", None, "there is no object s3://", "check the URL's bucket and path"),
        ("none.parquet", None, "there is no object s3://", "check the URL's bucket and path"),
        ("people.csv", ("AWS_SECRET_ACCESS_KEY", "top-secret-word"), "cannot be used", "check AWS_SECRET_ACCESS_KEY"),
        ("people.csv?token=top-secret-word", None, "an unknown option", "allowed: a URL such as s3://"),
    ],
)
def test_what_keeps_a_data_set_from_being_read_is_one_clear_error(
    folder: Path, url: str, monkeypatch: pytest.MonkeyPatch, file: str, variable: tuple[str, str] | None, said: str,
    hint: str,
) -> None:  # fmt: skip
    if variable:
        monkeypatch.setenv(*variable)
        connect.cache_clear()  # a bucket is connected once per process
    reference = f"{url}/{file}"

    with pytest.raises(DataError, match=said) as read:
        sources.read(reference, folder, 1 << 20)
    with pytest.raises(DataError, match=said):
        sources.digest(reference, folder, Data())

    assert hint in read.value.hint
    assert "top-secret-word" not in str(read.value).replace(reference, "")


def test_a_parquet_file_that_is_missing_is_one_clear_error(folder: Path, url: str) -> None:
    with pytest.raises(DataError, match="there is no object s3://"):
        load_people(folder, f"{url}/none.parquet")


def test_a_data_set_replaced_while_it_is_read_is_not_mixed_with_the_new_one(folder: Path, url: str) -> None:
    large = bytes(20 << 20)
    client = boto3.client("s3")
    key = f"{url.rpartition('/')[2]}/large.csv"
    client.put_object(Bucket=BUCKET, Key=key, Body=large)

    with sources.open_url(f"{url}/large.csv") as stream:
        assert stream.seekable() and stream.seek(-1, 2) == len(large) - 1
        assert stream.read() == large[-1:]
        stream.seek(0)
        client.put_object(Bucket=BUCKET, Key=key, Body=b"1" + large)
        with pytest.raises(DataError, match="was changed while it was read"):
            stream.read()


def test_other_callers_get_the_store_s_own_error(url: str) -> None:
    with pytest.raises(StoreError, match="there is no object"):
        open_object(f"{url}/none")
    with pytest.raises(StoreError, match="names no object"):
        open_object(f"s3://{BUCKET}")
