"""The user's code: found without running it, digested with everything that it imports, and loaded.

`package.module:name` refers to a module in one of the program's folders, the roots, or in an installed package.
Standard library only.
"""

import ast
import contextlib
import importlib
import importlib.machinery
import importlib.metadata
import importlib.util
import inspect
import os
import sys
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

from sealift import rooms
from sealift.durable import file_set
from sealift.settings.names import suggest
from training import raised
from training.errors import ModelError, TrainingError

RAISED: Final = (Exception, SystemExit)
"""Errors that a user's code may raise. sys.exit is among them, so that it cannot end a run silently."""
ROOT: Final = Path(__file__).resolve().parents[1]
USED: Final = (
    "torch", "numpy", "scipy", "sklearn", "pyarrow", "onnx", "onnxruntime", "safetensors", "optuna", "opacus", "captum",
    "matplotlib", "fsspec", "cryptography", "google", "presidio_analyzer",
)  # fmt: skip
"""A folder may contain a copy of any other installed package. As in Python, the folder comes first."""
LIBRARIES: Final = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))

LEFT_OUT: Final = "its text may contain values of the data, so only `python -m training` in a terminal shows it"
SOURCE: Final = ".py"
SUFFIXES: Final = (*importlib.machinery.EXTENSION_SUFFIXES, SOURCE, *importlib.machinery.BYTECODE_SUFFIXES)
"""Endings of modules, in the order in which Python looks for them."""
LONGEST_PATH: Final = 255

MODELS: Final = "models"
"""Folder, inside the program's, that is searched for modules if no other is set."""

Roots = Sequence[Path]


def roots(folder: Path, model_path: str | None) -> Roots:
    """Returns the folders to search for modules, in order. `folder` is the program's."""
    return (folder / MODELS, folder) if model_path is None else (folder / Path(model_path).expanduser(),)


def check(reference: str, roots: Roots) -> str | None:
    """Returns what is wrong with a reference, to continue "is VALUE; ". None if its module exists and, if it is in a
    root, defines the name.
    """
    module, _, name = reference.partition(":")
    file = module_file(module, roots)
    if file is None:
        if _is_installed(module):
            return None
        there = f"{_spell(roots[0])}{module.replace('.', '/')}{SOURCE}"
        return (
            f"the module {module} does not exist {_list_places(roots)}; write it to {there}, or set modelPath to its "
            "folder"
        )
    try:
        reached = _find_reached(module, roots)
    except ModelError as error:
        return error.message
    for one in reached:
        other = _find_shadowed(one, roots)
        if other is not None:
            return f"the module {one} of the program's folder has the same name as {other}; rename it"
    if file.suffix != SOURCE:
        return None  # its names are known once it is loaded
    names = sorted(_find_defined(ast.parse(file.read_bytes())))
    if name in names or "*" in names:
        return None
    return f"the module {module} does not define {name}; it defines {', '.join(names) or 'nothing'}"


def digest(reference: str, roots: Roots) -> str:
    """Returns 64 hex digits: SHA-256 of `files`, independent of their paths.

    For an installed package: of its distributions' names, versions and files, or of its files if it is installed as
    editable. Raises ModelError.
    """
    module = reference.partition(":")[0]
    if module_file(module, roots) is None:
        return _digest_installed(module)
    modules = {_within(file, roots): file for file in _find_reached(module, roots).values()}
    named = {f"./{os.path.relpath(file, roots[-1])}": file for file in files(reference, roots) - {*modules.values()}}
    return file_set.digest({name: file_set.of_file(file) for name, file in (modules | named).items()})


def files(reference: str, roots: Roots) -> set[Path]:
    """Returns the module's file, every file of the roots that it imports (compiled ones too), and the files that a text
    in them names: by the path from the root or from the module's folder, in one piece or joined by / or by a call's
    arguments.

    Computed imports and paths are not followed; `uncounted` finds them while they are used. Empty for an installed
    package. Raises ModelError.
    """
    module = reference.partition(":")[0]
    if module_file(module, roots) is None:
        return set()
    reached = set(_find_reached(module, roots).values())
    return reached | {named for file in reached if file.suffix == SOURCE for named in _find_named_files(file, roots)}


