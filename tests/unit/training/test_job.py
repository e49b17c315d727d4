"""What can be a run, and what makes two runs the same: without torch."""

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealift.settings.declare import declarations
from training import job as training_job
from training import user_code
from training.errors import InputError
from training.job import Job
from training.options import (
    Compress,
    Compute,
    Data,
    EarlyStopping,
    Gate,
    Gates,
    InitFrom,
    Masking,
    ModelCard,
    Privacy,
    Quality,
    Schedule,
    Search,
)

PROJECT_ROOT = Path(__file__).resolve().parents[3]
NAN, INFINITY = float("nan"), float("inf")


def test_no_properties_are_the_defaults() -> None:
    job, problems = Job.validate({})

    assert problems == []
    assert job == Job()
    assert (job.dataset, job.model, job.learning_rate, job.epochs, job.batch_size) == ("diabetes", "net", 0.01, 100, 32)


def test_numbers_arrive_as_doubles_and_become_whole_where_they_must() -> None:
    job, _ = Job.validate({"epochs": 5.0, "batchSize": 8.0, "seed": 7.0, "learningRate": 1, "stopLoss": None})

    assert job == Job(epochs=5, batch_size=8, seed=7, learning_rate=1.0)
    assert job is not None
    assert isinstance(job.epochs, int)
    assert isinstance(job.learning_rate, float)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("dataset", "mnist", ["'mnist'", "diabetes", "digits", ".csv", "package.module:function"]),
        ("dataset", 3, ["is 3", "text"]),
        ("dataset", ["digits"], ["['digits']", "text"]),
        ("model", "resnet", ["'resnet'", "'net'"]),
        ("learningRate", 0, ["is 0;", "above 0"]),
        ("learningRate", -0.1, ["is -0.1;", "above 0"]),
        ("learningRate", NAN, ["is NaN;", "above 0"]),
        ("learningRate", INFINITY, ["is inf;", "at most 1,000,000"]),
        ("learningRate", 1e7, ["is 10000000;", "at most 1,000,000"]),
        ("learningRate", "abc", ["is 'abc';", "number"]),
        ("learningRate", "0.01", ["is '0.01';", "number"]),
        ("learningRate", True, ["is true;", "number"]),
        ("epochs", 0, ["is 0;", "whole number from 1"]),
        ("epochs", -1, ["is -1;", "whole number from 1"]),
        ("epochs", 1.5, ["is 1.5;", "whole number from 1"]),
        ("epochs", NAN, ["is NaN;", "whole number from 1"]),
        ("epochs", INFINITY, ["is inf;", "whole number from 1"]),
        ("epochs", 10**400, ["whole number from 1"]),
        ("batchSize", 0, ["is 0;", "whole number from 1"]),
        ("batchSize", "many", ["is 'many';", "whole number from 1"]),
        ("seed", -1, ["is -1;", "whole number from 0"]),
        ("seed", 2**53, ["whole number from 0 to 9,007,199,254,740,991"]),
        ("stopLoss", 0, ["is 0;", "above 0", "leave it out"]),
        ("stopLoss", NAN, ["is NaN;", "above 0"]),
        ("threads", 65, ["is 65;", "from 1 to 64"]),
        ("momentum", 1, ["is 1;", "from 0 to below 1"]),
        ("nesterov", True, ["needs a momentum"]),
        ("weightDecay", -1, ["is -1;", "from 0"]),
        ("gradientClip", 0, ["is 0;", "above 0"]),
        ("loss", "hinge", ["'hinge'", "'crossEntropy'"]),
        ("folds", 1, ["is 1;", "from 2 to 20"]),
        ("classWeights", "equal", ["'equal'", "'balanced' or an object of weights by class"]),
        ("classWeights", {}, ["'balanced' or an object of weights by class"]),
        ("classWeights", {"yes": 0}, ["{'yes': 0}", "number above 0"]),
        ("classWeights", {"yes": -1.5}, ["number above 0"]),
        ("classWeights", {"yes": "2"}, ["number above 0"]),
        ("accumulateSteps", -1, ["is -1;", "from 0 to 10,000"]),
        ("augment", "flip", ["'flip'", "package.module:name"]),
        ("modelArguments", [1], ["keyword arguments"]),
        ("schedule", "cosine", ["'cosine'", "object"]),
        ("dataset", "rows.csv", ["target"]),
        ("device", "tpu", ["'tpu'", "'cuda'"]),
        ("deterministic", "yes", ["'yes'", "true, false"]),
        ("optimizer", "adam", ["not a setting", "learningRate"]),
    ],
)
def test_a_value_that_cannot_be_is_named_with_what_is_allowed(name: str, value: object, words: list[str]) -> None:
    job, problems = Job.validate({name: value})

    assert job is None
    assert [problem.property for problem in problems] == ["data" if value == "rows.csv" else name]
    for word in words:
        assert word in problems[0].message


