"""From a data set to a finished model in one call: the uses that an engineer has for it, each from settings alone."""

import dataclasses
import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.numpy
import torch
from onnx import numpy_helper

from sealift.contents.description import write_description
from training import gates
from training.errors import DataError, GateError, ModelError
from training.evidence import gather_evidence
from training.fit import FitResult, fit
from training.highlights import list_highlights
from training.job import Job
from training.judgement import Evidence, Judgement, judge
from training.recipe.callback import Progress
from training.recipe.class_weights import compute_class_weights
from training.recipe.datasets.dataset import TensorRows
from training.recipe.datasets.load import load
from training.recipe.evaluate import evaluate, measure
from training.recipe.finish import read_every_row
from training.recipe.folds import split_into_folds
from training.recipe.loop_parts import LoopInputs, make_loop
from training.recipe.make import Inputs
from training.recipe.sgd import make_repeatable
from training.recipe.trainer_state import TrainerState
from training.report.content import Energy, Report
from training.report.payload import extract
from training.sources import read

KEY = bytes(range(32))
PROVENANCE = {"data_digest": "d", "code_digest": "c", "libraries": "l"}


class Stopped(Exception):
    pass


class Recorder:
    """A callback that remembers; `stop` is asked after every stretch whether to end the run there."""

    def __init__(self, stop: Callable[[int], bool] = lambda looks: False) -> None:
        self.phases: list[str] = []
        self.messages: list[str] = []
        self.ends: list[int] = []
        self.progress = Progress()
        self._looks, self._stop = 0, stop

    def phase(self, name: str, message: str) -> None:
        self.phases.append(name)
        self.messages.append(message)

    def after(
        self,
        job: Job,
        progress: Callable[[], Progress],
        state: TrainerState,
        *,
        rows: int,
        epoch_ended: bool,
        last: bool,
    ) -> None:
        self._looks += 1
        if last:
            self.ends.append(state.epoch)
        if self._stop(self._looks):
            self.progress = progress()
            raise Stopped


def job_of(folder: Path, **properties: Any) -> Job:
    job, problems = Job.validate(properties, folder)
    assert job is not None, problems
    return job


def fitted(
    folder: Path = Path(), progress: Progress | None = None, callback: Recorder | None = None, **properties: Any
) -> FitResult:
    inputs = Inputs(folder, KEY, provenance=PROVENANCE)
    return fit(job_of(folder, **properties), inputs, progress or Progress(), callback or Recorder())


def judged(result: FitResult, deployed: Mapping[str, float] | None = None) -> Judgement:
    energy = Energy(1.0, "estimated: by a test", 0.1, 400.0, "a test")
    evidence = gather_evidence(result, energy, {"train": 1.0}, PROVENANCE, "cpu")
    assert Evidence.decode(evidence.encode()) == evidence
    return judge(result.trained.job, evidence, deployed)


