"""The user's own code: found without running it, digested with all that it imports beside it, and loaded.

`package.module:name` is of the program's folder or else of an installed package. Standard library only.
"""

import ast
import importlib
import importlib.metadata
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from durable import file_set
from training.errors import ModelError


def check(reference: str, folder: Path) -> str | None:
    """What is wrong with a reference, continuing "is VALUE; "; None if its module is there and, in the folder, defines
    the name.
    """
    module, _, name = reference.partition(":")
    file = module_file(module, folder)
    if file is None:
        if _installed(module):
            return None
        return f"there is no module {module} in the program's folder, nor installed"
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        return f"{file.name} is not Python: {error}"
    names = sorted(_defined(tree))
    if name in names or "*" in names:
        return None
    return f"module {module} has no {name}; it has {', '.join(names) or 'nothing'}"


def digest(reference: str, folder: Path) -> str:
    """64 hex digits: SHA-256 over the module's file and every file of the folder that it imports, whatever the path.

    Of an installed package: its name, version and list of files. Imports by computed names are not followed.
    Raises ModelError.
    """
    module = reference.partition(":")[0]
    if module_file(module, folder) is None:
        return _installed_digest(module)
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        file = module_file(waiting.pop(), folder)
        if file is None or (name := file.relative_to(folder).as_posix()) in found:
            continue
        content = file.read_bytes()
        found[name] = file_set.of_bytes(content)
        waiting += _imports(content, name)
    return file_set.digest(found)


def load(reference: str, folder: Path) -> object:
    """The object that is named. Raises ModelError, which names what is not there or where the code raised."""
    module, _, name = reference.partition(":")
    try:
        loaded = _imported_from(folder, module)
    except Exception as error:
        raise ModelError(
            f"module {module} cannot be imported: {type(error).__name__}: {error} ({origin(error)})",
            "it must be in the program's folder or installed, and import what it needs",
        ) from error
    if not hasattr(loaded, name):
        raise ModelError(f"module {module} has no {name}; it has {', '.join(_public(loaded))}", "name one of these")
    return getattr(loaded, name)


def _imported_from(folder: Path, module: str) -> ModuleType:
    """The folder comes before installed packages while the module is imported, and after them for what it needs later.

    Raises ImportError where the name is taken by a module that was imported before.
    """
    file = module_file(module, folder)
    sys.path.insert(0, str(folder))
    try:
        loaded = importlib.import_module(module)
    finally:
        sys.path.remove(str(folder))
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    if file is not None and loaded.__file__ != str(file):
        raise ImportError("an installed module has the same name; rename yours")
    return loaded


def origin(error: BaseException) -> str:
    """Where an error was raised: the last file and line, without a stack."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "no place"


def module_file(module: str, folder: Path) -> Path | None:
    """The file of a module in the folder."""
    path = folder.joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


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


def _defined(tree: ast.Module) -> Iterator[str]:
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


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def _installed_digest(module: str) -> str:
    top = module.partition(".")[0]
    owners = importlib.metadata.packages_distributions().get(top, [])
    if not owners:
        raise ModelError(f"module {module} is neither in the program's folder nor of an installed package")
    record = importlib.metadata.distribution(owners[0])
    release = f"{owners[0]}-{record.version}"
    listed = [file for file in record.files or [] if file.suffix == ".py"]
    return file_set.digest({f"{release}/{file}": file.hash.value if file.hash else "" for file in listed})


def _public(module: ModuleType) -> list[str]:
    return sorted(name for name in vars(module) if not name.startswith("_"))