def test_all_problems_are_told_at_once_in_the_order_of_the_properties() -> None:
    wrong: dict[str, object] = {"stopLoss": "x", "seed": -1, "batchSize": 0, "epochs": 0}
    wrong |= {"learningRate": 0, "model": "x", "dataset": "x"}

    _, problems = Job.validate(wrong)

    named = [problem.property for problem in problems]
    assert named == ["dataset", "model", "learningRate", "epochs", "batchSize", "seed", "stopLoss"]


def test_a_long_value_is_cut_in_the_message() -> None:
    _, problems = Job.validate({"dataset": "x" * 100_000})

    assert len(problems[0].message) < 300


@pytest.mark.parametrize(
    ("name", "tried", "said"),
    [
        ("batchSize", {"low": 0.5, "high": 8}, ["0.5 for batchSize; allowed: a whole number from 1"]),
        ("batchSize", {"choices": [16, -3, "x"]}, ["-3 for batchSize; allowed", "'x' for batchSize; allowed"]),
        ("learningRate", {"low": 0, "high": 0.5}, ["0 for learningRate; allowed: a number above 0"]),
        ("momentum", {"low": 0.5, "high": 1}, ["1 for momentum; allowed: a number from 0 to below 1"]),
    ],
)
def test_a_search_tries_only_what_its_settings_can_be(name: str, tried: dict[str, object], said: list[str]) -> None:
    _, problems = Job.validate({"search": {"parameters": {name: tried}}})

    assert [problem.property for problem in problems] == ["search"] * len(said)
    for problem, words in zip(problems, said, strict=True):
        assert words in problem.message


def test_a_search_of_what_its_settings_can_be_is_fine() -> None:
    parameters = {
        "batchSize": {"low": 8, "high": 64}, "learningRate": {"choices": [0.1, 1]},
        "epochs": {"low": 1, "high": 5, "log": True}, "modelArguments.anything": {"choices": [-1, "x"]},
    }  # fmt: skip

    assert Job.validate({"search": {"parameters": parameters}})[1] == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
properties = st.sampled_from([*Job().properties(), "stopLoss", "other"])


@given(st.dictionaries(properties, json_values))
def test_any_input_gives_a_job_or_problems_and_a_valid_job_reads_back(raw: dict[str, Any]) -> None:
    job, problems = Job.validate(raw)

    assert (job is None) == bool(problems)
    if job is not None:
        assert Job.validate(json.loads(json.dumps(job.properties(), allow_nan=False))) == (job, [])


