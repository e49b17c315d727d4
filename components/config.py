"""The stack's config: where the model is served (`target`), and five objects, `store`, `training`, `image`,
`deployment` and `container`. Each object is passed whole to its component.

The settings are declared beside each component. This module reads them once and reports all problems at once. `parse`
is pure; `read_config` is the edge to Pulumi.
"""

import json
import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

import pulumi
import yaml
from pulumi.runtime import config as runtime_config

from components.args import (
    ContainerSection,
    DeploymentSection,
    EncryptedArtifactStoreArgs,
    ImageSection,
    TrainingSection,
)
from components.sections import SECTIONS
from components.settings.run import URL_INPUTS, TrainingSettings, holds_credentials, holds_url
from sealift.settings.declare import declarations
from sealift.settings.problem import Problem, report
from sealift.settings.read import names_of, numbers_read, read
from sealift.settings.urls import without_credentials

Target = Literal["kubernetes", "docker"]

TARGET: Final = "target"
TARGETS: Final = get_args(Target)
SERVED: Final = ("deployment", "container")
"""Sections with the settings for serving, on Kubernetes and with a Docker engine."""
SHOWN: Final = 32  # with this exit code the language host knows that the error was already shown
RENAMED: Final = {"storeUrl": "store.url"}
"""Keys of Sealift 0.1 (one key per setting) that have another name now."""
SET_UP: Final = {"registry": "SEALIFT_REGISTRY", "baseImage": "SEALIFT_BASE_IMAGE", "wheels": "SEALIFT_WHEELS"}
"""Settings of an image, and the environment variables in which set-up passes its findings."""
HINT: Final = (
    "to change a setting: `pulumi config set --path SECTION.SETTING VALUE`; docs/reference/configuration.md lists the "
    "settings"
)


@dataclass(frozen=True)
class StackConfig:
    """One stack's config, checked: the sections as they were given, completed by what set-up found."""

    target: Target
    store: EncryptedArtifactStoreArgs
    training: TrainingSection
    image: ImageSection
    deployment: DeploymentSection
    container: ContainerSection

    @property
    def served(self) -> DeploymentSection | ContainerSection:
        """The section of the target."""
        return self.container if self.target == "docker" else self.deployment


def config_or_exit(config: pulumi.Config) -> StackConfig:
    """Like read_config, but reports the problems and exits. If a RunError reaches the official language host, it adds a
    line about an unhandled error.
    """
    try:
        return read_config(config)
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        sys.exit(SHOWN)


def read_config(config: pulumi.Config) -> StackConfig:
    """Reads the stack's config. Raises pulumi.RunError with all problems; the CLI shows it without a traceback."""
    prefix = config.full_key("")
    stored: Mapping[str, Any] = runtime_config.get_config_env() | runtime_config.CONFIG.get()
    values = {key.removeprefix(prefix): value for key, value in stored.items() if key.startswith(prefix)}
    project = _project_sections(prefix)
    unused = find_unused_section(values, project)
    if unused is not None:
        pulumi.log.warn(unused)
    values |= {name: merge(own, _object(values.get(name) or {})) for name, own in project.items()}
    secret = [key for key in values if runtime_config.is_config_secret(prefix + key)]
    problems = [*_secret_problems(values, secret)]
    if problems:  # first, so that no message quotes a value that should stay hidden
        raise pulumi.RunError(report("the stack's config cannot be used", problems))
    parsed, problems = parse(values, os.environ, Path.cwd())
    if parsed is None:
        hint = "" if all(one.hint for one in problems) else HINT
        raise pulumi.RunError(report("the stack's config cannot be used", problems, hint))
    for section, name, value in (*_secrets_in(values), *_urls_in(values)):
        if section not in secret and not holds_credentials(value):
            continue
        getattr(parsed, section)[name] = pulumi.Output.secret(value)
    return parsed


def find_unused_section(values: Mapping[str, Any], project: Mapping[str, Any]) -> str | None:
    """Returns a warning if the stack sets the section of the other target. Settings of the project's file are for all
    stacks, so they cause no warning.
    """
    target = values.get(TARGET, TARGETS[0])
    if target not in TARGETS:
        return None
    used, other = SERVED if target == TARGETS[0] else reversed(SERVED)
    given = _object(values.get(other) or {})
    if not given or given == project.get(other):
        return None
    return (
        f"the settings in {other} have no effect: {TARGET} is {target!r}, which uses the settings in {used}; "
        f"set them there (`pulumi config set --path {used}.SETTING VALUE`), or change {TARGET}"
    )


def merge(project: object, stack: object) -> object:
    """Merges the stack's values over the project's: maps key by key, other values whole. A null in the stack removes
    the project's value.
    """
    if not isinstance(project, Mapping) or not isinstance(stack, Mapping):
        return stack
    both = {key: merge(project[key], stack[key]) for key in project.keys() & stack.keys()}
    taken_away = {key for key, value in both.items() if value is None}
    return {key: value for key, value in {**project, **stack, **both}.items() if key not in taken_away}