def reported(result: FitResult) -> Report:
    return extract(judged(result).page().decode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's folder: rows in a CSV file, and a network."""
    own = np.random.default_rng(0)
    size, rooms = own.uniform(30, 200, 300), own.integers(1, 6, 300)
    price = 3000 * size + 10_000 * rooms + own.normal(0, 5000, 300)
    lines = (f"{s:.2f},{r},{'north' if r % 2 else 'south'},{p:.0f}" for s, r, p in zip(size, rooms, price, strict=True))
    (tmp_path / "houses.csv").write_text("size,rooms,side,price\n" + "\n".join(lines))
    (tmp_path / f"nets_{tmp_path.name}.py").write_text(
        "from torch import nn\n"
        "class Wide(nn.Sequential):\n"
        "    def __init__(self, features, outputs, width):\n"
        "        super().__init__(nn.Linear(features, width), nn.Tanh(), nn.Linear(width, outputs))\n"
        "def noisy(x, generator):\n"
        "    return x + 0.01 * __import__('torch').randn(x.shape, generator=generator)\n"
    )
    return tmp_path


def houses(folder: Path, **more: Any) -> dict[str, Any]:
    return {"dataset": "houses.csv", "data": {"target": "price", "task": "regression"}, "epochs": 30,
            "learningRate": 0.05, **more}  # fmt: skip


def test_own_model_and_own_data(folder: Path) -> None:
    name = f"nets_{folder.name}:Wide"

    result = fitted(folder, **houses(folder, model=name, modelArguments={"width": 7}))

    assert result.outcome["metrics"]["r2"] > 0.95
    weights = [tensor.dims for tensor in onnx.ModelProto.FromString(result.model).graph.initializer]
    assert [7, 4] in weights
    assert write_description(result.description)["features"] == ["size", "rooms", "side"]
    assert write_description(result.description)["hyperparameters"]["modelArguments"] == {"width": 7}


def test_a_model_of_the_folder_models_is_found_with_what_it_imports_beside_it_and_above(folder: Path) -> None:
    (folder / "models").mkdir()
    (folder / f"sizes_{folder.name}.py").write_text("WIDTH = 6\n")
    (folder / "models" / f"own_{folder.name}.py").write_text(
        f"from nets_{folder.name} import Wide\nfrom sizes_{folder.name} import WIDTH\n"
        "class Own(Wide):\n"
        "    def __init__(self, features, outputs):\n"
        "        super().__init__(features, outputs, WIDTH)\n"
    )

    result = fitted(folder, **houses(folder, model=f"own_{folder.name}:Own", epochs=1))

    assert [6, 4] in [tensor.dims for tensor in onnx.ModelProto.FromString(result.model).graph.initializer]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_run_twice_is_the_same_bytes(folder: Path, threads: int) -> None:
    settings = houses(folder, threads=threads, momentum=0.9, augment=f"nets_{folder.name}:noisy", epochs=3)

    assert fitted(folder, **settings).model == fitted(folder, **settings).model


def test_augmentation_changes_what_is_learnt(folder: Path) -> None:
    plain, augmented = (
        fitted(folder, **houses(folder, epochs=2, **more)).model
        for more in ({}, {"augment": f"nets_{folder.name}:noisy"})
    )  # fmt: skip

    assert plain != augmented


def test_digits_are_images_for_a_network_that_looks_at_images() -> None:
    result = fitted(dataset="digits", model="cnn", modelArguments={"channels": [4]}, epochs=1)

    assert write_description(result.description)["inputs"] == [
        {"name": "input", "datatype": "FP32", "shape": ["batch", 1, 8, 8]}
    ]
    assert write_description(result.description)["inputRange"] == {"minimum": 0, "maximum": 16}
    assert write_description(result.description)["classes"] == list("0123456789")


def test_early_stopping_keeps_the_best_epoch_and_the_report_has_its_curve() -> None:
    callback = Recorder()
    result = fitted(
        callback=callback, dataset="breast_cancer", epochs=400, learningRate=0.1, earlyStopping={"patience": 3}
    )

    assert callback.ends == [result.outcome["epochs_run"]], "and the callback knows which look is the last one"
    assert result.outcome["stop_reason"] == "earlyStopping"
    assert result.outcome["epochs_run"] < 400
    curves = reported(result).curves
    assert curves is not None
    assert curves.validation_loss is not None
    best = int(np.argmin([one or np.inf for one in curves.validation_loss])) + 1
    assert result.outcome["epochs_run"] - best == 3


@pytest.fixture
def rare(tmp_path: Path) -> Path:
    """One row in ten is of the class "yes", and the two overlap."""
    own = np.random.default_rng(0)
    yes = np.arange(600) % 10 == 0
    lines = (f"{own.normal() + 1.5 * one:.4f},{'yes' if one else 'no'}" for one in yes)
    (tmp_path / "rare.csv").write_text("x,y\n" + "\n".join(lines))
    return tmp_path


@pytest.mark.parametrize("loss", ["crossEntropy", "bce"])
def test_class_weights_make_a_rare_class_heard_and_metrics_count_every_row_alike(rare: Path, loss: str) -> None:
    settings: dict[str, Any] = {"dataset": "rare.csv", "data": {"target": "y"}, "epochs": 20, "learningRate": 0.1,
                                "loss": loss}  # fmt: skip
    plain = fitted(rare, **settings)
    balanced = fitted(rare, **settings, classWeights="balanced")
    by_hand = fitted(rare, **settings, classWeights={"yes": 9})

    accuracy, fair = ([one.outcome["metrics"][name] for one in (plain, balanced, by_hand)]
                      for name in ("accuracy", "balancedAccuracy"))  # fmt: skip
    assert min(fair[1:]) > fair[0] + 0.1
    assert accuracy[0] > max(accuracy[1:])
    target = read_every_row(balanced.trained.held_out)[1]
    assert balanced.outcome["metrics"] == measure(balanced.trained.answers, target, "classification")
    assert write_description(balanced.description)["hyperparameters"]["classWeights"] == "balanced"


def test_balanced_weights_are_scikit_learn_s_of_the_training_rows(rare: Path) -> None:
    utilities = pytest.importorskip("sklearn.utils.class_weight")
    job = job_of(rare, dataset="rare.csv", data={"target": "y"}, classWeights="balanced")
    dataset = load(job, rare, b"")

    found = compute_class_weights(job, dataset, dataset.rows)

    target = read_every_row(dataset.rows)[1].numpy()
    theirs = utilities.compute_class_weight("balanced", classes=np.array([0, 1]), y=target)
    assert found is not None
    assert np.allclose(found.numpy(), theirs)


def test_a_weight_of_a_class_that_is_none_and_weights_of_a_regression_are_told(rare: Path) -> None:
    with pytest.raises(ModelError, match=r"classWeights has 'maybe'; rare\.csv has no such class\nhint: .*'no', 'yes'"):
        fitted(rare, dataset="rare.csv", data={"target": "y"}, classWeights={"maybe": 2, "yes": 1})
    numbers = "x,y\n" + "\n".join(f"{at * 7 % 11},{at}.5" for at in range(30))
    (rare / "numbers.csv").write_text(numbers)
    with pytest.raises(ModelError, match=r"classWeights is for classes, but numbers\.csv is a regression"):
        fitted(rare, dataset="numbers.csv", data={"target": "y"}, classWeights="balanced")


def test_a_search_ships_the_best_trial_and_folds_are_measured() -> None:
    result = fitted(
        dataset="iris",
        epochs=5,
        folds=3,
        search={
            "trials": 4,
            "metric": "loss",
            "parameters": {"learningRate": {"low": 0.001, "high": 1.0, "log": True}, "batchSize": {"choices": [8, 16]}},
        },
    )

    report = reported(result)
    assert report.search is not None
    assert report.folds is not None
    assert len(report.search.trials) == 4
    assert report.search.best is not None
    best = report.search.trials[report.search.best]
    shipped = write_description(result.description)["hyperparameters"]
    assert (shipped["learningRate"], shipped["batchSize"]) == (
        best.parameters["learningRate"], best.parameters["batchSize"],
    )  # fmt: skip
    assert [fold.rows_validation for fold in report.folds] == [36, 36, 36]


def test_a_fold_s_metrics_are_those_of_rows_that_its_own_training_has_not_seen() -> None:
    job = job_of(Path(), dataset="iris", epochs=4, folds=3, learningRate=0.1)
    found = fitted(dataset="iris", epochs=4, folds=3, learningRate=0.1).trained.folds

    generator = make_repeatable(job)
    dataset = load(job, Path(), b"")
    rows, _ = dataset.rows.split(job.data.held_out, generator)
    assert isinstance(rows, TensorRows)
    for at, (others, held) in enumerate(split_into_folds(rows, 3, torch.Generator().manual_seed(job.seed))):
        generator = torch.Generator().manual_seed(job.seed)
        by_hand = make_loop(job, LoopInputs(dataset, rows.take(others), None, Path()), generator)
        assert list(by_hand.epochs()) == [True] * 4
        assert found[at] == evaluate(by_hand.result().model, rows.take(held))
    assert len(found) == 3


def test_folds_of_a_table_with_times_look_ahead_only_whatever_its_order(folder: Path) -> None:
    """A target that grows with time: learnt from all of it, each fold would be foretold well."""
    order = np.random.default_rng(0).permutation(240)
    (folder / "days.csv").write_text("day,x,y\n" + "\n".join(f"{at},{at * 7 % 11},{at}.5" for at in order))
    data = {"target": "y", "timeColumn": "day", "features": ["day", "x"], "task": "regression"}

    result = fitted(folder, dataset="days.csv", data=data, epochs=5, folds=3, quality={"allow": ["leakage"]})

    folds = reported(result).folds
    assert folds is not None
    assert [(fold.rows_train, fold.rows_validation) for fold in folds] == [(48, 48), (96, 48), (144, 48)]
    assert all(fold.metrics["r2"] < 0.5 for fold in folds)


@pytest.mark.parametrize("looks", [3, 12, 22, 26, 31])
def test_a_run_stopped_in_its_search_folds_or_descent_ends_as_the_undisturbed_one(looks: int) -> None:
    settings: dict[str, Any] = {
        "dataset": "iris", "epochs": 5, "folds": 2, "batchSize": 8,
        "search": {"trials": 4, "parameters": {"learningRate": {"low": 0.01, "high": 0.5}}},
    }  # fmt: skip
    callback = Recorder(lambda count: count == looks)
    with pytest.raises(Stopped):
        fitted(callback=callback, **settings)

    resumed = fitted(progress=callback.progress, **settings)

    calm = fitted(**settings)
    assert resumed.model == calm.model
    assert resumed.description == calm.description


def test_rows_left_out_are_counted_in_progress_report_and_description(tmp_path: Path) -> None:
    lines = (f"{at * 7 % 11},{'' if at % 5 == 0 else f'{at}.5'}" for at in range(60))
    (tmp_path / "a.csv").write_text("x,y\n" + "\n".join(lines))
    callback = Recorder()

    result = fitted(
        tmp_path, callback=callback, dataset="a.csv", data={"target": "y", "dropMissingTarget": True}, epochs=1
    )

    assert "leaving out 12 rows without a target" in callback.messages
    assert write_description(result.description)["rows"] == {"train": 38, "heldOut": 10, "leftOut": 12}
    data = reported(result).data
    assert data is not None
    assert data.rows_left_out == 12


def test_all_settings_that_do_not_fit_the_task_of_the_data_are_told_before_the_first_step(folder: Path) -> None:
    """Each was once found alone, and only after the training. For a file, the settings do not say the task."""
    callback = Recorder()
    settings = houses(folder, data={"target": "price"}, gates={"metrics": {"accuracy": {"minimum": 0.9}}})
    settings |= {"earlyStopping": {"metric": "f1"}, "compress": {"metric": "auroc"}, "classWeights": "balanced"}
    settings["search"] = {"metric": "accuracy", "parameters": {"learningRate": {"low": 0.1, "high": 0.5}}}

    with pytest.raises(ModelError) as raised:
        fitted(folder, callback=callback, **settings)

    assert callback.phases == ["data"]
    for said in (
        "gates.metrics has 'accuracy', but houses.csv is a regression; allowed: loss, mse, mae, r2; or set data.task",
        "earlyStopping.metric is 'f1'", "search.metric is 'accuracy'", "compress.metric is 'auroc'", "classWeights is",
    ):  # fmt: skip
        assert said in raised.value.message


@pytest.mark.parametrize("asked", [{"earlyStopping": {"metric": "auroc"}}, {"compress": {"metric": "auroc"}},
    {"gates": {"metrics": {"auroc": {"minimum": 0.5}}}}, {"gates": {"noWorseThanDeployed": "auroc"}}])  # fmt: skip
def test_auroc_is_refused_before_the_first_step_where_a_class_has_no_row_to_measure_it_on(
    tmp_path: Path, asked: dict[str, Any]
) -> None:
    part = ("train", "train", "validation", "test")
    lines = (f"{at}.5,{part[at % 4]},{'ab'[at % 2] if at % 4 < 2 else 'a'}" for at in range(80))
    (tmp_path / "a.csv").write_text("x,part,y\n" + "\n".join(lines))
    callback = Recorder()

    with pytest.raises(ModelError, match="names auroc, which needs a row of each class: 1 of 2 classes has no"):
        fitted(
            tmp_path,
            callback=callback,
            dataset="a.csv",
            data={"target": "y", "split": {"column": "part"}},
            epochs=1,
            **asked,
        )
    assert callback.phases == ["data"]


def test_a_column_named_as_the_model_s_output_is_refused_before_anything_is_learnt(tmp_path: Path) -> None:
    lines = (f"{at * 7 % 11},{'uv'[at % 2]},{at}.5" for at in range(30))
    (tmp_path / "a.csv").write_text("x,prediction,y\n" + "\n".join(lines))
    callback = Recorder()

    with pytest.raises(DataError, match="the column name 'prediction' is reserved"):
        fitted(tmp_path, callback=callback, dataset="a.csv", data={"target": "y"}, epochs=1)
    assert callback.phases == ["data"]


MODELS = """
from torch import nn

class Unused(nn.Sequential):
    def __init__(self, features, outputs):
        super().__init__(nn.Linear(features, outputs))
        self.apart = [nn.Linear(3, 3)]
        self.register_parameter("spare", self.apart[0].weight)

class Normalised(nn.Sequential):
    def __init__(self, features, outputs):
        super().__init__(nn.Linear(features, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, outputs))
"""


@pytest.fixture
def nets(tmp_path: Path) -> Path:
    (tmp_path / f"nets_{tmp_path.name}.py").write_text(MODELS)
    return tmp_path


def test_parameters_without_a_part_in_the_answer_are_refused_and_may_be_frozen(nets: Path) -> None:
    settings: dict[str, Any] = {"dataset": "iris", "epochs": 1, "model": f"nets_{nets.name}:Unused"}

    with pytest.raises(ModelError, match="parameters that its answer does not depend on") as raised:
        fitted(nets, **settings)
    assert "freeze" in raised.value.hint
    assert fitted(nets, **settings, freeze=["spare"]).outcome["epochs_run"] == 1


def test_a_batch_of_one_row_that_a_network_normalises_over_is_said(nets: Path) -> None:
    settings: dict[str, Any] = {"dataset": "iris", "epochs": 1, "model": f"nets_{nets.name}:Normalised"}

    with pytest.raises(ModelError, match="a batch has a single row") as raised:
        fitted(nets, **settings, batchSize=7)
    assert "batchSize, 7" in raised.value.hint
    assert fitted(nets, **settings, batchSize=8).outcome["epochs_run"] == 1


def test_a_network_of_quantities_on_ids_is_told_what_whole_numbers_are(tmp_path: Path) -> None:
    np.savez(tmp_path / "ids.npz", x=np.arange(80).reshape(20, 4), y=np.arange(20) % 2)

    with pytest.raises(ModelError) as raised:
        fitted(tmp_path, dataset="ids.npz", epochs=1)
    assert "floating-point numbers" in raised.value.hint


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (
            True,
            r"accuracy is 0\.\d+, minimum 0\.9999\n  all metrics of the held-out rows: accuracy 0.+ f1 0",
        ),
        (False, r"accuracy misses its minimum [^\d]+$"),
    ],
)
def test_a_gate_that_fails_names_its_metric_and_where_metrics_are_shown_all_of_them(shown: bool, said: str) -> None:
    result = fitted(dataset="digits", epochs=1, gates={"metrics": {"accuracy": {"minimum": 0.9999}}})

    with pytest.raises(GateError) as raised:
        gates.enforce(judged(result).gates, result.outcome["metrics"], shown=shown)
    assert re.search(said, raised.value.message)
    assert raised.value.hint == "the deployed model stays; change the settings of the run or its gates"
    with pytest.raises(GateError) as raised:
        gates.enforce(judged(result).gates, result.outcome["metrics"], shown=shown, for_stack=False)
    assert raised.value.hint == "change the settings of the run or its gates"
    (gate,) = reported(result).gates or ()
    assert not gate.passed