def test_every_part_of_a_run_s_identity_changes_its_digest() -> None:
    job = Job()
    changed: list[dict[str, Any]] = [
        {"dataset": "digits"}, {"model": "other"}, {"learning_rate": 0.02}, {"epochs": 99}, {"batch_size": 31},
        {"seed": 1}, {"stop_loss": 0.5}, {"threads": 2}, {"source": "onnx"}, {"data": Data(target="y")},
        {"model_arguments": {"hidden": 3}}, {"loss": "mae"}, {"momentum": 0.9}, {"nesterov": True},
        {"weight_decay": 0.1}, {"gradient_clip": 1.0}, {"schedule": Schedule("cosine")},
        {"early_stopping": EarlyStopping()}, {"init_from": InitFrom("a", "b")}, {"freeze": ("hidden",)},
        {"augment": "a:b"}, {"folds": 3}, {"search": Search()}, {"deterministic": False}, {"privacy": Privacy()},
        {"masking": {"name": Masking()}}, {"quality": Quality(schema={"a": "number"})},
        {"compress": Compress()}, {"compute": Compute(processes=2)}, {"device": "auto"}, {"precision": "bf16"},
        {"accumulate_steps": 2}, {"class_weights": "balanced"},
    ]  # fmt: skip
    digests = [replace(job, **change).digest("data", "code", "torch 1", "v3") for change in changed]
    digests += [job.digest("other", "code", "torch 1", "v3"), job.digest("data", "other", "torch 1", "v3")]
    digests += [job.digest("data", "code", "torch 2", "v3"), job.digest("data", "code", "torch 1", "v2")]
    digests += [job.digest("data", "code", "torch 1", "v3")]

    assert {name for change in changed for name in change} == vars(job).keys() - {"gates", "model_card", "model_path"}
    assert len(set(digests)) == len(digests)
    assert all(len(digest) == 64 for digest in digests)


