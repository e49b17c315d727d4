"""The four examples: the same data for a seed, fit to learn from, and stacks that do what their README says."""

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from components.config import TARGET, parse
from components.sections import SECTIONS
from tests.unit.training.unwatched import Unwatched
from training.findings import beyond_limits
from training.fit import fit
from training.job import Job
from training.recipe.callback import Progress
from training.recipe.datasets.load import load
from training.recipe.make import Inputs

PROJECT_ROOT = Path(__file__).resolve().parents[2]
NAMES = ("vision", "language", "recommendation", "voice")
GENERATED = NAMES[1:]
every_example = pytest.mark.parametrize("name", NAMES)
OWN = {"training", "deployment"}
METRIC = {"recommendation": "mse"}


@cache
def project(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROJECT_ROOT / name / "Pulumi.yaml").read_text())
    return found


@cache
def values(name: str) -> dict[str, object]:
    """A stack's config where nothing is set, as the engine hands it to the program."""
    return {
        key: next(iter(one[kind] for kind in ("value", "default") if kind in one)) if isinstance(one, dict) else one
        for key, one in project(name)["config"].items()
    }


def job_of(name: str) -> Job:
    settings: Any = values(f"examples/{name}")["training"]
    job, problems = Job.validate(settings, PROJECT_ROOT)
    assert problems == []
    assert job is not None
    return job


def made(name: str, **arguments: int) -> dict[str, Any]:
    returned: dict[str, Any] = importlib.import_module(f"examples.{name}.data").load(**arguments)
    return returned


def readme(name: str) -> str:
    return " ".join((PROJECT_ROOT / "examples" / name / "README.md").read_text().split())


@every_example
def test_the_same_arguments_give_the_same_bytes(name: str) -> None:
    first, second = made(name), made(name)

    for key in ("features", "target"):
        assert first[key].tobytes() == second[key].tobytes()
    assert first.get("words") == second.get("words")


@pytest.mark.parametrize("name", GENERATED)
def test_another_seed_gives_other_rows_and_rows_says_how_many(name: str) -> None:
    first, second = made(name, rows=200, seed=1), made(name, rows=200, seed=2)

    assert len(first["features"]) == len(first["target"]) == len(second["features"]) == 200
    assert first["target"].tolist() != second["target"].tolist()


@pytest.mark.parametrize("name", GENERATED)
@pytest.mark.parametrize("rows", [-1, 0, 1, 1_000_000])
def test_a_number_of_rows_that_cannot_be_is_refused_with_what_can(name: str, rows: int) -> None:
    with pytest.raises(ValueError, match=rf"rows is {rows}; allowed: \d+ to \d+"):
        made(name, rows=rows)


@every_example
def test_it_passes_the_quality_checks_without_a_finding(name: str) -> None:
    dataset = load(job_of(name), PROJECT_ROOT, b"")

    assert beyond_limits(dataset.findings, job_of(name).quality) == ()
    assert dataset.task == ("regression" if name == "recommendation" else "classification")


@every_example
def test_the_readme_names_the_shape_that_a_request_has(name: str) -> None:
    dataset = load(job_of(name), PROJECT_ROOT, b"")

    assert f"[n, {', '.join(map(str, dataset.shape))}]" in readme(name)


def test_images_of_digits_are_those_that_scikit_learn_ships() -> None:
    images, by_name = made("vision"), load(Job(dataset="digits"), PROJECT_ROOT, b"")

    np.testing.assert_array_equal(images["features"].reshape(-1, 64), by_name.rows.first(2000)[0].numpy())
    np.testing.assert_array_equal(images["target"], by_name.rows.first(2000)[1].numpy())


def test_no_ticket_is_there_twice() -> None:
    ids = made("language")["features"]

    assert len(np.unique(ids, axis=0)) == len(ids)


