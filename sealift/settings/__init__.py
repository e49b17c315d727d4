"""Settings, each declared once in the dataclass that uses it: name, kind, default, bounds, unit and meaning.

    declare.py   `setting`, `section`, `sections`: declarations of a dataclass's fields
    kinds.py     kinds of values (numbers, texts, lists, objects) and their allowed values
    read.py      a mapping → the dataclass, or all its problems at once, by property path
    problem.py   a problem, and reports of several
    names.py     the input of a property path, and suggestions for misspelt names
    quantity.py  Kubernetes quantities, exactly, and their canonical text
    table.py     the declarations as Markdown tables
    typed.py     the declarations as a TypedDict, for programs
    schema.py    the declarations as a package schema, for the engine and other languages

Standard library only, because previews validate without torch. It declares no settings itself.
"""

from sealift.settings import kinds
from sealift.settings.declare import section, sections, setting
from sealift.settings.kinds import Kind, Refused, RefusedInside
from sealift.settings.problem import Problem, report
from sealift.settings.read import Clash, properties, read

__all__ = [
    "Clash", "Kind", "Problem", "Refused", "RefusedInside", "kinds", "properties", "read", "report", "section",
    "sections", "setting",
]  # fmt: skip
