"""FastAPI on uvicorn with uvloop and httptools, pydantic models, and a coroutine, which costs less than a thread."""

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from benchmarks.serving.programs.net import Net


class Input(BaseModel):
    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class Body(BaseModel):
    inputs: list[Input]


def app(net: Net) -> FastAPI:
    """Makes the app with the one path of the protocol."""
    made = FastAPI()

    @made.post("/v2/models/net/infer")  # type: ignore[untyped-decorator] # an optional package
    async def infer(body: Body) -> Any:
        try:
            (given,) = body.inputs
            return net.answer(given.name, given.datatype, given.shape, given.data)
        except ValueError as error:
            raise HTTPException(400, str(error)) from None

    return made


if __name__ == "__main__":
    uvicorn.run(
        app(Net(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), loop="uvloop", http="httptools",
        access_log=False, log_level="warning",
    )  # fmt: skip
