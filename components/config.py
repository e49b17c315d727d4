"""The stack's config: where the model is served (`target`), and five objects, `store`, `training`, `image`,
`deployment` and `container`, each of which goes whole to its component.

What can stand in them is declared beside each component; here they are read once, and everything that is wrong is told
at once. `parse` is pure; `read_config` is the edge to Pulumi.
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
"""Sections that say how the model is served, on Kubernetes or by Docker."""
SHOWN: Final = 32  # the exit code that tells a language host that the user has read what is wrong
RENAMED: Final = {"storeUrl": "store.url"}
"""Keys of Sealift 0.1, which had one for each setting, that have another name now."""
SET_UP: Final = {"registry": "SEALIFT_REGISTRY", "baseImage": "SEALIFT_BASE_IMAGE", "wheels": "SEALIFT_WHEELS"}
"""Settings of an image, and the variables in which set-up leaves what it found."""
HINT: Final = "`pulumi config set --path SECTION.SETTING VALUE` changes one; docs/configuration.md describes them all"


@dataclass(frozen=True)
class StackConfig:
    """One stack's config, checked: the sections as they were given, with what stands in for what was not."""

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
    """As read_config, for a program's own use: says what is wrong and ends it. To a RunError that reaches the language
    host, the official one adds a line about an unhandled error.
    """
    try:
        return read_config(config)
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        sys.exit(SHOWN)


def read_config(config: pulumi.Config) -> StackConfig:
    """The stack's config. Raises pulumi.RunError, which the CLI shows without a traceback, with all that is wrong."""
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
    if problems:  # first, so that no message quotes what was meant to stay hidden
        raise pulumi.RunError(report("the stack's config cannot be used", problems))
    parsed, problems = parse(values, os.environ, Path.cwd())
    if parsed is None:
        raise pulumi.RunError(report("the stack's config cannot be used", problems, HINT))
    for section, name, value in (*_secrets_in(values), *_urls_in(values)):
        if section not in secret and not holds_credentials(value):
            continue
        getattr(parsed, section)[name] = pulumi.Output.secret(value)
    return parsed


def find_unused_section(values: Mapping[str, Any], project: Mapping[str, Any]) -> str | None:
    """What to say of settings that the stack gives to what does not serve; its project's own are for any stack."""
    target = values.get(TARGET, TARGETS[0])
    if target not in TARGETS:
        return None
    used, other = SERVED if target == TARGETS[0] else reversed(SERVED)
    given = _object(values.get(other) or {})
    if not given or given == project.get(other):
        return None
    return (
        f"{other} has settings, and none of them takes effect: {TARGET} is {target!r}, which is served as {used} says; "
        f"set them there (`pulumi config set --path {used}.SETTING VALUE`), or another {TARGET}"
    )


def merge(project: object, stack: object) -> object:
    """What a stack says, and where it says nothing, what its project does: maps go key by key, anything else whole. A
    null takes away what the project gives.
    """
    if not isinstance(project, Mapping) or not isinstance(stack, Mapping):
        return stack
    both = {key: merge(project[key], stack[key]) for key in project.keys() & stack.keys()}
    taken_away = {key for key, value in both.items() if value is None}
    return {key: value for key, value in {**project, **stack, **both}.items() if key not in taken_away}


def _project_sections(prefix: str) -> dict[str, Mapping[str, Any]]:
    """What the project's own file gives to all its stacks; Pulumi takes a stack's section for the whole one."""
    try:
        found = yaml.safe_load((Path(pulumi.get_root_directory()) / "Pulumi.yaml").read_text())["config"]
        given = {key.removeprefix(prefix): entry for key, entry in found.items()}
        values = {name: _value(entry) for name, entry in given.items() if name in SECTIONS}
        return {name: value for name, value in values.items() if isinstance(value, Mapping)}
    except (OSError, TypeError, KeyError, AttributeError, yaml.YAMLError):
        return {}  # an inline program has no file, and what is wrong with one the engine has told


def _value(entry: object) -> object:
    """As Pulumi has it in a project's file: a value of all stacks, or the default of one that says nothing."""
    return entry.get("value", entry.get("default")) if isinstance(entry, Mapping) else None


