"""What the server loads, and what those load who only want to know where it is."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from sealift import rooms

PROJECT_ROOT = Path(__file__).resolve().parents[3]


def test_the_server_imports_only_itself_sealing_contents_and_what_its_image_has() -> None:
    package = PROJECT_ROOT / "sealift"
    listed = re.findall(r"^([\w-]+)==", (package / "serving" / "requirements.txt").read_text(), re.MULTILINE)
    found: set[str] = set()
    for room in rooms.IN_IMAGE:
        for path in (package / room).rglob("*.py"):
            tree = ast.parse(path.read_text())
            optional = _optional_imports(tree)
            for node in ast.walk(tree):
                if node in optional:
                    continue
                if isinstance(node, ast.Import):
                    found |= {_top(alias.name) for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    assert node.module and not node.level
                    found |= {_top(f"{node.module}.{alias.name}") for alias in node.names}

    own = {f"sealift.{name.removesuffix('.py')}" for name in (*rooms.IN_IMAGE, *rooms.MODULES_IN_IMAGE)}
    assert {"onnxruntime", *(f"sealift.{room}" for room in rooms.IN_IMAGE)} <= found
    distributions = packages_distributions()  # PyJWT's module is jwt
    foreign = found - sys.stdlib_module_names - own
    assert [module for module in foreign if not {name.lower() for name in distributions[module]} & set(listed)] == []


def _top(name: str) -> str:
    """The distribution's module, or the room of ours that it is in."""
    return ".".join(name.split(".")[: 2 if name.startswith("sealift.") else 1])


def test_to_know_where_things_are_loads_no_server_and_changes_nothing() -> None:
    program = """if True:
        import os, sys
        before, environment = set(sys.modules), dict(os.environ)
        import sealift.serving.image_layout
        print({name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)
        print(dict(os.environ) == environment)
    """

    ran = subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)

    assert ran.stdout == "{'sealift'}\nTrue\n"


def _optional_imports(tree: ast.Module) -> set[ast.AST]:
    """What may be missing: imports whose absence is caught, such as the SDK of a KMS, which the image does not need."""
    return {
        node
        for attempt in ast.walk(tree)
        if isinstance(attempt, ast.Try)
        and any(isinstance(one.type, ast.Name) and one.type.id == "ImportError" for one in attempt.handlers)
        for node in attempt.body
    }
