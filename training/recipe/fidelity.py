"""Checks that the served model will answer like the trained network, also for rows unlike those it saw.

The network is exported and compared before the first step, so that one without a faithful form is refused before
anybody waits for it; and again after training.

Shapes: B rows of a batch, S the shape of one row's features, K outputs.
"""

from collections.abc import Iterator
from typing import Final

import torch
from onnxruntime import InferenceSession
from torch import nn

from sealift.names import counted
from training.errors import ExportError
from training.recipe import export
from training.recipe.datasets.dataset import Rows
from training.recipe.evaluate import compute_answers
from training.recipe.value_reads import refuse_value_reads

BATCH_SIZES: Final = (1, 2, 3, 5, 17, 64)
PROBE_ROWS: Final = 16
ROW_TOLERANCE: Final = 1e-4
"""Largest difference between a row's answer alone and in a batch, relative to the largest answer (or to 1): libraries
add in another order for other sizes.
"""
FAR: Final = 10.0
"""Distance of far rows from the range of a column, in ranges."""
PROBE_TOLERANCE: Final = 1e-2
"""Largest difference for rows unlike any of the data, relative to the row's largest answer (or to 1): far out, rounding
grows with the numbers.
"""
PROBE_SHARE: Final = 0.1
"""Share of such rows that may differ more, where an answer jumps."""
CONSTANT_ROWS: Final = (
    "take the number of rows only from x.shape[0] in reshape, view or expand, not from len(), int() or a loop over "
    "rows; set batch_first=True in layers that have it"
)


def make_faithful_onnx(model: nn.Module, rows: Rows, task: str, name: str) -> bytes:
    """Returns the model as ONNX. Raises ExportError if its answers differ from the network's."""
    features = rows.first(max(BATCH_SIZES))[0]
    sample = torch.cat([features] * 2)[:2] if len(features) < 2 else features[:2]
    refuse_value_reads(model, sample.clone(), name)
    _check_rows(model, features, name)
    content, warned = export.trace(model, sample, task)
    session = export.make_session(content)
    _check_sizes(session, model, features, name, warned)
    for what, probe in make_probes(features):
        _check_probe(session, model, probe, name, what)
    return content


def _check_rows(model: nn.Module, features: torch.Tensor, name: str) -> None:
    """Raises ExportError if the network's answers depend on chance, or on the other rows of a batch."""
    rows = features[: BATCH_SIZES[3]]
    together = compute_answers(model, rows.clone())
    allowed = ROW_TOLERANCE * max(1.0, float(together.abs().nan_to_num().max()))
    if not bool((_find_difference(compute_answers(model, rows.clone()), together) <= allowed).all()):
        raise ExportError(
            f"{name} gives different answers for the same rows each time",
            "use random numbers and the time only in training mode: `if self.training`, or nn.Dropout",
        )
    alone = torch.cat([compute_answers(model, row.clone()) for row in torch.split(rows, 1)])
    if alone.shape != together.shape or not bool((_find_difference(alone, together) <= allowed).all()):
        raise ExportError(
            f"{name} gives another answer for a row alone than for the same row in a batch",
            "compute nothing across the rows of a batch (a mean over dim 0, attention between rows), since they belong "
            "to different clients; use nn.BatchNorm, which keeps its moments, and batch_first=True in layers that have "
            "it",
        )


def _check_sizes(
    session: InferenceSession, model: nn.Module, features: torch.Tensor, name: str, warned: tuple[str, ...]
) -> None:
    where = f"; look at {', '.join(warned)}" if warned else ""
    for size in BATCH_SIZES:
        batch = torch.cat([features] * -(-size // len(features)))[:size]
        expected = compute_answers(model, batch.clone())
        try:
            answer = export.ask(session, batch)
        except Exception as error:  # ONNX Runtime's errors have no common base class
            raise ExportError(
                f"{name} was exported from 2 rows, but its ONNX form does not run on {counted(size, 'row')}{where}",
                CONSTANT_ROWS,
            ) from error
        allowed = export.TOLERANCE * max(1.0, float(expected.abs().nan_to_num().max()))
        if answer.shape != expected.shape or not bool((_find_difference(answer, expected) <= allowed).all()):
            raise ExportError(
                f"{name} was exported from 2 rows, but its ONNX form's answers for {counted(size, 'row')} differ from "
                f"torch's{where}",
                CONSTANT_ROWS,
            )


def _check_probe(session: InferenceSession, model: nn.Module, probe: torch.Tensor, name: str, what: str) -> None:
    try:
        expected = compute_answers(model, probe.clone())
    except Exception:  # noqa: BLE001 - the network itself does not take such rows, which a server then says
        return
    answer = export.ask(session, probe)
    allowed = PROBE_TOLERANCE * expected.abs().nan_to_num().amax(dim=1).clamp(min=1.0)
    differs = _find_difference(answer, expected).amax(dim=1) > allowed
    if float(differs.float().mean()) > PROBE_SHARE:
        raise ExportError(
            f"the exported model's answers for rows {what} differ from those of {name} in torch",
            "its forward does something that ONNX cannot express, such as a branch on values or a value kept from an "
            "earlier batch; nothing was sealed",
        )


def _find_difference(answer: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    """Returns the differences. Equal infinities and two NaN do not differ; a number and NaN differ by infinity."""
    same = (answer == expected) | (answer.isnan() & expected.isnan())
    return torch.where(same, 0.0, (answer - expected).abs().nan_to_num(nan=torch.inf))


def make_probes(features: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    """Yields rows unlike those given (R, *S), with their description. Each kind finds another error."""
    drawing = torch.Generator().manual_seed(0)
    rows = torch.cat([features] * -(-PROBE_ROWS // len(features)))[:PROBE_ROWS]
    if not features.is_floating_point():
        low, high = features.amin(dim=0), features.amax(dim=0)
        drawn = torch.rand(rows.shape, generator=drawing)
        yield "of other ids", low + (drawn * (high - low + 1)).to(features.dtype).clamp(max=high - low)
        return
    known = torch.where(features.isnan(), features.nan_to_num().mean(dim=0), features)
    low, high = known.amin(dim=0), known.amax(dim=0)
    up = torch.rand(rows.shape, generator=drawing) < 0.5
    spread = FAR * (high - low).clamp(min=1e-6)
    yield "of zeros", torch.zeros_like(rows)
    yield "of the opposite sign", -rows.nan_to_num()
    yield "at the ends of their range", torch.where(up, low, high).to(rows.dtype)
    yield f"{FAR:g} times their range away", torch.where(up, low - spread, high + spread).to(rows.dtype)
    if features.isnan().any():
        yield "with other values missing", torch.where(up, torch.nan, rows.nan_to_num())