def parse(
    values: Mapping[str, Any], environment: Mapping[str, str], folder: Path | None = None
) -> tuple[StackConfig | None, list[Problem]]:
    """`values` by key, objects also as JSON, in which texts of numbers stand for numbers where one is meant: that is
    how `pulumi config set --path` writes 0.02.

    `environment` is where set-up leaves what it found; `folder` is the program's, where data sets and the user's
    modules are looked for.
    """
    problems = list(_strange_keys(values))
    given: dict[str, dict[str, Any]] = {}
    for name, of in SECTIONS.items():
        section = _object(values.get(name) or {})
        if not isinstance(section, Mapping):
            problems.append(Problem(name, f"is {section!r}; it must be an object of settings"))
            section = {}
        given[name] = numbers_read(of, section)
    given["image"] = _find(environment) | given["image"]
    job, training_problems = TrainingSettings.validate(given["training"], folder, path="training.")
    name_of_model = _name_of(job.dataset) if job else "unknown"  # a wrong job is told anyway
    for name in SERVED:
        given[name].setdefault("modelName", name_of_model)
    for name, of in SECTIONS.items():
        is_training = of is TrainingSettings
        problems += training_problems if is_training else read(of, given[name], f"`{name}`", path=f"{name}.")[1]
    target = values.get(TARGET, TARGETS[0])
    if target not in TARGETS:
        problems.append(Problem(TARGET, f"is {target!r}; allowed: {', '.join(TARGETS)}"))
    return (None if problems else StackConfig(target, **cast("Any", given))), problems


def _secrets_in(values: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    """Section, name and value of each setting that is given and is a secret by its declaration."""
    for section, of in SECTIONS.items():
        given = _object(values.get(section) or {})
        for one in declarations(of):
            if one.secret and isinstance(given, Mapping) and given.get(one.name) is not None:
                yield section, one.name, given[one.name]


def _urls_in(values: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    """The same of each setting that is a URL, and so may be a secret."""
    given = _object(values.get("training") or {})
    if not isinstance(given, Mapping):
        return
    for name in URL_INPUTS:
        if holds_url(given.get(name)):
            yield "training", name, given[name]


def _secret_problems(values: Mapping[str, Any], secret: Collection[str]) -> Iterator[Problem]:
    """The engine tells that something inside a section is a secret, and not what."""
    hidden = {section: name for section, name, _ in _secrets_in(values)}
    may_be_hidden = {section for section, _, _ in _urls_in(values)}
    for key in sorted({*secret} - hidden.keys() - may_be_hidden):
        message = (
            "is set as a secret, or has one inside; allowed: plain text, since it shows in names and objects, and URLs "
            f"as secrets in {', '.join(f'training.{name}' for name in URL_INPUTS)}"
        )
        yield Problem(key, message, "set it again with --plaintext")
    for section in sorted(hidden.keys() - {*secret}):
        path = f"{section}.{hidden[section]}"
        yield Problem(path, "is kept in the clear", f"`pulumi config set --secret --path {path} < FILE` encrypts it")


def _strange_keys(values: Mapping[str, Any]) -> Iterator[Problem]:
    # Of a name that two sections have, the one that Sealift 0.1 knew stands first.
    found = {name: f"{section}.{name}" for section, of in reversed([*SECTIONS.items()]) for name in names_of(of)}
    places = found | RENAMED
    for key in sorted(values.keys() - SECTIONS.keys() - {TARGET}):
        if key in places:
            way = f"`pulumi config set --path {places[key]} VALUE`, then `pulumi config rm {key}`"
            yield Problem(key, f"has moved, to {places[key]}", way)
        else:
            close = get_close_matches(key, [*SECTIONS, *places], n=1)
            meant = f"did you mean '{places.get(close[0], close[0])}'?" if close else f"allowed: {', '.join(SECTIONS)}"
            yield Problem(key, f"is not a key of this project; {meant}", f"`pulumi config rm {key}` removes it")


def _find(environment: Mapping[str, str]) -> dict[str, Any]:
    found = {name: environment[variable] for name, variable in SET_UP.items() if environment.get(variable)}
    return {"baseImage": "", **found}  # there is no default, and the empty one's message says how to get one


def _name_of(dataset: str) -> str:
    """A model's name after its data set's: what a path, URL or reference ends in, in letters that a name may have."""
    last = without_credentials(dataset).rstrip("…?#").rpartition(":")[2].rpartition("/")[2].partition(".")[0]
    return re.sub("[^a-z0-9]+", "-", last.lower()).strip("-")[:63] or "model"


def _object(value: object) -> object:
    """JSON of an object as that object; anything else as it is."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
