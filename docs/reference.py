"""Writes docs/training.md from the docstrings beside the settings it describes: `python -m docs.reference`.

A test compares the page with what this gives, so that neither can go out of date.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from training.job import LOSSES, NETWORKS
from training.options import FINDINGS, METRICS, SEARCHABLE

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "training.md"
HEAD: Final = """\
# TrainingRun: every input

Generated from `training/job.py` and `training/options.py` by `python -m docs.reference`. In a Python program the names
of TrainingRun's own arguments are in snake_case; inside objects, and in a stack's config, all are in camelCase as here.
In a stack's config, dataset, model, learningRate, epochs, batchSize, seed and stopLoss are keys; all others go into
`training`:

    config:
      sealift:dataset: data/churn.csv
      sealift:training: {data: {target: churned}, momentum: 0.9, earlyStopping: {patience: 5}}
"""
OBJECTS: Final = {
    "Data": "data",
    "Schedule": "schedule",
    "EarlyStopping": "earlyStopping",
    "InitFrom": "initFrom",
    "Search": "search",
    "Range": "search.parameters.NAME",
    "Privacy": "privacy",
    "Masking": "masking.COLUMN",
    "Quality": "quality",
    "Gates": "gates",
    "Gate": "gates.metrics.NAME",
    "Compress": "compress",
    "Compute": "compute",
    "ModelCard": "modelCard",
}

LISTS: Final = {
    "NETWORKS": NETWORKS,
    "LOSSES": LOSSES,
    "FINDINGS": FINDINGS,
    "METRICS": tuple(METRICS),
    "SEARCHABLE": SEARCHABLE,
}


def page() -> str:
    """The whole page."""
    job = next(_classes(ROOT / "training" / "job.py", ("Job",)))
    objects = {one.name: one for one in _classes(ROOT / "training" / "options.py", tuple(OBJECTS))}
    parts = [HEAD, *_table(job)]
    for name, path in OBJECTS.items():
        parts += [f"\n## {path}\n", _sentence(ast.get_docstring(objects[name]) or ""), "", *_table(objects[name])]
    return "\n".join(parts) + "\n"


def _classes(file: Path, names: tuple[str, ...]) -> Iterator[ast.ClassDef]:
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name in names:
            yield node


def _table(described: ast.ClassDef) -> Iterator[str]:
    yield from ("| input | default | meaning |", "|---|---|---|")
    body = described.body
    for at, node in enumerate(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            following = body[at + 1] if at + 1 < len(body) else None
            name = _camel_case(node.target.id)
            yield f"| `{name}` | {_default(node.value)} | {_docstring(following) or _link(name)} |"


def _docstring(node: ast.stmt | None) -> str:
    """With the values of the lists that it names: a reader of the page does not have the code at hand."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        text = _sentence(node.value.value).replace("|", "\\|")
        for name, values in LISTS.items():
            text = re.sub(rf"\b{name}\b", ", ".join(f"`{value}`" for value in values), text)
        return text
    return ""


def _link(name: str) -> str:
    """To the table of an object."""
    titles = (title for title in OBJECTS.values() if title.partition(".")[0] == name)
    return "".join(f"[{title}](#{title.replace('.', '').lower()})" for title in list(titles)[:1])


def _default(value: ast.expr | None) -> str:
    spelt = ast.unparse(value) if value is not None else ""
    if spelt.startswith("field("):
        return "`{}`"
    names = {"None": "none", "False": "false", "True": "true", "()": "`[]`", "2 * 2 ** 30": "2 GiB"}
    return names.get(spelt, f"`{spelt}`".replace("'", '"'))


def _sentence(text: str) -> str:
    return " ".join(text.split())


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


if __name__ == "__main__":
    PAGE.write_text(page())
