"""Whoever opens a package is told of every module in it, and of none that is gone."""

import re
from pathlib import Path
from types import ModuleType

import pytest

import training
import training.recipe
import training.recipe.datasets
import training.report


@pytest.mark.parametrize(
    "package", [training, training.recipe, training.recipe.datasets, training.report], ids=lambda one: one.__name__
)
def test_the_guide_names_every_module_and_no_other(package: ModuleType) -> None:
    assert package.__file__ is not None
    folder = Path(package.__file__).parent
    named = set(re.findall(r"(?<![\w/])(\w+\.py|\w+/)(?![\w/])", package.__doc__ or ""))

    there = {one.name for one in folder.glob("*.py")} | {f"{one.parent.name}/" for one in folder.glob("*/__init__.py")}

    assert named == there - {"__init__.py", "__main__.py"}
