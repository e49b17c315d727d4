"""tritonclient, in one of its four forms, against `simple` and against a model that gives each datatype back.

    python -m tests.conformance.programs.triton MODULE "SIMPLE KINDS"      (addresses), with the key in API_KEY
Runs in the clients' own environment.
"""

import asyncio
import importlib
import inspect
import json
import os
import sys
from typing import Any, Final

import numpy as np
from tritonclient.utils import InferenceServerException

MODEL: Final = "simple"
WIDTH: Final = 16
FIRST: Final = np.arange(WIDTH, dtype=np.int32).reshape(1, WIDTH)
SECOND: Final = np.ones((1, WIDTH), np.int32)
KINDS: Final = {
    "BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64,
    "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64, "FP16": np.float16,
    "FP32": np.float32, "FP64": np.float64, "BYTES": np.object_,
}  # fmt: skip
NOT_OFFERED: Final = {
    "get_model_config": (MODEL,),
    "load_model": (MODEL,),
    "unload_model": (MODEL,),
    "get_trace_settings": (),
    "get_log_settings": (),
    "get_system_shared_memory_status": (),
    "get_cuda_shared_memory_status": (),
}
"""Triton's own, beyond the protocol: one sealed model is served, and it is not changed from outside."""


class Checks:
    """Over one form of the client. Each check is a method that raises AssertionError, or whatever the client does."""

    def __init__(self, module: str, simple: str, kinds: str) -> None:
        self._module: Any = importlib.import_module(module)
        self._http = ".http" in module
        self._headers = {("Authorization" if self._http else "authorization"): f"Bearer {os.environ['API_KEY']}"}
        self._addresses = {"simple": simple, "kinds": kinds}
        self._as_json: dict[str, Any] = {} if self._http else {"as_json": True}
        self.skipped: dict[str, str] = {}

    async def run(self) -> dict[str, Any]:
        """The counts."""
        passed, failed = 0, {}
        for name, check in inspect.getmembers(self, inspect.iscoroutinefunction):
            if not name.startswith("check_"):
                continue
            try:
                await check()
                passed += name.removeprefix("check_") not in self.skipped
            except Exception as error:  # noqa: BLE001 - whatever a client raises is what is counted
                failed[name.removeprefix("check_")] = f"{type(error).__name__}: {error}"
        return {"passed": passed, "failed": failed, "skipped": self.skipped}

    async def _ask(self, call: str, *words: Any, at: str = "simple", **options: Any) -> Any:
        client = self._module.InferenceServerClient(self._addresses[at])
        try:
            # A copy, since the client writes into it what it says of this request.
            headers = dict(options.pop("headers", self._headers))
            answer = getattr(client, call)(*words, headers=headers, **options)
            return await answer if inspect.isawaitable(answer) else answer
        finally:
            closed = client.close()
            if inspect.isawaitable(closed):
                await closed

    def _input(self, name: str, array: Any, datatype: str = "INT32", binary: bool = True) -> Any:
        given = self._module.InferInput(name, list(array.shape), datatype)
        given.set_data_from_numpy(array, **({"binary_data": binary} if self._http else {}))
        return given

    def _inputs(self, binary: bool = True, rows: int = 1) -> list[Any]:
        both = (np.repeat(FIRST, rows, axis=0), np.repeat(SECOND, rows, axis=0))
        return [self._input(f"INPUT{number}", array, binary=binary) for number, array in enumerate(both)]

    def _output(self, name: str, binary: bool = True, **options: Any) -> Any:
        return self._module.InferRequestedOutput(name, **({"binary_data": binary} if self._http else {}), **options)

    async def _sums(self, *, rows: int = 1, binary: bool = True, **options: Any) -> Any:
        answer = await self._ask("infer", MODEL, self._inputs(binary, rows), **options)
        assert np.array_equal(answer.as_numpy("OUTPUT0"), np.repeat(FIRST + SECOND, rows, axis=0))
        assert np.array_equal(answer.as_numpy("OUTPUT1"), np.repeat(FIRST - SECOND, rows, axis=0))
        return answer

    async def _refused(self, call: str, *words: Any, says: str, **options: Any) -> None:
        try:
            await self._ask(call, *words, **options)
        except InferenceServerException as error:
            assert says in f"{error.status()} {error.message()}", error
        else:
            raise AssertionError(f"{call} was not refused")

    async def check_health(self) -> None:
        assert await self._ask("is_server_live")
        assert await self._ask("is_server_ready")
        assert await self._ask("is_model_ready", MODEL)
        assert await self._ask("is_model_ready", MODEL, "1")

    async def check_server_metadata(self) -> None:
        told = await self._ask("get_server_metadata", **self._as_json)
        assert told["name"] == "sealift" and "binary_tensor_data" in told["extensions"]

    async def check_model_metadata(self) -> None:
        told = await self._ask("get_model_metadata", MODEL, **self._as_json)
        assert [(one["name"], one["datatype"]) for one in told["inputs"]] == [("INPUT0", "INT32"), ("INPUT1", "INT32")]
        assert [[int(size) for size in one["shape"]] for one in told["outputs"]] == [[-1, WIDTH]] * 2

    async def check_infer(self) -> None:
        await self._sums()

    async def check_infer_version(self) -> None:
        answer = await self._sums(model_version="1")
        told = answer.get_response(**self._as_json)
        assert (told["model_name"], told["model_version"]) == (MODEL, "1")

    async def check_infer_many_rows(self) -> None:
        await self._sums(rows=10_000)

    async def check_infer_request_id(self) -> None:
        answer = await self._sums(request_id="some-id")
        assert answer.get_response(**self._as_json)["id"] == "some-id"

    async def check_infer_parameters(self) -> None:
        await self._sums(parameters={"of-ours": 1})

    async def check_infer_inputs_and_outputs_in_json(self) -> None:
        if not self._http:
            self.skipped["infer_inputs_and_outputs_in_json"] = "there is no JSON in gRPC"
            return
        outputs = [self._output(f"OUTPUT{number}", binary=False) for number in range(2)]
        await self._sums(binary=False, outputs=outputs)

    async def check_infer_one_output(self) -> None:
        answer = await self._ask("infer", MODEL, self._inputs(), outputs=[self._output("OUTPUT1")])
        assert np.array_equal(answer.as_numpy("OUTPUT1"), FIRST - SECOND)
        assert answer.as_numpy("OUTPUT0") is None

    async def check_infer_classification(self) -> None:
        for binary in (True, False) if self._http else (True,):
            wanted = [self._output("OUTPUT0", binary, class_count=2)]
            answer = await self._ask("infer", MODEL, self._inputs(), outputs=wanted)
            texts = [text if isinstance(text, str) else text.decode() for text in answer.as_numpy("OUTPUT0")[0]]
            assert texts == ["16:15", "15:14"]

    async def check_infer_compressed(self) -> None:
        for algorithm in ("gzip", "deflate"):
            if self._http:
                for rows in (1, 10_000):
                    await self._sums(rows=rows, request_compression_algorithm=algorithm,
                                     response_compression_algorithm=algorithm)  # fmt: skip
            else:
                await self._sums(compression_algorithm=algorithm)

    async def check_infer_asynchronously(self) -> None:
        if ".aio" in self._module.__name__:
            answers = await asyncio.gather(*(self._sums(rows=rows) for rows in range(1, 9)))
            assert len(answers) == 8
            return
        client = self._module.InferenceServerClient(self._addresses["simple"])
        if self._http:
            answer = client.async_infer(MODEL, self._inputs(), headers=dict(self._headers)).get_result()
        else:
            waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            loop = asyncio.get_running_loop()

            def told(result: Any, error: Any) -> None:
                loop.call_soon_threadsafe(waiting.set_result, result or error)

            client.async_infer(MODEL, self._inputs(), told, headers=dict(self._headers))
            answer = await asyncio.wait_for(waiting, 30)
        assert np.array_equal(answer.as_numpy("OUTPUT0"), FIRST + SECOND)
        client.close()

    async def check_statistics(self) -> None:
        (told,) = (await self._ask("get_inference_statistics", MODEL, **self._as_json))["model_stats"]
        assert (told["name"], told["version"]) == (MODEL, "1")
        assert told["inference_stats"]["success"] is not None

    async def check_repository_index(self) -> None:
        index = await self._ask("get_model_repository_index", **self._as_json)
        index = index if self._http else index["models"]
        assert [(one["name"], one["version"], one["state"]) for one in index] == [(MODEL, "1", "READY")]

    async def check_each_call_that_is_not_offered_is_refused(self) -> None:
        for call, words in NOT_OFFERED.items():
            await self._refused(call, *words, says="404" if self._http else "UNIMPLEMENTED")

    async def check_unknown_model_and_version(self) -> None:
        says = "404" if self._http else "NOT_FOUND"
        await self._refused("infer", "other", self._inputs(), says=says)
        await self._refused("infer", MODEL, self._inputs(), model_version="2", says=says)
        await self._refused("get_model_metadata", "other", says=says)

    async def check_wrong_inputs(self) -> None:
        says = "400" if self._http else "INVALID_ARGUMENT"
        both = self._inputs()
        wide = self._input("INPUT1", np.ones((1, WIDTH + 1), np.int32))
        real = self._input("INPUT1", np.ones((1, WIDTH), np.float32), "FP32")
        named = self._input("INPUT2", SECOND)
        uneven = self._input("INPUT1", np.ones((2, WIDTH), np.int32))
        for second in ([], [wide], [real], [named], [both[1], named], [uneven]):
            inputs = [both[0], *second]
            await self._refused("infer", MODEL, inputs, says=says)
        await self._refused("infer", MODEL, both, outputs=[self._output("OUTPUT2")], says=says)

    async def check_wrong_key(self) -> None:
        says = "401" if self._http else "UNAUTHENTICATED"
        for headers in ({}, {next(iter(self._headers)): "Bearer other"}):
            await self._refused("infer", MODEL, self._inputs(), headers=headers, says=says)
            await self._refused("get_model_metadata", MODEL, headers=headers, says=says)

    async def check_key_in_a_header_of_its_own(self) -> None:
        await self._sums(headers={"x-api-key": os.environ["API_KEY"]})

    async def check_every_datatype(self) -> None:
        for binary in (True, False) if self._http else (True,):
            for rows in (1, 3):
                arrays = {name: _values(name, rows) for name in KINDS}
                inputs = [self._input(name, array, name, binary) for name, array in arrays.items()]
                wanted = [self._output(f"{name}_out", binary) for name in KINDS]
                answer = await self._ask("infer", MODEL, inputs, outputs=wanted, at="kinds")
                for name, array in arrays.items():
                    got = answer.as_numpy(f"{name}_out")
                    if name == "BYTES":
                        got = np.array([text.encode() if isinstance(text, str) else text for text in got.ravel()])
                        array = np.array([text.encode() for text in array.ravel()])
                    assert np.array_equal(got.ravel(), array.ravel()), (name, binary, got, array)


def _values(datatype: str, rows: int) -> Any:
    """With the extremes of each."""
    shape = (rows, WIDTH)
    if datatype == "BYTES":
        texts = ["", "a", "Łódź", "\0", '"', "🌊" * 40]
        return np.array([texts[at % len(texts)] for at in range(rows * WIDTH)], np.object_).reshape(shape)
    kind: Any = np.dtype(KINDS[datatype])
    array = (np.arange(rows * WIDTH) % 2 if kind.kind == "b" else np.arange(rows * WIDTH)).astype(kind).reshape(shape)
    if kind.kind in "ui":
        array[0, :2] = np.iinfo(kind).min, np.iinfo(kind).max
    elif kind.kind == "f":
        array[0, :3] = np.finfo(kind).min, np.finfo(kind).max, np.finfo(kind).tiny
    return array


def main(module: str, addresses: str) -> None:
    """Its last line is the counts."""
    simple, kinds = addresses.split()
    print(json.dumps(asyncio.run(Checks(module, simple, kinds).run())))


if __name__ == "__main__":
    main(*sys.argv[1:])
