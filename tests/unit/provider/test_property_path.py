"""`ignoreChanges` puts back what stands at a path, whether it is there or not."""

import pytest

from sealift.property_path import parse_path, write_path
from sealift.provider import Properties
from sealift.provider.ignored_changes import restore


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("stopLoss", ["stopLoss"]),
        ("data.target", ["data", "target"]),
        ("recipients[0]", ["recipients", 0]),
        ('quality.ranges["blood pressure"][1]', ["quality", "ranges", "blood pressure", 1]),
        (r'["a \"b\" .c"].d', ['a "b" .c', "d"]),
        ("columns[*].name", ["columns", "*", "name"]),
    ],
)
def test_a_path_is_its_keys(path: str, keys: list[str | int]) -> None:
    assert parse_path(path) == keys


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("spec", "template", "spec", "containers", 0, "image"), "spec.template.spec.containers[0].image"),
        (("data", "key.pem"), 'data["key.pem"]'),
        (("spec", "hard", "requests.cpu"), 'spec.hard["requests.cpu"]'),
        (("metadata", "annotations", 'a"b'), 'metadata.annotations["a\\"b"]'),
    ],
)
def test_paths_read_as_they_are_written(path: tuple[str | int, ...], text: str) -> None:
    assert write_path(path) == text
    assert parse_path(text) == list(path)


@pytest.mark.parametrize("path", ["a[", 'a["b', "a]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="property path"):
        parse_path(path)


@pytest.mark.parametrize(
    ("old", "new", "path", "expected"),
    [
        ({"a": 1}, {"a": 2}, "a", {"a": 1}),
        ({}, {"a": 2}, "a", {}),
        ({"a": 1}, {}, "a", {"a": 1}),
        ({}, {}, "a", {}),
        ({"r": ["x", "y"]}, {"r": ["z", "w"]}, "r[0]", {"r": ["x", "w"]}),
        ({"r": ["x"]}, {"r": ["x", "w"]}, "r[1]", {"r": ["x", "w"]}),
        ({"d": {"t": 1, "u": 1}}, {"d": {"t": 2, "u": 2}}, "d.t", {"d": {"t": 1, "u": 2}}),
        ({"d": {}}, {"d": {"t": 2}}, "d.t", {"d": {}}),
        ({}, {"d": {"t": 2}}, "d.t", {"d": {"t": 2}}),
        ({"c": [{"n": 1}, {"n": 2}]}, {"c": [{"n": 3}, {"n": 4}]}, "c[*].n", {"c": [{"n": 1}, {"n": 2}]}),
    ],
)
def test_what_stands_at_the_path_is_as_it_was(
    old: Properties, new: Properties, path: str, expected: Properties
) -> None:
    assert restore(old, new, parse_path(path)) == expected