def test_about_a_twentieth_of_the_tickets_have_a_team_that_is_drawn() -> None:
    tickets = made("language", rows=4000)
    of_teams = [
        tickets["target"][(tickets["features"] == tickets["words"].index(word)).any(1)]
        for word in ("courier", "profile")
    ]

    for team in of_teams:
        share = (team != np.bincount(team).argmax()).mean()
        assert 0 < share < 0.12  # 0.05 * 3/4 is expected


def test_a_pair_of_user_and_item_is_rated_once_in_half_stars() -> None:
    ratings = made("recommendation", rows=9600)

    assert len(np.unique(ratings["features"], axis=0)) == 9600
    assert set(np.unique(2 * ratings["target"])) <= set(range(1, 11))


def test_the_recommender_is_told_of_every_user_and_item() -> None:
    data = importlib.import_module("examples.recommendation.data")

    arguments = job_of("recommendation").model_arguments

    assert (arguments["users"], arguments["items"]) == (data.USERS, data.ITEMS)


def test_a_tone_is_loudest_in_the_mel_whose_triangle_it_is_in() -> None:
    data = importlib.import_module("examples.voice.data")
    hertz = np.array([300.0, 1000.0, 3000.0])
    tones = np.sin(2 * np.pi * hertz[:, np.newaxis] * np.arange(data.SAMPLES) / data.SAMPLE_HERTZ)
    mel, highest = (2595 * np.log10(1 + at / 700) for at in (hertz, data.SAMPLE_HERTZ / 2))

    features = data.log_mel(tones)

    assert features.shape == (3, 24, 38)
    loudest = features.mean(axis=2).argmax(axis=1)
    assert np.abs((loudest + 1) - mel / highest * (data.MELS + 1)).max() < 1


def test_a_made_vowel_has_its_strongest_low_harmonics_at_its_first_formant() -> None:
    data = importlib.import_module("examples.voice.data")
    pulses = np.zeros((5, data.SAMPLES))
    pulses[:, 0] = 1

    spectrum = np.abs(np.fft.rfft(data._filtered(pulses, data.FORMANTS_HERTZ[0].astype(float))))

    hertz = np.fft.rfftfreq(data.SAMPLES, 1 / data.SAMPLE_HERTZ)
    found = hertz[np.where((hertz > 150) & (hertz < 800), spectrum, 0).argmax(axis=1)]
    np.testing.assert_allclose(found, data.FORMANTS_HERTZ[0, :, 0], atol=60)


@every_example
def test_the_stack_s_config_is_one_that_the_program_takes(name: str) -> None:
    environment = {"SEALIFT_BASE_IMAGE": "python:3.12-slim"}

    config, problems = parse(values(f"examples/{name}"), environment, PROJECT_ROOT)

    assert problems == []
    assert config is not None
    assert config.deployment["modelName"] == name
    assert sorted(values(f"examples/{name}")) == sorted([*SECTIONS, TARGET])


@every_example
def test_the_stack_differs_from_the_root_s_only_in_what_is_its_own(name: str) -> None:
    root, example = values("."), values(f"examples/{name}")

    assert {key for key in root if root[key] != example.get(key)} <= OWN
    assert project(f"examples/{name}")["main"] == "../.."
    assert (
        project(f"examples/{name}")["runtime"]["options"]["virtualenv"]
        == f"../../{project('.')['runtime']['options']['virtualenv']}"
    )


@every_example
def test_the_readme_gives_the_stack_s_settings(name: str) -> None:
    stack, text = values(f"examples/{name}"), readme(name)

    (said,) = re.findall(r"training: ({dataset.*?})(?= \*\*| For| `)", text)
    assert yaml.safe_load(said) == stack["training"]


@every_example
def test_the_stack_s_run_ends_with_the_result_that_the_readme_gives(name: str) -> None:
    job = job_of(name)

    fitted = fit(job, Inputs(PROJECT_ROOT, b""), Progress(), Unwatched())

    (said,) = re.findall(r"(?:accuracy|mean squared error) is (\d\.\d+)", readme(name))
    metric = METRIC.get(name, "accuracy")
    assert fitted.outcome["metrics"][metric] == pytest.approx(float(said), abs=0.02)