@pytest.mark.parametrize(
    "change",
    [
        {"model_card": ModelCard(contact="ada@example.org")}, {"gates": Gates({"r2": Gate(minimum=0.4)})},
        {"gates": Gates(maximum_bytes=1)}, {"quality": Quality(maximum_missing=0.5)},
        {"quality": Quality(minimum_class_share=0.0)}, {"quality": Quality(allow=())}, {"model_path": "nets"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_asked_of_a_model_and_said_of_it_is_no_part_of_its_identity(change: dict[str, Any]) -> None:
    job = Job(quality=Quality(schema={"a": "number"}))
    if isinstance(quality := change.get("quality"), Quality):
        change = {"quality": replace(quality, schema={"a": "number"})}
    changed = replace(job, **change)

    assert changed.digest("data", "code", "torch 1", "v3") == job.digest("data", "code", "torch 1", "v3")
    assert changed.identity() == job.identity()
    assert changed.requirements() != job.requirements()


def settings_of(of: type[Any], path: str = "", shapes: bool = True) -> Iterator[tuple[str, bool]]:
    for one in declarations(of):
        inside = shapes and one.shapes
        if one.of is None:
            yield path + one.name, inside
        else:
            yield from settings_of(one.of, f"{path}{one.name}.", inside)


def test_of_every_setting_it_was_decided_whether_it_shapes_the_model() -> None:
    """A new one goes into one of the two lists, on purpose: in doubt it shapes."""
    decided = json.loads(Path(__file__).with_name("settings_that_shape.json").read_text())

    assert decided == {
        "shapes": [name for name, shapes in settings_of(Job) if shapes],
        "doesNotShape": [name for name, shapes in settings_of(Job) if not shapes],
    }


@dataclass(frozen=True)
class OtherDefault(Job):
    """A release in which a setting has another default."""

    precision: str = "bf16"


@dataclass(frozen=True)
class NewSetting(Job):
    """A release with a new setting, which is off."""

    sharpness_aware: bool = False


def test_another_default_is_another_run_and_a_new_setting_that_is_off_the_same() -> None:
    parts = ("data", "code", "torch 1", "v3")

    assert OtherDefault().digest(*parts) != Job().digest(*parts)
    assert OtherDefault(precision="fp32").digest(*parts) == Job().digest(*parts)
    assert NewSetting().digest(*parts) == Job().digest(*parts)
    assert NewSetting(sharpness_aware=True).digest(*parts) != Job().digest(*parts)


def test_accumulating_over_one_batch_is_the_run_that_accumulates_over_none() -> None:
    once, _ = Job.validate({"accumulateSteps": 1.0})

    assert once == Job()
    assert Job.validate({"accumulateSteps": 2, "privacy": {"epsilon": 8}})[1][0].property == "accumulateSteps"


@pytest.mark.parametrize(
    "more",
    [{"loss": "mae"}, {"data": {"task": "regression"}}, {"privacy": {"epsilon": 8}}, {"source": "onnx", "model": "m"}],
    ids=str,
)
def test_class_weights_are_refused_where_they_have_no_meaning(more: dict[str, object]) -> None:
    _, problems = Job.validate({"classWeights": "balanced", **more})

    assert "classWeights" in [problem.property for problem in problems]


def test_the_digest_of_a_run_is_what_it_was() -> None:
    """A new release must know the runs of the last one: change this only with the identity's definition."""
    assert Job().digest("d", "c", "l", "p") == "319eb4f9af0b0e974d5ae759db1a6ec8bacf57952180783cd2affc6c27d37d69"


def code_digest() -> str:
    return training_job.code_digest(Job(), PROJECT_ROOT)


def copy_of_the_package(folder: Path, umask: int) -> Path:
    previous = os.umask(umask)
    try:
        package = folder / "training"
        package.mkdir(parents=True)
        for module in sorted((PROJECT_ROOT / "training").rglob("*.py"), reverse=True):
            copy = package / module.relative_to(PROJECT_ROOT / "training")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(module, copy)
    finally:
        os.umask(previous)
    return package


def code_digest_in(folder: Path) -> str:
    program = "from pathlib import Path; from training.job import Job, code_digest; print(code_digest(Job(), Path()))"
    environment = {"PYTHONPATH": f"{folder}:{PROJECT_ROOT}"}  # settings, which training builds on, are found there
    ran = subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, check=True)
    return ran.stdout.decode().strip()


def test_the_code_digest_is_the_same_from_another_path_and_umask_and_changes_with_a_byte(
    tmp_path: Path,
) -> None:
    package = copy_of_the_package(tmp_path / "elsewhere" / "deeper", umask=0o077)
    assert code_digest_in(package.parent) == code_digest()

    edit(package / "recipe" / "sgd.py")
    assert code_digest_in(package.parent) != code_digest()


def edit(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\n")


@pytest.mark.parametrize(
    ("module", "shapes"),
    [
        ("recipe/sgd.py", True), ("recipe/models/net.py", True), ("recipe/datasets/encoding.py", True),
        ("recipe/evaluate.py", True), ("recipe/export.py", True), ("recipe/processor.py", True),
        ("errors.py", False), ("events.py", False), ("request.py", False), ("checkpoint.py", False),
        ("cancellation.py", False), ("run.py", False), ("options.py", False), ("report/page.py", False),
    ],
)  # fmt: skip
def test_an_edit_trains_anew_if_and_only_if_it_shapes_the_model(tmp_path: Path, module: str, shapes: bool) -> None:
    package = copy_of_the_package(tmp_path, umask=0o022)

    edit(package / module)

    assert (code_digest_in(tmp_path) != code_digest()) == shapes


def test_the_packages_that_a_module_is_in_are_counted(tmp_path: Path) -> None:
    """Python runs them when it imports the module."""
    inner = tmp_path / "mine" / "vision"
    inner.mkdir(parents=True)
    for file in (tmp_path / "mine" / "__init__.py", inner / "data.py"):
        file.write_text("def load(): ...\n")

    before = user_code.digest("mine.vision.data:load", [tmp_path])
    edit(tmp_path / "mine" / "__init__.py")

    assert user_code.digest("mine.vision.data:load", [tmp_path]) != before
    assert tmp_path / "mine" / "__init__.py" in user_code.files("mine.vision.data:load", [tmp_path])


def test_an_edit_of_the_user_s_code_changes_the_code_digest_and_an_edit_beside_it_does_not(tmp_path: Path) -> None:
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "mine.py").write_text("from . import layers\nimport json\nclass Net: ...\n")
    (tmp_path / "nets" / "layers.py").write_text("SIZE = 3\n")
    (tmp_path / "nets" / "other.py").write_text("")
    job = Job(model="nets.mine:Net")
    first = training_job.code_digest(job, tmp_path)

    (tmp_path / "nets" / "other.py").write_text("x = 1\n")
    assert training_job.code_digest(job, tmp_path) == first
    (tmp_path / "nets" / "layers.py").write_text("SIZE = 4\n")
    assert training_job.code_digest(job, tmp_path) != first


@pytest.mark.parametrize(
    ("path", "files"),
    [(None, ["models/mine.py", "layers.py"]), (None, ["mine.py", "models/layers.py"]), ("nets", ["nets/mine.py"])],
    ids=str,
)
def test_modules_are_of_the_folder_models_and_then_of_the_program_s_or_of_the_one_that_is_named(
    tmp_path: Path, path: str | None, files: list[str]
) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("import layers\nclass Net: ...\n" if "mine" in file else "SIZE = 3\n")
    job, problems = Job.validate({"model": "mine:Net", "modelPath": path}, tmp_path)
    assert job is not None, problems
    first = training_job.code_digest(job, tmp_path)

    (tmp_path / files[-1]).write_text("import layers\nclass Net:\n    size = 4\n")

    assert training_job.code_digest(job, tmp_path) != first


def test_where_a_module_lies_among_the_folders_does_not_change_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "mine.py").write_text("class Net: ...\n")
    first = training_job.code_digest(Job(model="mine:Net"), tmp_path)

    (tmp_path / "mine.py").rename(tmp_path / "models" / "mine.py")

    assert training_job.code_digest(Job(model="mine:Net"), tmp_path) == first


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"model": "mine:Net", "modelPath": "nets"},
            ["modelPath is 'nets'; the folder", "the module mine does not exist in nets/ or among"],
        ),
        (
            {"model": "there:Net", "modelPath": "stores"},
            ["does not exist in stores/ or", "; write it to stores/there.py,"],
        ),
        (
            {"model": "mine:Net"},
            ["model", "mine does not exist in models/, in the program's folder or among", "write it to models/mine.py"],
        ),
        ({"model": "there:Nothing"}, ["model", "does not define Nothing", "it defines Net, os"]),
        ({"model": "broken:Net"}, ["model", "broken.py is not valid Python"]),
        ({"model": "imports_broken:Net"}, ["model", "broken.py is not valid Python"]),
        ({"model": "components:Net"}, ["model", "module components ", "a package of Sealift", "rename it"]),
        ({"model": "sealift.mine:Net"}, ["model", "module sealift.mine ", "a package of Sealift", "rename it"]),
        ({"model": "torch:Net"}, ["model", "module torch ", "a library that training uses", "rename it"]),
        (
            {"augment": "random:Net"},
            ["augment", "module random ", "a module of Python's standard library", "rename it"],
        ),
        ({"dataset": "numpy:Net"}, ["dataset", "module numpy ", "a library that training uses", "rename it"]),
        ({"model": "uses:Net"}, ["model", "module numpy ", "a library that training uses", "rename it"]),
        ({"dataset": "rows.npz"}, ["dataset", "the file", "rows.npz does not exist"]),
        ({"dataset": "there:rows"}, ["dataset", "does not define rows"]),
        ({"source": "onnx", "model": "model.onnx"}, ["model", "path or URL of an ONNX file"]),
    ],
)
def test_what_is_not_there_is_said_before_anything_runs(
    tmp_path: Path, settings: dict[str, object], words: list[str]
) -> None:
    (tmp_path / "there.py").write_text("import os\nclass Net: ...\n")
    (tmp_path / "broken.py").write_text("class:\n")
    (tmp_path / "imports_broken.py").write_text("import broken\nclass Net: ...\n")
    (tmp_path / "uses.py").write_text("import numpy\nclass Net: ...\n")
    (tmp_path / "sealift").mkdir()
    (tmp_path / "stores").mkdir()
    for shadow in ("components", "sealift/mine", "torch", "random", "numpy"):
        (tmp_path / f"{shadow}.py").write_text("class Net: ...\n")

    _, problems = Job.validate(settings, tmp_path)

    said = " ".join(f"{problem.property} {problem.message}" for problem in problems)
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("init", "problems"),
    [
        ({}, {"initFrom.artifactId": "is missing", "initFrom.payloadDigest": "is missing"}),
        ({"artifactId": "0" * 32}, {"initFrom.payloadDigest": "is missing"}),
        ({"path": "there.safetensors"}, {}),
        ({"path": "s3://bucket/there.safetensors"}, {}),
        ({"path": "gone.safetensors"}, {"initFrom.path": "gone.safetensors does not exist"}),
        ({"path": "there.safetensors", "artifactId": "0" * 32}, {"initFrom.path": "cannot be combined"}),
        ({"path": "there.PT"}, {"initFrom.path": "pickle, which can run code"}),
        ({"path": "https://host/there.bin?raw=1"}, {"initFrom.path": "pickle, which can run code"}),
        ({"path": "there.onnx"}, {"initFrom.path": "must end in .safetensors"}),
    ],
    ids=str,
)
def test_weights_to_start_from_are_an_artifact_or_a_safetensors_file_that_is_there(
    tmp_path: Path, init: dict[str, str], problems: dict[str, str]
) -> None:
    (tmp_path / "there.safetensors").write_bytes(b"")
    (tmp_path / "there.PT").write_bytes(b"")
    (tmp_path / "there.onnx").write_bytes(b"")

    _, found = Job.validate({"initFrom": init}, tmp_path)

    said = {problem.property: problem for problem in found}
    assert said.keys() == problems.keys()
    for name, words in problems.items():
        assert words in said[name].message
        if "pickle" in words:
            assert "safetensors.torch.save_file" in said[name].hint