def strange_arguments(function: Callable[..., object], given: Iterable[str]) -> list[str]:
    """Returns a problem for each of the given argument names that the function does not have."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return []
    taken = [one.name for one in parameters if one.kind is not one.VAR_POSITIONAL]
    return [
        f"has {name!r}, which is not one of its arguments{suggest(name, taken)}" for name in given if name not in taken
    ]


def load(reference: str, roots: Roots) -> object:
    """Returns the object that the reference names. Raises ModelError, with the missing name or the place where the code
    raised.
    """
    module, _, name = reference.partition(":")
    try:
        loaded = _import_from(roots, module)
    except RAISED as error:
        raise ModelError(
            f"the module {module} cannot be imported: it {say(error)}",
            f"it must exist {_list_places(roots)}, and all that it imports must be installed",
        ) from error
    if not hasattr(loaded, name):
        raise ModelError(
            f"the module {module} does not define {name}; it defines {', '.join(_public(loaded))}", "name one of these"
        )
    return getattr(loaded, name)


def _import_from(roots: Roots, module: str) -> ModuleType:
    """Imports a module. The roots come before installed packages meanwhile, and after them for later imports.

    Raises ImportError if a module that was imported before has the same name.
    """
    file = module_file(module, roots)
    own = [str(root) for root in roots]
    sys.path[:0] = own
    try:
        with warnings.catch_warnings():  # a module's filters end with its import
            loaded = importlib.import_module(module)
    finally:
        for path in own:
            sys.path.remove(path)
        sys.path += [path for path in own if path not in sys.path]
    if file is not None and loaded.__file__ != str(file):
        raise ImportError("an installed module has the same name; rename yours")
    return loaded


def say(error: BaseException) -> str:
    """Describes what code did, and where, without a stack trace: "raised TypeError: … (mine.py:12)". Shows as much of
    the error's text as may be shown.
    """
    if isinstance(error, SystemExit):
        code = error.code if error.code is None or isinstance(error.code, int) else "…"
        return f"called sys.exit({'' if code is None else code}) ({_place(error)})"
    text = raised.show(error)
    rest = "" if text or raised.is_whole(error) else f"; {LEFT_OUT}"
    return f"raised {type(error).__name__}{f': {text}' if text else ''} ({_place(error)}){rest}"


def is_blamed(error: BaseException) -> bool:
    """Returns whether an error passed through code that is neither ours nor a library's."""
    return bool(_own_frames(error))


@contextlib.contextmanager
def blame(model: str) -> Iterator[None]:
    """Raises an unexpected error of the user's code, or its call of sys.exit, as a ModelError that describes it."""
    try:
        yield
    except TrainingError:
        raise
    except RAISED as error:
        if not isinstance(error, SystemExit) and not is_blamed(error):
            raise
        raise ModelError(f"code of {model} {say(error)}", "correct the code") from error


def _place(error: BaseException) -> str:
    """Returns file and line: the last of the user's code, since the last of all is often deep inside a library."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    frames = _own_frames(error) or traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "no place"


def own_place(error: BaseException) -> str | None:
    """Returns file and line of the last frame in the user's code, or None."""
    frames = _own_frames(error)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else None


def is_own_file(path: str) -> bool:
    """Returns whether a file's code is the user's: neither ours nor a library's, whose compiled code has relative
    names.
    """
    others = tuple(f"{folder}/" for folder in (*LIBRARIES, *(ROOT / package for package in rooms.PACKAGES)))
    return path.startswith("/") and not path.startswith(others)


def _own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    return [frame for frame in traceback.extract_tb(error.__traceback__) if is_own_file(frame.filename)]


def module_file(module: str, roots: Roots) -> Path | None:
    """Returns the file of a module in the first root that has it, in Python's order: packages first, and compiled code
    before its source.
    """
    for root in roots:
        path = root.joinpath(*module.split("."))
        for start in (path / "__init__", path):
            for suffix in SUFFIXES:
                file = start.with_name(f"{start.name}{suffix}")
                if file.is_file():
                    return file
    return None


def _find_named_files(module: Path, roots: Roots) -> Iterator[Path]:
    """Yields the files of the roots that a text in the module names."""
    for text in _texts(ast.parse(module.read_bytes())):
        for folder in (module.parent, *roots):
            file = Path(os.path.normpath(folder / text))
            with contextlib.suppress(OSError):  # not a path, for instance because the name is too long
                if any(file.is_relative_to(root) for root in roots) and file.is_file():
                    yield file


