"""The class of each number of a foreign classifier, as the model itself declares it.

Data and model may order the classes differently, and numbers in the wrong order are wrong answers that nothing reveals.
A model declares its order in a ZipMap or a classifier's attributes (onnx.ai/onnx/operators, ai.onnx.ml), or by an
output with the label of each row.

Shapes: R rows, W numbers of the model for each.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto

from sealift.names import counted
from training.errors import ModelError
from training.recipe.foreign_scale import Answer, Scale

ZIP_MAP: Final = "ZipMap"
CLASSIFIERS: Final = ("LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier")
LABELS: Final = ("classlabels_strings", "classlabels_ints", "classlabels_int64s")
TIE: Final = 1e-5
"""Largest difference of two numbers that do not determine which of them a label was chosen by."""

Labels = tuple[str, ...]


def find_label_output(graph: onnx.GraphProto) -> str | None:
    """Returns the output with a label for each row. None if there is not exactly one."""
    found = [
        one.name
        for one in graph.output
        if one.type.tensor_type.elem_type in (TensorProto.INT64, TensorProto.STRING)
        and len(one.type.tensor_type.shape.dim) <= 2
    ]
    return found[0] if len(found) == 1 else None


def find_column_order(
    graph: onnx.GraphProto, classes: Sequence[str], answer_RW: Answer, scale: Scale, said_R: Answer | None
) -> list[int]:
    """Returns, for each of the data's classes, the model's column. Two columns stand for one number and its complement.

    `said_R` are the labels that the model gave these rows, if it gives any. Raises ModelError if its labels are not the
    data's, or contradict its own numbers.
    """
    width = max(2, answer_RW.shape[1])
    table_RW = _make_two_columns(answer_RW, scale) if answer_RW.shape[1] == 1 else answer_RW
    declared = _find_declared(graph, width)
    if declared is not None:
        order = _find_order(declared, classes)
        if said_R is not None:
            _check(table_RW, _read_texts(said_R), declared)
        return order
    if said_R is None:
        return list(range(width))
    seen = _find_seen(table_RW, _read_texts(said_R))
    return _find_order_of_seen(seen, classes, width)


def _make_two_columns(answer_R1: Answer, scale: Scale) -> Answer:
    """Makes two columns of one number, which means the second class above 0 (or above one half for a probability)."""
    second = answer_R1 - (0.5 if scale == "probabilities" else 0.0)
    return np.concatenate([-second, second], axis=1)


def _find_declared(graph: onnx.GraphProto, width: int) -> Labels | None:
    """Returns the labels that the nodes declare, ZipMaps before classifiers, if all with `width` labels agree."""
    for operators in ((ZIP_MAP,), CLASSIFIERS):
        found = {labels for labels in _find_named(graph, operators) if len(labels) == width}
        if len(found) == 1:
            return found.pop()
    return None


def _find_named(graph: onnx.GraphProto, operators: Sequence[str]) -> Iterator[Labels]:
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type in operators and attribute.name in LABELS:
                strings = [text.decode(errors="replace") for text in attribute.strings]
                yield tuple(strings or [str(number) for number in attribute.ints])


def _read_texts(said_R: Answer) -> list[str]:
    return [str(label) for label in said_R.reshape(-1).tolist()]


def _find_order(labels: Labels, classes: Sequence[str]) -> list[int]:
    if sorted(labels) == sorted(classes):
        return [labels.index(name) for name in classes]
    positions = [str(number) for number in range(len(classes))]
    if sorted(labels) == sorted(positions) and not any(name.lstrip("-").isdigit() for name in classes):
        return [labels.index(position) for position in positions]  # a model of encoded labels
    raise _make_other_labels_error(labels, classes)


def _find_order_of_seen(seen: Mapping[int, str], classes: Sequence[str], width: int) -> list[int]:
    """Returns the order of the columns whose labels appeared in rows. A single one that did not appear is the remaining
    one.
    """
    numbers = not any(name.lstrip("-").isdigit() for name in classes)
    order = dict[int, int]()
    for column, label in seen.items():
        if label in classes:
            order[list(classes).index(label)] = column
        elif numbers and label.isdigit() and int(label) < len(classes):
            order[int(label)] = column
        else:
            raise _make_other_labels_error(tuple(seen.values()), classes)
    left = [column for column in range(width) if column not in order.values()]
    unseen = [place for place in range(width) if place not in order]
    if left != unseen or len(unseen) > 1:
        raise ModelError(
            f"model names its classes only in an output of labels, and the rows have {len(seen)} of {width}: the "
            "columns of the other classes are unknown",
            "export it with its labels: scikit-learn's converter writes them if zipmap is on",
        )
    return [order.get(place, place) for place in range(width)]


def _find_seen(table_RW: Answer, said: Sequence[str]) -> dict[int, str]:
    """Returns, by column, the label of the rows whose largest number is in this column."""
    seen = dict[int, str]()
    for column, label in _find_clear(table_RW, said):
        if seen.setdefault(column, label) != label:
            raise _make_contradiction_error(label)
    if len(set(seen.values())) != len(seen):
        raise _make_contradiction_error(next(iter(seen.values())))
    return seen


def _check(table_RW: Answer, said: Sequence[str], labels: Labels) -> None:
    for column, label in _find_clear(table_RW, said):
        if labels[column] != label:
            raise _make_contradiction_error(label)


def _find_clear(table_RW: Answer, said: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yields the column and the label of each row whose largest number is not a tie."""
    if len(said) != len(table_RW):
        raise ModelError(
            f"model gives {counted(len(said), 'label')} to {counted(len(table_RW), 'row')}",
            "export it with one label for each row",
        )
    ordered_RW = np.sort(table_RW, axis=1)
    sure_R = ordered_RW[:, -1] - ordered_RW[:, -2] > TIE
    for row, sure in enumerate(sure_R):
        if sure:
            yield int(table_RW[row].argmax()), said[row]


def _make_other_labels_error(labels: Sequence[str], classes: Sequence[str]) -> ModelError:
    return ModelError(
        f"model has the labels {_show(labels)}; the data has the classes {_show(classes)}",
        "use the data that it was trained for, with classes spelt as the model spells them",
    )


def _make_contradiction_error(label: str) -> ModelError:
    return ModelError(
        f"model gives rows the label {label!r} although the largest number belongs to another class",
        "export it with probabilities (scikit-learn: a model with predict_proba), the largest of which is the label",
    )


def _show(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:10]))
    return f"{shown}, … ({len(names)})" if len(names) > 10 else shown
