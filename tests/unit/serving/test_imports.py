"""What the server loads, and what those load who only want to know where it is."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[3]


def test_the_server_imports_only_itself_sealing_contents_and_what_its_image_has() -> None:
    listed = re.findall(r"^([\w-]+)==", (PROJECT_ROOT / "serving" / "requirements.txt").read_text(), re.MULTILINE)
    found: set[str] = set()
    for room in ("contents", "sealing", "serving"):
        for path in (PROJECT_ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    assert node.module and not node.level
                    found.add(node.module.partition(".")[0])

    assert {"onnxruntime", "sealing", "serving"} <= found
    distributions = packages_distributions()  # PyJWT's module is jwt
    foreign = found - sys.stdlib_module_names - {"contents", "sealing", "serving"}
    assert [module for module in foreign if not {name.lower() for name in distributions[module]} & set(listed)] == []


def test_to_know_where_things_are_loads_no_server_and_changes_nothing() -> None:
    program = """if True:
        import os, sys
        before, environment = set(sys.modules), dict(os.environ)
        import serving.places
        print({name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)
        print(dict(os.environ) == environment)
    """

    ran = subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)

    assert ran.stdout == "{'serving'}\nTrue\n"