def test_a_model_worse_than_the_deployed_one_is_refused_within_the_tolerance() -> None:
    job = job_of(Path(), dataset="iris", epochs=1, gates={"noWorseThanDeployed": "accuracy", "tolerance": 0.01})
    inputs = Inputs(Path(), KEY, provenance=PROVENANCE)

    result = fit(job, inputs, Progress(), Recorder())

    (gate,) = judged(result, {"accuracy": 1.0}).gates
    assert (gate.name, gate.passed) == ("accuracy, no worse than deployed", False)


def test_compression_is_in_the_report_and_in_the_bytes() -> None:
    settings: dict[str, Any] = {
        "dataset": "digits",
        "model": "mlp",
        "modelArguments": {"hidden": [256]},
        "epochs": 3,
    }
    plain = fitted(**settings)
    small = fitted(**settings, compress={"method": "dynamicInt8", "maximumLoss": 0.05})

    compression = reported(small).compression
    assert compression is not None
    assert compression.accepted
    assert (compression.bytes_before, compression.bytes_after) == (len(plain.model), len(small.model))
    assert len(small.model) < 0.4 * len(plain.model)
    assert small.outcome["model_bytes"] == len(small.model)
    assert small.outcome["metrics"] == pytest.approx(dict(compression.metrics_after))


