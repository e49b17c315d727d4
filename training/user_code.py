"""The user's own code: found without running it, digested with all that it imports beside it, and loaded.

`package.module:name` is of one of the program's folders, its roots, or else of an installed package. Standard library
only.
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
"""What a user's code may raise: sys.exit in it ends no run without a word."""
ROOT: Final = Path(__file__).resolve().parents[1]
USED: Final = (
    "torch", "numpy", "scipy", "sklearn", "pyarrow", "onnx", "onnxruntime", "safetensors", "optuna", "opacus", "captum",
    "matplotlib", "fsspec", "cryptography", "google", "presidio_analyzer",
)  # fmt: skip
"""Of other installed packages a folder may hold a copy, as Python has it: the folder comes first."""
LIBRARIES: Final = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))

LEFT_OUT: Final = "its text may contain values of the data, so only `python -m training` in a terminal shows it"
SOURCE: Final = ".py"
SUFFIXES: Final = (*importlib.machinery.EXTENSION_SUFFIXES, SOURCE, *importlib.machinery.BYTECODE_SUFFIXES)
"""In the order in which Python takes them."""
LONGEST_PATH: Final = 255

MODELS: Final = "models"
"""The folder beside the program's own where modules are looked for unless another is named."""

Roots = Sequence[Path]


def roots(folder: Path, model_path: str | None) -> Roots:
    """Where modules are looked for, in this order; `folder` is the program's."""
    return (folder / MODELS, folder) if model_path is None else (folder / Path(model_path).expanduser(),)


def check(reference: str, roots: Roots) -> str | None:
    """What is wrong with a reference, continuing "is VALUE; "; None if its module is there and, in a root, defines the
    name.
    """
    module, _, name = reference.partition(":")
    file = module_file(module, roots)
    if file is None:
        if _is_installed(module):
            return None
        return f"the module {module} is neither in {' or '.join(map(_spell, roots))} nor installed"
    try:
        reached = _find_reached(module, roots)
    except ModelError as error:
        return error.message
    for one in reached:
        other = _find_shadowed(one, roots)
        if other is not None:
            return f"the module {one} of the program's folder has the same name as {other}; rename it"
    if file.suffix != SOURCE:
        return None  # what it has is known once it is loaded
    names = sorted(_find_defined(ast.parse(file.read_bytes())))
    if name in names or "*" in names:
        return None
    return f"the module {module} does not define {name}; it defines {', '.join(names) or 'nothing'}"


def digest(reference: str, roots: Roots) -> str:
    """64 hex digits: SHA-256 over `files`, whatever their path.

    Of an installed package: its distributions' names, versions and files, or the files where it is installed to be
    edited. Raises ModelError.
    """
    module = reference.partition(":")[0]
    if module_file(module, roots) is None:
        return _digest_installed(module)
    modules = {_within(file, roots): file for file in _find_reached(module, roots).values()}
    named = {f"./{os.path.relpath(file, roots[-1])}": file for file in files(reference, roots) - {*modules.values()}}
    return file_set.digest({name: file_set.of_file(file) for name, file in (modules | named).items()})


def files(reference: str, roots: Roots) -> set[Path]:
    """The module's file, every file of the roots that it imports, compiled ones too, and those that a text of these
    names: by its path from the root or from the module's folder, in one piece or joined by / or by a call's arguments.

    Imports and paths that are computed are not followed: `uncounted` finds them while they are used. None of an
    installed package. Raises ModelError.
    """
    module = reference.partition(":")[0]
    if module_file(module, roots) is None:
        return set()
    reached = set(_find_reached(module, roots).values())
    return reached | {named for file in reached if file.suffix == SOURCE for named in _find_named_files(file, roots)}


def strange_arguments(function: Callable[..., object], given: Iterable[str]) -> list[str]:
    """Of the arguments by name that are given: what is wrong with each that the function does not take."""
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
    """The object that is named. Raises ModelError, which names what is not there or where the code raised."""
    module, _, name = reference.partition(":")
    try:
        loaded = _import_from(roots, module)
    except RAISED as error:
        raise ModelError(
            f"the module {module} cannot be imported: it {say(error)}",
            f"it must be in {' or '.join(map(_spell, roots))} or installed, and all that it imports must be installed",
        ) from error
    if not hasattr(loaded, name):
        raise ModelError(
            f"the module {module} does not define {name}; it defines {', '.join(_public(loaded))}", "name one of these"
        )
    return getattr(loaded, name)


def _import_from(roots: Roots, module: str) -> ModuleType:
    """Roots come before installed packages while the module is imported, and after them for what it needs later.

    Raises ImportError where the name is taken by a module that was imported before.
    """
    file = module_file(module, roots)
    own = [str(root) for root in roots]
    sys.path[:0] = own
    try:
        with warnings.catch_warnings():  # a module's own filters are its own
            loaded = importlib.import_module(module)
    finally:
        for path in own:
            sys.path.remove(path)
        sys.path += [path for path in own if path not in sys.path]
    if file is not None and loaded.__file__ != str(file):
        raise ImportError("an installed module has the same name; rename yours")
    return loaded