def test_the_weights_to_start_from_are_part_of_the_data_digest(tmp_path: Path) -> None:
    job = Job(init_from=InitFrom(path="first.safetensors"))
    digests = []
    for content in (b"one", b"two"):
        (tmp_path / "first.safetensors").write_bytes(content)
        digests.append(training_job.data_digest(job, tmp_path))

    assert len({*digests, training_job.data_digest(Job(), tmp_path)}) == 3


def test_data_digests_are_of_the_content(tmp_path: Path) -> None:
    digits = training_job.data_digest(Job(dataset="digits"), tmp_path)
    assert digits == training_job.data_digest(Job(dataset="digits"), PROJECT_ROOT)
    assert digits != training_job.data_digest(Job(), tmp_path)
    file = tmp_path / "rows.npz"
    file.write_bytes(b"one")
    first = training_job.data_digest(Job(dataset="rows.npz"), tmp_path)
    assert first == hashlib_of(b"one", file)

    file.write_bytes(b"two")
    assert training_job.data_digest(Job(dataset="rows.npz"), tmp_path) != first


def hashlib_of(content: bytes, file: Path) -> str:
    inner = hashlib.sha256(content).hexdigest()
    assert file.read_bytes() == content
    return hashlib.sha256(f"7:dataset,0:,64:{inner},".encode()).hexdigest()


