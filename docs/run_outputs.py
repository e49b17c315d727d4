"""The class of a TrainingRun's outputs, from the declaration of a run's result (training/run_result.py)."""

import ast
import inspect
import textwrap
from typing import Final

from training import run_result

HEAD: Final = '''\
"""A TrainingRun's outputs: from the declaration of a run's result (training/run_result.py), by `make docs`."""

from collections.abc import Mapping

import pulumi


class TrainingRunOutputs:
    """What a run told at its end."""

'''


def run_outputs() -> str:
    """Python source."""
    module = ast.parse(textwrap.dedent(inspect.getsource(run_result.RunOutputs)))
    (declared,) = (node for node in module.body if isinstance(node, ast.ClassDef))
    lines: list[str] = []
    for node in declared.body[1:]:
        if isinstance(node, ast.AnnAssign):
            lines.append(f"    {ast.unparse(node.target)}: pulumi.Output[{ast.unparse(node.annotation)}]")
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines.append(f'    """{node.value.value!s}"""')
    return HEAD + "\n".join(lines) + "\n"
