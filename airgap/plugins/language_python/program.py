"""Runs one Pulumi program: the request comes on standard input, the answer goes to the descriptor given as the
argument.
"""

import os
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any

from pulumi import RunError
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2


def main() -> int:
    """Exit code 0 once the answer is written, whatever it is."""
    request = language_pb2.RunRequest.FromString(sys.stdin.buffer.read())
    answer = run(request, str(Path(request.info.program_directory) / request.info.entry_point))
    with os.fdopen(int(sys.argv[1]), "wb") as pipe:
        pipe.write(answer.SerializeToString())
    return 0


def run(request: Any, folder: str) -> Any:
    """The engine's answer. An error was logged when it happened, so the engine is told to end without repeating it."""

    def program() -> None:
        sys.path.insert(0, folder)
        try:
            runpy.run_path(folder, run_name="__main__")
        except (RunError, SystemExit):
            raise
        except Exception as error:
            raise RunError(own_traceback(error, folder)) from error

    try:
        response = LanguageServer(program).Run(request, None)  # type: ignore[no-untyped-call]
    except RunError:
        # The SDK's clean-up raises once more what a pending task had raised and it had logged.
        return language_pb2.RunResponse(bail=True)
    if response.error:
        return language_pb2.RunResponse(bail=True)
    return response


def own_traceback(error: BaseException, folder: str) -> str:
    """The traceback from the program's own first frame on; none where no frame is its own, as with a syntax error."""
    frames = traceback.extract_tb(error.__traceback__)
    first = next((i for i, frame in enumerate(frames) if frame.filename.startswith(folder)), len(frames))
    lines = traceback.format_list(frames[first:]) + traceback.format_exception_only(error)
    return "the program failed with an unhandled exception:\n" + "".join(lines)


if __name__ == "__main__":
    sys.exit(main())