def test_libraries_are_named_with_versions_and_none_if_one_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    found = training_job.libraries(Job())
    assert found is not None
    assert [part.split()[0] for part in found.split(", ")] == ["torch", "numpy", "scikit-learn", "onnx", "pyarrow"]

    monkeypatch.setattr(training_job, "NEEDED_LIBRARIES", ("torch", "no-such-library"))
    assert training_job.libraries(Job()) is None


def test_another_version_of_a_library_is_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that may give other bytes, and nothing that may not."""
    version = importlib.metadata.version

    def digest(other: str) -> str:
        monkeypatch.setattr(importlib.metadata, "version", lambda name: "99" if name == other else version(name))
        return Job().digest("data", "code", str(training_job.libraries(Job())), "v3")

    digests = [digest(name) for name in ("none", *training_job.SHAPING_LIBRARIES)]
    assert len(set(digests)) == 6
    assert digest("safetensors") == digests[0]


def test_what_the_plugin_imports_works_where_nothing_is_installed() -> None:
    """-S: only the standard library; and nothing of it loads the rest of the package."""
    program = """if True:
        import sys
        for name in ("torch", "numpy", "sklearn", "onnx", "safetensors", "cryptography"):
            sys.modules[name] = None
        from training import job
        loaded = sorted(name for name in sys.modules if name.startswith("training"))
        assert loaded == [
            "training", "training.errors", "training.job", "training.options", "training.raised", "training.recipe",
            "training.recipe.models", "training.recipe.processor", "training.sources", "training.tasks",
            "training.user_code", "training.weight_files",
        ], loaded
        assert job.Job.validate({"epochs": 0})[1][0].property == "epochs"
        assert job.libraries(job.Job()) is None
        from pathlib import Path
        print(job.code_digest(job.Job(), Path()))
    """
    ran = subprocess.run(
        [sys.executable, "-S", "-c", program], env={"PYTHONPATH": str(PROJECT_ROOT)}, capture_output=True, text=True
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == code_digest()


def test_an_edit_of_a_file_of_the_models_weights_is_another_run(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto

    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value="weights.bin")
    (tmp_path / "model.onnx").write_bytes(
        onnx.ModelProto(graph=onnx.GraphProto(initializer=[weight])).SerializeToString()
    )
    job = Job(dataset="iris", source="onnx", model="model.onnx")
    with pytest.raises(InputError, match=r"weights in 'weights.bin', which is not a file") as refused:
        training_job.data_digest(job, tmp_path)
    assert refused.value.property == "model"

    digests = set()
    for content in (b"12345678", b"12345679"):
        (tmp_path / "weights.bin").write_bytes(content)
        digests |= {training_job.data_digest(job, tmp_path)}
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"compute": {"kind": "job"}}, "compute.image is missing"),
        ({"compute": {"kind": "job", "image": "a", "gpus": 1}}, "compute.gpus is 1, and device is 'cpu'"),
        ({"compute": {"kind": "job", "image": "a"}, "device": "cuda"}, "compute.gpus is 0, and device is 'cuda'"),
        ({"compute": {"namespace": "team"}}, "compute.namespace is 'team'; it needs compute.kind 'job'"),
        ({"compute": {"kind": "job", "image": "a", "memory": "much"}}, "compute.memory is 'much'"),
        ({"compute": {"kind": "job", "image": "a"}, "dataset": "https://example.com/a.csv"}, "dataset is a URL"),
    ],
    ids=str,
)
def test_what_a_job_of_a_cluster_cannot_do_is_said(settings: dict[str, object], message: str) -> None:
    job, problems = Job.validate(settings)
    assert job is None
    assert any(message in str(problem) for problem in problems), problems


def test_the_place_is_not_part_of_a_run() -> None:
    here, _ = Job.validate({"compute": {"processes": 2}})
    there, problems = Job.validate(
        {"compute": {"processes": 2, "kind": "job", "image": "a", "cpu": "4", "processor": "x"}}
    )
    assert here is not None
    assert there is not None, problems
    assert here.digest("d", "c", "l", "p") == there.digest("d", "c", "l", "p")