def test_privacy_tells_what_it_spent_and_keeps_what_would_tell_of_rows_to_itself() -> None:
    features = [
        "alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids",
        "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280/od315_of_diluted_wines", "proline",
    ]  # fmt: skip
    result = fitted(
        dataset="wine",
        epochs=5,
        privacy={"epsilon": 8.0, "delta": 1e-5},
        quality={"ranges": {name: [0, 2000] for name in features}},
    )

    assert 7 < result.outcome["epsilon"] <= 8
    assert result.outcome["delta"] == 1e-5
    written = write_description(result.description)
    assert [written.get(name) for name in ("inputReference", "inputBins", "inputRange")] == [{}, {}, None]
    report = reported(result)
    assert report.privacy is not None
    assert report.data is not None
    assert report.data.columns == ()


def test_freezing_leaves_a_layer_as_another_model_had_it() -> None:
    first = fitted(dataset="iris", epochs=3)
    job = job_of(Path(), dataset="iris", epochs=3, seed=9, freeze=["hidden"],
                 initFrom={"artifactId": "0" * 32, "payloadDigest": "0" * 64})  # fmt: skip

    second = fit(job, Inputs(Path(), KEY, init=first.model, provenance=PROVENANCE), Progress(), Recorder())

    def weights(result: FitResult, name: str) -> Any:
        graph = onnx.ModelProto.FromString(result.model).graph
        return next(numpy_helper.to_array(one) for one in graph.initializer if one.name == name)

    assert np.array_equal(weights(first, "net.hidden.weight"), weights(second, "net.hidden.weight"))
    assert not np.array_equal(weights(first, "net.output.weight"), weights(second, "net.output.weight"))


