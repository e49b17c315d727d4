"""Files that the user's code reads and no digest covers. A run warns of them, since a change of them would not retrain.

Python reports each file that it opens (PEP 578), and `sys.modules` has each module. Python does not see what a library
opens in C, nor the network, the clock or the environment.
"""

import inspect
import os
import sys
import threading
from collections.abc import Collection
from pathlib import Path
from types import FrameType
from typing import Final

from training import user_code

MOST: Final = 1_000
"""Largest number of files that are remembered."""
BYTECODE: Final = (".py", ".pyc")
"""Endings of files that Python's import opens; `sys.modules` has these modules."""


class Reading:
    """Records the files below `roots` that their code opens for reading. A process cannot remove such an audit hook."""

    def __init__(self, roots: user_code.Roots) -> None:
        self._roots = tuple(f"{root.resolve()}/" for root in roots)
        self._opened: set[str] = set()
        self._here = threading.local()
        sys.addaudithook(self._hear)

    def find_uncounted(self, counted: Collection[Path]) -> list[str]:
        """Returns the paths, relative to their root, of opened files and imported modules that are not in `counted`."""
        known = {str(path.resolve()) for path in counted}
        modules = {str(module.__file__) for module in [*sys.modules.values()] if getattr(module, "__file__", None)}
        own = {os.path.realpath(path) for path in modules if user_code.is_own_file(path)} | {*self._opened}
        return sorted({self._from_root(path) for path in own - known if path.startswith(self._roots)})

    def _from_root(self, path: str) -> str:
        return path.removeprefix(max((root for root in self._roots if path.startswith(root)), key=len))

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event != "open" or getattr(self._here, "is_busy", False):
            return
        self._here.is_busy = True
        try:
            self._look(arguments)
        finally:
            self._here.is_busy = False

    def _look(self, arguments: tuple[object, ...]) -> None:
        path, mode, flags = (*arguments, None, None, None)[:3]
        reads = flags & os.O_ACCMODE == os.O_RDONLY if isinstance(flags, int) else "r" in str(mode)
        if not isinstance(path, str) or not reads or path.endswith(BYTECODE) or len(self._opened) >= MOST:
            return
        real = os.path.realpath(path)
        if real.startswith(self._roots) and Path(real).is_file() and _is_by_user_code(inspect.currentframe()):
            self._opened.add(real)


def _is_by_user_code(frame: FrameType | None) -> bool:
    while frame is not None:
        if user_code.is_own_file(frame.f_code.co_filename):
            return True
        frame = frame.f_back
    return False