def say(error: BaseException) -> str:
    """What code did, and where, without a stack: "raised TypeError: … (mine.py:12)"; of its text, what is shown."""
    if isinstance(error, SystemExit):
        code = error.code if error.code is None or isinstance(error.code, int) else "…"
        return f"called sys.exit({'' if code is None else code}) ({_place(error)})"
    text = raised.show(error)
    rest = "" if text or raised.is_whole(error) else f"; {LEFT_OUT}"
    return f"raised {type(error).__name__}{f': {text}' if text else ''} ({_place(error)}){rest}"


def is_blamed(error: BaseException) -> bool:
    """Whether an error passed through code that is neither ours nor a library's."""
    return bool(_own_frames(error))


@contextlib.contextmanager
def blame(model: str) -> Iterator[None]:
    """What the user's code raises where nothing else expects it, or calls sys.exit, as a ModelError that says so."""
    try:
        yield
    except TrainingError:
        raise
    except RAISED as error:
        if not isinstance(error, SystemExit) and not is_blamed(error):
            raise
        raise ModelError(f"code of {model} {say(error)}", "correct the code") from error


def _place(error: BaseException) -> str:
    """File and line: the last of the user's own, since the last of all is often deep inside a library."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    frames = _own_frames(error) or traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "no place"


def own_place(error: BaseException) -> str | None:
    """File and line of the last frame that is the user's own; None where there is none."""
    frames = _own_frames(error)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else None


def is_own_file(path: str) -> bool:
    """Whether code of this file is the user's: neither ours nor a library's, whose compiled code has relative names."""
    others = tuple(f"{folder}/" for folder in (*LIBRARIES, *(ROOT / package for package in rooms.PACKAGES)))
    return path.startswith("/") and not path.startswith(others)


def _own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    return [frame for frame in traceback.extract_tb(error.__traceback__) if is_own_file(frame.filename)]


def module_file(module: str, roots: Roots) -> Path | None:
    """The file of a module in the first root that has it, as Python takes it: a package first, and compiled code before
    its source.
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
    """Files of the roots that a text in the module names."""
    for text in _texts(ast.parse(module.read_bytes())):
        for folder in (module.parent, *roots):
            file = Path(os.path.normpath(folder / text))
            with contextlib.suppress(OSError):  # no path, such as one with too long a name
                if any(file.is_relative_to(root) for root in roots) and file.is_file():
                    yield file


def _texts(tree: ast.AST) -> Iterator[str]:
    """Texts that may be paths: as they stand, and those of one expression joined."""
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
    """The texts of an expression of names, texts and /, from the left; what else it has is left out."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return [*_constants(node.left), *_constants(node.right)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _within(file: Path, roots: Roots) -> str:
    """The file's path in its root."""
    return next(file.relative_to(root).as_posix() for root in roots if file.is_relative_to(root))


def _spell(root: Path) -> str:
    return f"{root.name}/"


def _find_reached(module: str, roots: Roots) -> dict[str, Path]:
    """The files of the roots that importing this module reads, by their modules. Raises ModelError for one that is not
    Python.
    """
    found: dict[str, Path] = {}
    parts = module.split(".")
    waiting = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]  # with the packages that it is in
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
    """Whose module this one of the roots would hide, or be hidden by."""
    top = module.partition(".")[0]
    if top in rooms.PACKAGES:
        file = module_file(module, roots)
        ours = file is not None and file.resolve().is_relative_to(ROOT / top)
        return None if ours else "a package of Sealift"
    if top in sys.stdlib_module_names:
        return "a module of Python's standard library"
    return "a library that training uses" if top in USED else None


def _imports(content: bytes, name: str) -> Iterator[str]:
    """Modules that a file imports, with the packages they are in; relative ones in full."""
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
    """Names that a module's own statements give; "*" where it takes over another's."""
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
        raise ModelError(f"the module {module} is neither in the program's folder nor in an installed package")
    contents: dict[str, str] = {}
    listed: set[Path] = set()
    for owner in owners:  # several share a namespace
        record = importlib.metadata.distribution(owner)
        for file in record.files or []:
            if file.hash is not None and file.parts[0] != ".." and not file.parts[0].endswith(".dist-info"):
                contents[f"{owner}-{record.version}/{file}"] = file.hash.value
                listed.add(Path(str(file.locate())).resolve())
    return file_set.digest(contents | _find_edited(top, listed))


def _find_edited(package: str, listed: Collection[Path]) -> dict[str, str]:
    """Digests of the files of a package that is installed to be edited: no distribution lists these."""
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
