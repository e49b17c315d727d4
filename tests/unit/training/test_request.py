"""The message that a run is: the same on both sides, every problem at once, and no secret in any."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from training.errors import RunRequestError
from training.job import Job
from training.options import EarlyStopping, Masking
from training.request import RunRequest, read_request, write_request

KEY = b"0123456789abcdef0123456789abcdef"
LEAST = RunRequest(Job(), "file:///store", KEY, ("pem",), "ab" * 32)
WHOLE = RunRequest(
    job=Job(epochs=3, early_stopping=EarlyStopping(patience=2), masking={"sex": Masking("hash")}),
    store_url="file:///store",
    run_key=KEY,
    recipients=("one", "two"),
    run_id="cd" * 32,
    keys_url="file:///keys",
    data_digest="a",
    code_digest="b",
    libraries="torch 2",
    processor="x86-64",
    mask_key=KEY[::-1],
    checkpoint_seconds=0,
    init_key=KEY[1:] + b"x",
    deployed_metrics={"mse": 1.5},
    expose_metrics=True,
)


def said_of(folder: Path, **changes: Any) -> str:
    """What is wrong with the least request, so changed; None takes a field away."""
    values = json.loads(write_request(LEAST)) | changes
    line = json.dumps({name: value for name, value in values.items() if value is not None}).encode()
    with pytest.raises(RunRequestError) as error:
        read_request(line, folder)
    return error.value.message


@pytest.mark.parametrize("request_", [LEAST, WHOLE], ids=["least", "whole"])
def test_what_is_read_is_what_was_written_on_one_line(tmp_path: Path, request_: RunRequest) -> None:
    line = write_request(request_)

    assert line.count(b"\n") == 1
    assert read_request(line, tmp_path) == request_


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    said = said_of(
        tmp_path, runKey="c2hvcnQ=", recipients=[], runId="../../etc", job={"epochs": 0}, checkpointSeconds=-1
    )

    for name in ("run_key", "recipients", "run_id", "job.epochs", "checkpoint_seconds"):
        assert name in said


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"runKey": None}, "run_key"), ({"storeUrl": ""}, "store_url"), ({"recipients": ["pem", ""]}, "recipients"),
        ({"keysUrl": ""}, "keys_url"),
        ({"recipients": "pem"}, "recipients"), ({"maskKey": "c2hvcnQ="}, "mask_key"), ({"initKey": "?"}, "init_key"),
        ({"dataDigest": ""}, "data_digest"), ({"exposeMetrics": 1}, "expose_metrics"), ({"job": None}, "job"),
        ({"deployedMetrics": {"mse": "low"}}, "deployed_metrics"), ({"checkpointSeconds": "NaN"}, "checkpoint_seconds"),
        ({"codeFolder": "/"}, "codeFolder"), ({"version": 2}, "another version than 1"),
        ({"version": None}, "another version than 1"),
        ({"job": {"masking": {"sex": {"method": "hash"}}}}, "mask_key"),
    ],
)  # fmt: skip
def test_what_is_missing_strange_or_of_another_kind_is_told(tmp_path: Path, changes: dict[str, Any], name: str) -> None:
    assert name in said_of(tmp_path, **changes)


def test_no_key_is_shown(tmp_path: Path) -> None:
    key = base64.b64encode(KEY + b"more").decode()

    assert key not in said_of(tmp_path, runKey=key, maskKey=key, initKey=key)
    for shown in (KEY, KEY[::-1], KEY[1:] + b"x"):
        assert repr(shown)[2:-1] not in repr(WHOLE)