def _texts(tree: ast.AST) -> Iterator[str]:
    """Yields texts that may be paths: single ones, and those of one expression joined."""
    for node in ast.walk(tree):
        parts: list[str] = []
        if isinstance(node, ast.Constant) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
            parts = _constants(node)
        elif isinstance(node, ast.Call):
            parts = [text for argument in node.args for text in _constants(argument)]
        text = "/".join(parts)
        if text and "\0" not in text and len(text) <= LONGEST_PATH:
            yield text


def _constants(node: ast.AST) -> list[str]:
    """Returns the texts of an expression of names, texts and /, from the left. Ignores its other parts."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return [*_constants(node.left), *_constants(node.right)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _within(file: Path, roots: Roots) -> str:
    """Returns the file's path relative to its root."""
    return next(file.relative_to(root).as_posix() for root in roots if file.is_relative_to(root))


def _spell(root: Path) -> str:
    return f"{root.name}/"


def _list_places(roots: Roots) -> str:
    """Returns the places where a module is searched. The last of several roots is the program's folder."""
    folders = [f"in {_spell(roots[0])}", *(["in the program's folder"] if len(roots) > 1 else [])]
    return f"{', '.join(folders)} or among the installed packages"


def _find_reached(module: str, roots: Roots) -> dict[str, Path]:
    """Returns the files of the roots that importing this module reads, by module. Raises ModelError for a file that is
    not Python.
    """
    found: dict[str, Path] = {}
    parts = module.split(".")
    waiting = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]  # with the packages that contain it
    while waiting:
        name = waiting.pop()
        file = module_file(name, roots)
        if file is None or name in found:
            continue
        found[name] = file
        if file.suffix != SOURCE:
            continue
        try:
            waiting += _imports(file.read_bytes(), _within(file, roots))
        except (SyntaxError, ValueError) as error:
            raise ModelError(f"{file.name} is not valid Python: {error}", "correct it") from error
    return found


def _find_shadowed(module: str, roots: Roots) -> str | None:
    """Returns the owner of a module that this one of the roots would hide, or be hidden by."""
    top = module.partition(".")[0]
    if top in rooms.PACKAGES:
        file = module_file(module, roots)
        ours = file is not None and file.resolve().is_relative_to(ROOT / top)
        return None if ours else "a package of Sealift"
    if top in sys.stdlib_module_names:
        return "a module of Python's standard library"
    return "a library that training uses" if top in USED else None


def _imports(content: bytes, name: str) -> Iterator[str]:
    """Yields the modules that a file imports, with their packages and absolute names."""
    package = name.split("/")[:-1]
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in _with_parents(alias.name))
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from _with_parents(module)
            yield from (f"{module}.{alias.name}" if module else alias.name for alias in node.names)


def _with_parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1) if parts[0])


def _find_defined(tree: ast.Module) -> Iterator[str]:
    """Yields the names that a module's statements define, or "*" if they cannot be known."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.If | ast.Try):
            yield "*"


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def _digest_installed(module: str) -> str:
    top = module.partition(".")[0]
    owners = sorted(set(importlib.metadata.packages_distributions().get(top, [])))
    if not owners:
        raise ModelError(f"the module {module} does not exist in the program's folder or among the installed packages")
    contents: dict[str, str] = {}
    listed: set[Path] = set()
    for owner in owners:  # several can share a namespace
        record = importlib.metadata.distribution(owner)
        for file in record.files or []:
            if file.hash is not None and file.parts[0] != ".." and not file.parts[0].endswith(".dist-info"):
                contents[f"{owner}-{record.version}/{file}"] = file.hash.value
                listed.add(Path(str(file.locate())).resolve())
    return file_set.digest(contents | _find_edited(top, listed))


def _find_edited(package: str, listed: Collection[Path]) -> dict[str, str]:
    """Returns the digests of the files of a package installed as editable, which no distribution lists."""
    spec = importlib.util.find_spec(package)
    folders = [Path(folder) for folder in (spec.submodule_search_locations or [] if spec else [])]
    origin = Path(spec.origin) if spec and spec.origin else None
    if origin is not None and origin.is_file() and origin.resolve() not in listed and not folders:
        return {origin.name: file_set.of_file(origin)}
    return {
        f"{package}/{file.relative_to(folder).as_posix()}": file_set.of_file(file)
        for folder in folders
        if origin is None or origin.resolve() not in listed
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts and file.resolve() not in listed
    }


def _public(module: ModuleType) -> list[str]:
    return sorted(name for name in vars(module) if not name.startswith("_"))
