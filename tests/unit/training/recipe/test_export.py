"""The ONNX file: small, the same from every path, free of where it was made, right, and never on a disk."""

import os
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from training.errors import ExportError
from training.recipe import export
from training.recipe.evaluate import compute_answers
from training.recipe.models import build as models
from training.recipe.models.net import Net
from training.recipe.scaling import Scale, Scales

SPREAD = torch.tensor([150.0]), torch.tensor([70.0])
PROJECT_ROOT = Path(__file__).resolve().parents[4]


def deployed(features: int = 4, *, classifies: bool = False) -> models.DeployedModel:
    torch.manual_seed(0)
    columns, target = Scale.of(torch.full((features,), 100.0), torch.full((features,), 50.0)), Scale.of(*SPREAD)
    outputs, task = (3, "classification") if classifies else (1, "regression")
    return models.DeployedModel(Net(features, outputs), Scales(columns, None if classifies else target), task, outputs)


def exported(model: torch.nn.Module, task: str = "regression") -> bytes:
    return export.to_onnx(model, torch.randn(2, 4), task)


@pytest.mark.parametrize(
    ("task", "output", "width"), [("regression", "prediction", 1), ("classification", "probabilities", 3)]
)
def test_names_types_and_shapes_are_the_contract_s(task: str, output: str, width: int) -> None:
    session = onnxruntime.InferenceSession(exported(deployed(classifies=width > 1), task))

    (given,), (answered,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape) == ("input", "tensor(float)", ["batch", 4])
    assert (answered.name, answered.type, answered.shape) == (output, "tensor(float)", ["batch", width])


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 100])
def test_any_number_of_raw_rows_is_answered_as_torch_does(rows: int) -> None:
    model = deployed()
    session = onnxruntime.InferenceSession(exported(model))
    raw = torch.randn(rows, 4) * 50 + 100

    (answer,) = session.run(None, {"input": raw.numpy()})

    assert answer.shape == (rows, 1)
    assert np.allclose(answer, model(raw).detach().numpy(), rtol=1e-5)


def test_the_file_is_one_pinned_opset_without_external_data_or_origins() -> None:
    content = exported(deployed())

    proto = onnx.ModelProto.FromString(content)
    assert [(opset.domain, opset.version) for opset in proto.opset_import] == [("", 17)]
    assert (proto.producer_name, proto.producer_version, proto.doc_string) == ("", "", "")
    assert len(proto.metadata_props) == len(proto.functions) == 0
    assert all(tensor.data_location == onnx.TensorProto.DEFAULT for tensor in proto.graph.initializer)
    assert len(content) < 4096
    for word in (b".py", b"torch", b"aten", b"lib/", str(PROJECT_ROOT).encode()):
        assert word not in content


def test_origins_are_cleared_at_every_depth() -> None:
    """A model with a subgraph and a function, each with what an exporter may leave there."""
    inner = onnx.helper.make_node("Identity", ["x"], ["y"], doc_string="/home/me/a.py")
    inner.metadata_props.add(key="stack", value="/home/me/b.py")
    value = onnx.helper.make_tensor_value_info("y", 1, [1], doc_string="/home/me/c.py")
    branch = onnx.helper.make_graph([inner], "branch", [], [value], doc_string="/home/me/d.py")
    choice = onnx.helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch)
    choice.attribute[0].doc_string = "/home/me/e.py"
    graph = onnx.helper.make_graph([choice], "main", [], [])
    graph.initializer.append(onnx.helper.make_tensor("w", 1, [1], [1.0]))
    graph.initializer[0].doc_string = "/home/me/f.py"
    graph.metadata_props.add(key="path", value="/home/me/g.py")
    function = onnx.helper.make_function("own", "F", ["x"], ["y"], [inner], [], doc_string="/home/me/h.py")
    model = onnx.helper.make_model(graph, functions=[function], producer_name="/home/me/i.py", doc_string="/home/me/j")
    model.metadata_props.add(key="path", value="/home/me/k")
    assert model.SerializeToString().count(b"/home/me") > 10

    export.clear_origins(model)

    assert b"/home/me" not in model.SerializeToString()
    assert model.graph.node[0].attribute[0].g.node[0].op_type == "Identity"


def test_exporting_twice_in_one_process_gives_the_same_bytes() -> None:
    assert exported(deployed()) == exported(deployed())


def test_the_check_accepts_the_model_and_refuses_another() -> None:
    model, rows = deployed(), torch.randn(10, 4) * 50 + 100
    content = exported(model)
    export.check(content, rows, compute_answers(model, rows))

    with torch.no_grad():
        model.net.output.bias += 0.001  # type: ignore[operator, union-attr]
    with pytest.raises(
        ExportError, match=r"differs from torch by .* on held-out rows; allowed: .*\nhint: nothing was sealed"
    ):
        export.check(content, rows, compute_answers(model, rows))


class Averages(torch.nn.Module):
    """Answers each row with the batch's mean, as no served model may."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=0, keepdim=True).expand(x.shape)


class Sorts(torch.nn.Module):
    """Has no ONNX form at this opset."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = torch.linalg.eigvals(x[:, :4].reshape(-1, 2, 2))
        return values.real


def test_a_network_whose_answer_depends_on_other_rows_is_refused() -> None:
    rows = torch.randn(10, 4)
    content = exported(Averages())

    with pytest.raises(ExportError, match="other rows of the batch"):
        export.check(content, rows, compute_answers(Averages(), rows))


def test_a_network_without_an_onnx_form_is_refused_with_the_operation() -> None:
    with pytest.raises(
        ExportError, match=r"cannot be exported to ONNX: it uses \w*eigvals, which has no form"
    ) as refused:
        exported(Sorts())
    assert len(str(refused.value).splitlines()) == 2


def test_what_the_exporter_prints_where_it_fails_is_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    """Pages of its graph stood before the reason."""
    with pytest.raises(ExportError):
        exported(Sorts())
    assert capfd.readouterr() == ("", "")


def test_the_check_refuses_answers_that_are_no_numbers() -> None:
    model, rows = deployed(), torch.randn(10, 4)
    content = exported(model)

    with pytest.raises(ExportError):
        export.check(content, rows * float("nan"), compute_answers(model, rows))


def test_exporting_and_checking_opens_no_file_for_writing() -> None:
    opened = list[str]()
    listening = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if not listening or event != "open":
            return
        path, _, flags = arguments
        if path != os.devnull and isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            opened.append(str(path))

    model, rows = deployed(), torch.randn(3, 4)
    exported(model)  # imports are done: bytecode caches are not what this is about
    sys.addaudithook(hook)
    try:
        export.check(exported(model), rows, compute_answers(model, rows))
    finally:
        listening = False

    assert opened == []