def _project_sections(prefix: str) -> dict[str, Mapping[str, Any]]:
    """Reads the sections that the project's file sets for all stacks. Pulumi itself lets a stack's section replace the
    project's whole section.
    """
    try:
        found = yaml.safe_load((Path(pulumi.get_root_directory()) / "Pulumi.yaml").read_text())["config"]
        given = {key.removeprefix(prefix): entry for key, entry in found.items()}
        values = {name: _value(entry) for name, entry in given.items() if name in SECTIONS}
        return {name: value for name, value in values.items() if isinstance(value, Mapping)}
    except (OSError, TypeError, KeyError, AttributeError, yaml.YAMLError):
        return {}  # an inline program has no file, and the engine has reported a broken one


def _value(entry: object) -> object:
    """Returns an entry's value in Pulumi's form of a project file: `value` for all stacks, or `default`."""
    return entry.get("value", entry.get("default")) if isinstance(entry, Mapping) else None


def parse(
    values: Mapping[str, Any], environment: Mapping[str, str], folder: Path | None = None
) -> tuple[StackConfig | None, list[Problem]]:
    """Parses `values` by key. Objects may be JSON. A text of a number counts as a number where a number is expected,
    because `pulumi config set --path` writes 0.02 as text.

    `environment` contains set-up's findings. `folder` is the program's folder, in which data sets and the user's
    modules are searched.
    """
    problems = list(_strange_keys(values))
    given: dict[str, dict[str, Any]] = {}
    for name, of in SECTIONS.items():
        section = _object(values.get(name) or {})
        if not isinstance(section, Mapping):
            problems.append(Problem(name, f"is {section!r}; allowed: an object of settings"))
            section = {}
        given[name] = numbers_read(of, section)
    given["image"] = _find(environment) | given["image"]
    job, training_problems = TrainingSettings.validate(given["training"], folder, path="training.")
    name_of_model = _name_of(job.dataset) if job else "unknown"  # an invalid job is reported anyway
    for name in SERVED:
        given[name].setdefault("modelName", name_of_model)
    for name, of in SECTIONS.items():
        is_training = of is TrainingSettings
        problems += training_problems if is_training else read(of, given[name], name, path=f"{name}.")[1]
    target = values.get(TARGET, TARGETS[0])
    if target not in TARGETS:
        problems.append(Problem(TARGET, f"is {target!r}; allowed: {', '.join(TARGETS)}"))
    return (None if problems else StackConfig(target, **cast("Any", given))), problems


def _secrets_in(values: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    """Yields section, name and value of each given setting that is declared as a secret."""
    for section, of in SECTIONS.items():
        given = _object(values.get(section) or {})
        for one in declarations(of):
            if one.secret and isinstance(given, Mapping) and given.get(one.name) is not None:
                yield section, one.name, given[one.name]


def _urls_in(values: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    """Yields the same for each setting that is a URL, which may be a secret."""
    given = _object(values.get("training") or {})
    if not isinstance(given, Mapping):
        return
    for name in URL_INPUTS:
        if holds_url(given.get(name)):
            yield "training", name, given[name]


def _secret_problems(values: Mapping[str, Any], secret: Collection[str]) -> Iterator[Problem]:
    """Finds wrong secrets. The engine reports that a section contains a secret, but not which setting it is."""
    hidden = {section: name for section, name, _ in _secrets_in(values)}
    may_be_hidden = {section for section, _, _ in _urls_in(values)}
    for key in sorted({*secret} - hidden.keys() - may_be_hidden):
        message = (
            "is a secret, or contains one; allowed: plain text, because its values appear in names and objects; only "
            f"URLs in {', '.join(f'training.{name}' for name in URL_INPUTS)} may be secrets"
        )
        yield Problem(key, message, "set it again with --plaintext")
    for section in sorted(hidden.keys() - {*secret}):
        path = f"{section}.{hidden[section]}"
        yield Problem(path, "is stored as plain text", f"encrypt it: `pulumi config set --secret --path {path} < FILE`")


def _strange_keys(values: Mapping[str, Any]) -> Iterator[Problem]:
    # If two sections have the same name, the section of Sealift 0.1 comes first.
    found = {name: f"{section}.{name}" for section, of in reversed([*SECTIONS.items()]) for name in names_of(of)}
    places = found | RENAMED
    for key in sorted(values.keys() - SECTIONS.keys() - {TARGET}):
        if key in places:
            way = f"`pulumi config set --path {places[key]} VALUE`, then `pulumi config rm {key}`"
            yield Problem(key, f"has moved to {places[key]}", way)
        else:
            close = get_close_matches(key, [*SECTIONS, *places], n=1)
            meant = f"did you mean '{places.get(close[0], close[0])}'?" if close else f"allowed: {', '.join(SECTIONS)}"
            yield Problem(
                key, f"is not a section of this project's config; {meant}", f"`pulumi config rm {key}` removes it"
            )


def _find(environment: Mapping[str, str]) -> dict[str, Any]:
    found = {name: environment[variable] for name, variable in SET_UP.items() if environment.get(variable)}
    return {"baseImage": "", **found}  # no default exists, and the message for an empty value says how to get one


def _name_of(dataset: str) -> str:
    """Derives a model's name from the data set: the last part of a path, URL or reference, in allowed characters."""
    last = without_credentials(dataset).rstrip("…?#").rpartition(":")[2].rpartition("/")[2].partition(".")[0]
    return re.sub("[^a-z0-9]+", "-", last.lower()).strip("-")[:63] or "model"


def _object(value: object) -> object:
    """Parses a text as JSON. Returns other values, and text that is not JSON, unchanged."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