def test_a_safetensors_file_of_another_framework_s_making_is_where_training_starts(folder: Path) -> None:
    """Nothing is trained of it: so the sealed weights are the file's own."""
    own = np.random.default_rng(0)
    first = {
        f"module.{name}": own.normal(size=shape).astype(np.float32)
        for name, shape in (("0.weight", (7, 4)), ("0.bias", (7,)), ("2.weight", (1, 7)), ("2.bias", (1,)))
    }
    safetensors.numpy.save_file(first, folder / "first.safetensors")
    settings = houses(folder, model=f"nets_{folder.name}:Wide", modelArguments={"width": 7}, freeze=["0."], epochs=1,
                      initFrom={"path": "first.safetensors"})  # fmt: skip
    init = (folder / "first.safetensors").read_bytes()

    result = fit(
        job_of(folder, **settings), Inputs(folder, KEY, init=init, provenance=PROVENANCE), Progress(), Recorder()
    )

    graph = onnx.ModelProto.FromString(result.model).graph
    sealed = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    assert np.array_equal(sealed["net.0.weight"], first["module.0.weight"])
    assert not np.array_equal(sealed["net.2.weight"], first["module.2.weight"])


def test_starting_from_another_architecture_is_refused_with_what_differs() -> None:
    other = fitted(dataset="iris", model="mlp", modelArguments={"hidden": [5]}, epochs=1)
    job = job_of(Path(), dataset="iris", initFrom={"artifactId": "0" * 32, "payloadDigest": "0" * 64})

    with pytest.raises(ModelError, match=r"another architecture: .*hidden\.weight is missing from it"):
        fit(job, Inputs(Path(), KEY, init=other.model, provenance=PROVENANCE), Progress(), Recorder())


