"""Settings, each declared once, in the dataclass that it is used in: name, kind, default, bounds, unit and meaning.

    declare.py   `setting`, `section`, `sections`: what a dataclass's field says of itself
    kinds.py     what a value can be: numbers, texts, lists, objects, and what is allowed of them
    read.py      a mapping → the dataclass, or every problem it has at once, by property path
    problem.py   one of these problems, and how several are told
    names.py     what a property path begins with, and which name was meant
    quantity.py  Kubernetes quantities, exactly, and their canonical text
    table.py     the declarations as tables for people
    typed.py     the declarations as a TypedDict, for programs
    schema.py    the declarations as a package schema, for the engine and other languages

Standard library only: a preview validates with it where torch may not be installed. It knows no setting itself.
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
