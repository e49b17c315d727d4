"""Inputs of a TrainingRun: validated all at once, completed by digests, and read as keys, recipients and a store.

Nothing here trains or writes.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from components.plugin import validation
from components.plugin.data_check import DataChecks
from components.settings.run import (
    SECRET_INPUTS,
    URL_INPUTS,
    TrainingRunInputs,
    holds_credentials,
    holds_url,
    store_key_of,
)
from sealift.provider import (
    CheckFailure,
    CheckResponse,
    Properties,
    Secret,
    Value,
    has_secret,
    has_unknown,
    reveal,
    reveal_all,
)
from sealift.sealing import Identity, Recipient, SealingError, content_id, parse_identity, parse_recipient
from sealift.settings.declare import declarations
from sealift.stores import Store, StoreError, open_store, refuse_versions
from training import job as training_job
from training.errors import InputError
from training.options import Compute

JOB_INPUTS: Final = training_job.INPUTS
REQUIREMENTS: Final = tuple(one.name for one in declarations(training_job.Job) if not one.shapes)
"""Inputs that do not change the model."""
DIGEST_INPUTS: Final = ("dataDigest", "codeDigest", "libraries", "processor")
RETENTION_INPUTS: Final = ("retention", "retainCount", "retainDays")
KEEPING_INPUTS: Final = (
    "timeoutSeconds", "checkpointSeconds", *RETENTION_INPUTS, "exposeMetrics", "privateKey", "openingKeys", "keysUrl",
)  # fmt: skip
MUST_BE_PLAIN: Final = (
    "is a secret, but it appears in messages and progress; set it in plain text (pulumi.Output.unsecret), or leave it "
    "out"
)


async def check(olds: Properties, news: Properties, data_checks: DataChecks) -> CheckResponse:
    """Validates everything at once, including the data, and adds defaults and digests. Unknown inputs are checked by
    the update.
    """
    inputs = validation.complete(TrainingRunInputs, news)
    hidden = sorted(name for name, value in news.items() if not _may_be_secret(name, value) and has_secret(value))
    known = {name: value for name, value in reveal_all(inputs).items() if name not in hidden and not has_unknown(value)}
    folder = Path.cwd()
    unknown = inputs.keys() - known.keys()
    read, problems = await asyncio.to_thread(TrainingRunInputs.validate, known, folder, unknown=unknown)
    failures = validation.failures(problems)
    failures += [CheckFailure(name, MUST_BE_PLAIN) for name in hidden]  # no other message quotes them
    failures += await asyncio.to_thread(_keys_url_failures, known)
    failures += await asyncio.to_thread(_key_failures, known, reveal(olds.get("openingKeys")))
    for name in SECRET_INPUTS:
        if isinstance(inputs.get(name), str | list):
            inputs[name] = Secret(inputs[name])
    for name in URL_INPUTS:
        if name in known and (has_secret(inputs[name]) or holds_credentials(known[name])):
            inputs[name] = Secret(known[name])
    init = known.get("initFrom")
    if init is not None and "privateKey" not in inputs and not (isinstance(init, Mapping) and "path" in init):
        failures.append(CheckFailure("privateKey", "is missing; initFrom needs the key that opens the artifact"))
    if read is not None:
        try:
            inputs |= await asyncio.to_thread(_digests, read.job, folder, olds)
        except InputError as error:
            failures.append(CheckFailure(error.property, f"is {error.value!r}; {error.message}; {error.hint}"))
        else:
            if inputs["libraries"]:
                failures += (await data_checks.look(olds, inputs, read.job)).failures
    return CheckResponse(inputs, failures)


def _may_be_secret(name: str, value: Value) -> bool:
    return name in SECRET_INPUTS or (name in URL_INPUTS and holds_url(reveal_all({name: value})[name]))


def _keys_url_failures(known: Mapping[str, Value]) -> list[CheckFailure]:
    """Checks that the store of keys is another place than the store, and keeps no versions as far as it tells."""
    url, keys_url = known.get("storeUrl"), known.get("keysUrl")
    if not isinstance(url, str) or not isinstance(keys_url, str):
        return []
    try:
        open_store(url), open_store(keys_url)
    except StoreError:  # already reported
        return []
    try:
        keys = open_store(url, keys_url).keys
        if keys is not None:
            refuse_versions(keys)
    except StoreError as error:
        return [CheckFailure("keysUrl", f"is {keys_url!r}; {error.message}; {error.hint}")]
    return []


def is_same_work(olds: Mapping[str, Value], news: Mapping[str, Value]) -> bool:
    """Whether `compute` changes at most the place of the training, which is not part of the model."""

    def processes(inputs: Mapping[str, Value]) -> Value:
        compute = inputs.get("compute")
        return compute.get("processes", Compute().processes) if isinstance(compute, Mapping) else Compute().processes

    return processes(olds) == processes(news)


def _key_failures(known: Mapping[str, Value], old_keys: Value) -> list[CheckFailure]:
    """Checks the opening keys. `old_keys` are skipped: they were checked before, and parsing a private key takes a
    quarter of a second.
    """
    failures = []
    passed = set(map(str, list_of(old_keys or [])))
    keys = known.get("openingKeys")
    for index, pem in enumerate(keys if isinstance(keys, list) else []):  # anything but a list is already reported
        if str(pem) in passed:
            continue
        try:
            parse_identity(str(pem))
        except SealingError as error:
            failures.append(CheckFailure(f"openingKeys[{index}]", str(error)))
    return failures


def _digests(job: training_job.Job, folder: Path, olds: Mapping[str, Value]) -> Properties:
    """Returns what the run depends on besides its inputs. Without the training libraries, the old values stay."""
    libraries = training_job.libraries(job)
    return {
        "dataDigest": training_job.data_digest(job, folder) if libraries else olds.get("dataDigest", ""),
        "codeDigest": training_job.code_digest(job, folder),
        "libraries": libraries or olds.get("libraries", ""),
        "processor": job.compute.processor or _find_processor(job, olds, libraries),
    }


def _find_processor(job: training_job.Job, olds: Mapping[str, Value], libraries: str | None) -> Value:
    return training_job.processor(job) if libraries else olds.get("processor", "")


def find_job_inputs(plain: Mapping[str, Value]) -> Properties:
    """Returns the inputs of the job."""
    return {name: plain[name] for name in JOB_INPUTS if name in plain}


def find_store(inputs: Mapping[str, Value]) -> Store:
    keys_url = reveal(inputs.get("keysUrl"))
    return open_store(str(reveal(inputs["storeUrl"])), None if keys_url is None else str(keys_url))


def find_store_key(inputs: Mapping[str, Value]) -> bytes:
    """Returns the store key of checked inputs."""
    store_key = store_key_of(reveal(inputs["storeKey"]))
    if store_key is None:
        raise AssertionError("internal error: inputs that check refused came back")
    return store_key


def find_run_ids(job: training_job.Job, inputs: Mapping[str, Value], store_key: bytes) -> tuple[str, str]:
    """Returns the run's two identities. They are keyed, so that a thief of the store cannot confirm a guess about the
    training.

    The recipients may change later, so the first identity does not depend on them. The second one is only for these
    recipients, in case the first one's artifact belongs to others.
    """
    alone = {"recipients": sorted(recipient.key_id for recipient in find_recipients(inputs))}
    return find_shared_run_id(job, inputs, store_key), _run_id(job, inputs, store_key, alone)


def find_shared_run_id(job: training_job.Job, inputs: Mapping[str, Value], store_key: bytes) -> str:
    """Returns the run's first identity. A preview of a rotation knows it: the recipients are unknown then."""
    return _run_id(job, inputs, store_key, {})


def _run_id(job: training_job.Job, inputs: Mapping[str, Value], store_key: bytes, others: Mapping[str, object]) -> str:
    made_of = {
        "job": job.digest(*(str(inputs[name]) for name in DIGEST_INPUTS)),
        "retrainTrigger": inputs["retrainTrigger"],
        **others,
    }
    return content_id(store_key, hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).digest())


def find_recipients(inputs: Mapping[str, Value]) -> list[Recipient]:
    return [parse_recipient(str(pem)) for pem in list_of(reveal(inputs["recipients"]))]


def find_opening_keys(inputs: Mapping[str, Value]) -> list[Identity]:
    return [parse_identity(text) for text in find_key_texts(inputs)]


def find_key_texts(inputs: Mapping[str, Value]) -> list[str]:
    return [str(text) for text in list_of(reveal(inputs.get("openingKeys") or []))]


def list_of(value: Value) -> list[Value]:
    if not isinstance(value, list):
        raise TypeError("internal error: checked inputs have a list here")
    return value