def test_a_head_for_other_classes_starts_afresh_on_a_body_that_is_taken_over() -> None:
    first = fitted(dataset="wine", model="mlp", modelArguments={"hidden": [8]}, epochs=3,
                   data={"features": ["alcohol", "ash", "hue", "proline"]})  # fmt: skip
    settings: dict[str, Any] = {
        "dataset": "diabetes", "data": {"features": ["age", "bmi", "bp", "s1"]}, "model": "mlp", "epochs": 1,
        "modelArguments": {"hidden": [8]}, "freeze": ["hidden"],
    }  # fmt: skip

    def second(**init: Any) -> FitResult:
        whole = {"artifactId": "0" * 32, "payloadDigest": "0" * 64, **init}
        job = job_of(Path(), **settings, initFrom=whole)
        return fit(job, Inputs(Path(), KEY, init=first.model, provenance=PROVENANCE), Progress(), Recorder())

    with pytest.raises(ModelError, match=r"(?s)output\.weight is .*, not .*leaveOut names what may differ"):
        second()
    with pytest.raises(ModelError, match="leaveOut has 'ouput', but no parameter's name begins with it"):
        second(leaveOut=["output", "ouput"])
    hidden = [
        next(numpy_helper.to_array(one) for one in onnx.ModelProto.FromString(result.model).graph.initializer
             if one.name == "net.hidden.0.weight")
        for result in (first, second(leaveOut=["output"]))
    ]  # fmt: skip
    assert np.array_equal(hidden[0], hidden[1])


