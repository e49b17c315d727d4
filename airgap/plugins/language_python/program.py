"""Runs one Pulumi program. It reads the request from standard input and writes the answer to the descriptor in the
first argument. The second argument is the process id of the language host, with which the program ends.
"""

import asyncio
import logging
import os
import runpy
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import grpc
import pulumi
from pulumi.runtime import reset_options, run_in_stack, set_all_config
from pulumi.runtime.proto import language_pb2

LOOK_SECONDS: Final = 0.5
SHOWN: Final = 32
"""Exit code of a program that has reported its error itself, so that the engine adds nothing."""
RUNNERS: Final = frozenset({__file__, runpy.__file__, "<frozen runpy>"})


def main() -> int:
    """Returns exit code 0 once the answer is written, whatever it is."""
    watch_host(int(sys.argv[2]))
    request = language_pb2.RunRequest.FromString(sys.stdin.buffer.read())
    answer = run(request, str(Path(request.info.program_directory) / request.info.entry_point))
    with os.fdopen(int(sys.argv[1]), "wb") as pipe:
        pipe.write(answer.SerializeToString())
    return 0


def watch_host(host: int) -> None:
    """Ends this process when the language host has ended. `sealift.provider.parent` is not imported, because the
    program may be in another checkout, whose own `sealift` must be imported first.
    """

    def look() -> None:
        while os.getppid() == host:
            time.sleep(LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=look, name="parent watch", daemon=True).start()


def run(request: Any, folder: str) -> Any:
    """Runs the program and returns the answer for the engine. `bail` tells it not to repeat an error already logged."""
    code = _exit_code(request, folder)
    error = f"program exited with non-zero exit code: {code}" if code not in (0, SHOWN) else ""
    return language_pb2.RunResponse(error=error, bail=code == SHOWN)


def _exit_code(request: Any, folder: str) -> int:
    reset_options(
        project=request.project, stack=request.stack, organization=request.organization or "organization",
        root_directory=request.info.root_directory, parallel=request.parallel, preview=request.dryRun,
        engine_address=request.args[0], monitor_address=request.monitor_address,
    )  # fmt: skip
    set_all_config(dict(request.config), list(request.configSecretKeys))
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a failed program leaves unfinished tasks
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max(request.parallel, 1) * 4))

    def program() -> None:
        sys.path.insert(0, folder)
        runpy.run_path(folder, run_name="__main__")

    try:
        loop.run_until_complete(run_in_stack(program))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
    except SystemExit as error:
        return _code(error)
    except grpc.RpcError as error:
        if error.code() != grpc.StatusCode.UNAVAILABLE:  # otherwise the engine has ended first and knows why
            pulumi.log.error(f"RPC error: {error.details()}")
    except Exception as error:  # noqa: BLE001 - whatever the program raised
        pulumi.log.error(own_traceback(error, folder))
    else:
        return 0
    return SHOWN


def _code(error: SystemExit) -> int:
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    sys.stderr.write(f"{error.code}\n")
    return 1


def own_traceback(error: BaseException, folder: str) -> str:
    """Returns the traceback from the program's own first frame on, without frames if none is its own (a syntax error).

    The causes of the exception keep their frames, except those of the code that runs the program.
    """
    whole = traceback.TracebackException.from_exception(error)
    frames = list(whole.stack)
    first = next((i for i, frame in enumerate(frames) if frame.filename.startswith(folder)), len(frames))
    whole.stack = traceback.StackSummary.from_list(frames[first:])
    link = whole.__cause__ or whole.__context__
    while link is not None:
        link.stack = traceback.StackSummary.from_list([f for f in link.stack if f.filename not in RUNNERS])
        link = link.__cause__ or link.__context__
    return "Program failed with an unhandled exception:\n" + "".join(whole.format())


if __name__ == "__main__":
    sys.exit(main())