def test_a_model_trained_elsewhere_is_measured_gated_and_described_as_any_other(tmp_path: Path) -> None:
    elsewhere = fitted(dataset="iris", epochs=60, learningRate=0.1)
    (tmp_path / "theirs.onnx").write_bytes(elsewhere.model)
    settings: dict[str, Any] = {"source": "onnx", "model": "theirs.onnx", "dataset": "iris"}
    callback = Recorder()

    result = fitted(tmp_path, callback=callback, **settings)

    assert "train" not in callback.phases
    assert result.outcome["metrics"] == pytest.approx(elsewhere.outcome["metrics"])
    assert (result.outcome["epochs_run"], result.outcome["stop_reason"]) == (0, "trainedElsewhere")
    assert write_description(result.description)["output"] == write_description(elsewhere.description)["output"]
    answer = onnxruntime.InferenceSession(result.model).run(None, {"input": np.array(
        result.outcome["example"]["inputs"], np.float32)})[0]  # fmt: skip
    assert np.allclose(answer, result.outcome["example"]["expected"], rtol=1e-5)
    assert reported(result).curves is None
    asked: dict[str, Any] = {"gates": {"metrics": {"accuracy": {"minimum": 1.0}}}, "data": {"heldOut": 0.9}, "seed": 4}
    assert not judged(fitted(tmp_path, **settings, **asked)).passed


def test_classes_of_few_rows_that_are_all_held_out_do_not_break_the_metrics(tmp_path: Path) -> None:
    lines = [f"{at},{'rare' if at == 3 else 'ab'[at % 2]}" for at in range(40)]
    (tmp_path / "a.csv").write_text("x,y\n" + "\n".join(lines))

    result = fitted(tmp_path, dataset="a.csv", data={"target": "y"}, epochs=2)

    assert set(result.outcome["metrics"]) >= {"accuracy", "loss"}


def test_copies_of_rows_on_both_sides_of_the_split_stop_the_run(tmp_path: Path) -> None:
    lines = [f"{at % 10},{at % 7},{(at % 10) * 1.5 + at % 7}" for at in range(350)]
    (tmp_path / "a.csv").write_text("x,z,y\n" + "\n".join(lines))

    with pytest.raises(DataError, match=r"leakage: .* held-out rows .* are also among the training rows"):
        fitted(tmp_path, dataset="a.csv", data={"target": "y", "task": "regression"}, epochs=1)


def test_a_streamed_file_trains_as_well_as_one_in_memory(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    own = np.random.default_rng(0)
    x = own.normal(size=(4000, 3))
    columns = {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": x @ [1.0, -2.0, 0.5] + 0.1 * own.normal(size=4000)}
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "rows.parquet", row_group_size=400)

    result = fitted(tmp_path, dataset="rows.parquet", data={"target": "y", "memoryBytes": 60_000}, epochs=5)

    assert result.outcome["metrics"]["r2"] > 0.95
    again = fitted(tmp_path, dataset="rows.parquet", data={"target": "y", "memoryBytes": 60_000}, epochs=5)
    assert again.model == result.model


def test_a_url_of_a_model_is_read_through_fsspec(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://models/a.onnx", "wb") as stream:
        stream.write(b"content")

    assert read("memory://models/a.onnx", tmp_path, 100) == b"content"
    with pytest.raises(DataError, match="exceeds the limit of 3 bytes"):
        read("memory://models/a.onnx", tmp_path, 3)


def test_nothing_in_the_description_is_beyond_json() -> None:
    result = fitted(dataset="wine", epochs=1)

    written = write_description(result.description)
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    assert io.BytesIO(result.model).read(1) != b""
    assert torch.get_num_threads() == 1


def test_folds_search_and_compression_come_to_a_line_each_with_scores_for_those_who_may_see_them() -> None:
    result = fitted(
        dataset="iris", epochs=3, folds=3, model="mlp", modelArguments={"hidden": [64]},
        search={"trials": 2, "metric": "loss", "parameters": {"batchSize": {"choices": [8, 16]}}},
        compress={"method": "dynamicInt8", "maximumLoss": 1.0}, modelCard={"ethicalConsiderations": "None known."},
    )  # fmt: skip

    search, cross_validation, compression = list_highlights(result, shown=True)

    assert re.fullmatch(r"search: trial [12] of 2 is the best, loss [\d.]+, with batchSize (8|16)", search)
    assert re.match(r"cross-validation, 3 folds: accuracy [\d.]+ ± [\d.]+, loss ", cross_validation)
    assert re.match(r"compression by dynamicInt8: .+ → .+, accuracy [\d.]+ → [\d.]+", compression)
    assert result.trained.compressed is not None
    undone = dataclasses.replace(result.trained.compressed, objection="the model did not get smaller")
    trained = dataclasses.replace(result.trained, compressed=undone)
    *_, last = list_highlights(dataclasses.replace(result, trained=trained), shown=False)
    assert re.fullmatch(r"compression by dynamicInt8: .+ → .+; undone, since the model did not get smaller", last)
    hidden = " ".join(list_highlights(result, shown=False))
    assert "accuracy" not in hidden
    assert "loss" not in hidden
    card = reported(result).card
    assert card is not None
    assert card.ethical_considerations == "None known."
