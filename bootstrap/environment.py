"""The environment variables of the stack, the tests and a user's shell, and .tools/activate, which sets them.

Steps record facts in .tools/environment (JSON). The activate file and the environment of started programs follow from
them by the same rules: the user's own values win, and PATH only gets more entries.
"""

import json
import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bootstrap import content
from bootstrap.layout import Layout

# Every variable that set-up may set.
MANAGED = (
    "PULUMI_BACKEND_URL",
    "PULUMI_CONFIG_PASSPHRASE_FILE",
    "PULUMI_SKIP_UPDATE_CHECK",
    "PULUMI_HOME",
    "KUBECONFIG",
    "DOCKER_HOST",
    "SEALIFT_BASE_IMAGE",
    "SEALIFT_REGISTRY",
    "SEALIFT_WHEELS",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
)
PASSPHRASES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
# Variables that choose an AWS account, region or endpoint. If the user has set one of them, set-up sets none: half of
# the user's choice and half of ours would send data to the wrong place.
AWS_CHOICES = (
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)
GROUPS = (PASSPHRASES, AWS_CHOICES)
"""Variables that one choice of the user keeps out together."""
MARK = "SEALIFT_SET_"


@dataclass(frozen=True)
class Facts:
    """Facts that set-up found. An empty string leaves the variable as it is."""

    base_image: str = ""
    registry: str = ""
    wheels: str = ""
    docker_host: str = ""
    kubeconfig: str = ""
    pulumi_home: str = ""
    object_store: str = ""
    """Endpoint of the S3 server that STORE=s3 starts."""
    stand_ins: bool = False


def load(layout: Layout) -> Facts:
    """Reads the facts of the last set-up. They are empty before the first."""
    try:
        raw = json.loads(layout.environment.read_text())
    except (FileNotFoundError, ValueError):
        return Facts()
    if not isinstance(raw, dict):
        return Facts()
    known = Facts.__dataclass_fields__
    return Facts(**{name: value for name, value in raw.items() if name in known})


def save(layout: Layout, facts: Facts) -> None:
    """Saves the facts and writes the activate file."""
    content.write(layout.environment, json.dumps(facts.__dict__, indent=2, sort_keys=True) + "\n")
    content.write(layout.activate, activate_text(layout, facts))


def path_entries(layout: Layout, facts: Facts) -> list[str]:
    """Returns the entries before the user's PATH. Stand-ins only if needed: the CLI prefers PATH to its own plugins."""
    entries = [str(layout.venv / "bin"), str(layout.bin)]
    if facts.stand_ins:
        entries.append(str(layout.stand_ins))
    return entries


def defaults(layout: Layout, facts: Facts) -> dict[str, str]:
    """Returns the variables that are set unless the user has set them."""
    values = {
        "PULUMI_BACKEND_URL": layout.stack_state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(layout.passphrase),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_HOME": facts.pulumi_home,
        "KUBECONFIG": facts.kubeconfig,
        "DOCKER_HOST": facts.docker_host,
        "SEALIFT_BASE_IMAGE": facts.base_image,
        "SEALIFT_REGISTRY": facts.registry,
        "SEALIFT_WHEELS": facts.wheels,
        "AWS_SHARED_CREDENTIALS_FILE": str(layout.object_store / "credentials") if facts.object_store else "",
        "AWS_CONFIG_FILE": str(layout.object_store / "config") if facts.object_store else "",
    }
    return {name: value for name, value in values.items() if value}


def variables(layout: Layout, facts: Facts, user: Mapping[str, str] | None = None) -> dict[str, str]:
    """Returns the whole environment of a started program. `user` is the environment of this process."""
    user = os.environ if user is None else user
    result = dict(user)
    for mark in [name for name in user if name.startswith(MARK)]:
        if user[mark] == user.get(mark.removeprefix(MARK)):  # set by an earlier set-up, so it may be outdated
            del result[mark.removeprefix(MARK)]
        del result[mark]
    for name, value in defaults(layout, facts).items():
        if not _users_own(name, user):
            result[name] = value
            result[_mark(name)] = value
    ours = path_entries(layout, facts)
    rest = [entry for entry in user.get("PATH", os.defpath).split(os.pathsep) if entry not in ours]
    result["PATH"] = os.pathsep.join([*ours, *rest])
    result["VIRTUAL_ENV"] = str(layout.venv)
    result.pop("PYTHONHOME", None)
    return result


def _users_own(name: str, user: Mapping[str, str]) -> bool:
    """Whether the user chose this value. A value with a mark comes from an activate file, maybe another checkout's."""
    together = next((group for group in GROUPS if name in group), (name,))
    return bool(set_by_user(together, user))


def set_by_user(names: Iterable[str], user: Mapping[str, str]) -> list[str]:
    """Returns those of the variables that have a value of the user's own."""
    return [name for name in names if user.get(name) and user[name] != user.get(_mark(name))]


def _mark(name: str) -> str:
    return MARK + name


def activate_text(layout: Layout, facts: Facts) -> str:
    """Returns the activate file, for `source` in sh, bash, dash or zsh: the rules of `variables` in shell."""
    return ACTIVATE.format(
        variables="\n".join(
            f"_sealift_default {name} {shlex.quote(defaults(layout, facts).get(name, ''))}" for name in MANAGED
        ),
        path="\n".join(f"_sealift_path {shlex.quote(entry)}" for entry in reversed(path_entries(layout, facts))),
        venv=shlex.quote(str(layout.venv)),
        aws_choices=" ".join(AWS_CHOICES),
    )


# A value that set-up sets has a mark, so that the next activation, of this or another checkout, can tell it from the
# user's own value.
ACTIVATE = """\
# Written by set-up. `source` it to use pulumi, sealift, pytest and kubectl in this shell. Your own variables are kept.
_sealift_default() {{  # NAME VALUE: sets the variable, or unsets it for an empty value, unless the user set it
    case "$1" in AWS_*)
        for _sealift_other in {aws_choices}; do
            eval "_sealift_now=\\${{$_sealift_other-}} _sealift_mark=\\${{SEALIFT_SET_$_sealift_other-}}"
            if [ -z "$_sealift_now" ] || [ "$_sealift_now" = "$_sealift_mark" ]; then continue; fi
            if [ "$1" = AWS_CONFIG_FILE ] && [ -n "$2" ]; then
                echo "$_sealift_other is set, so pulumi cannot reach the store of 'make up STORE=s3'" >&2
            fi
            set -- "$1" ""
        done ;;
    esac
    eval "_sealift_now=\\${{$1-}} _sealift_mark=\\${{SEALIFT_SET_$1-}}"
    if [ -n "$_sealift_now" ] && [ "$_sealift_now" != "$_sealift_mark" ]; then return; fi
    if [ "$1" = PULUMI_CONFIG_PASSPHRASE_FILE ] && [ -n "${{PULUMI_CONFIG_PASSPHRASE-}}" ]; then return; fi
    unset "$1" "SEALIFT_SET_$1"
    if [ -n "$2" ]; then export "$1=$2" "SEALIFT_SET_$1=$2"; fi
}}
_sealift_path() {{  # ENTRY: puts the entry first in PATH, once
    case ":$PATH:" in *":$1:"*) ;; *) PATH="$1:$PATH" ;; esac
}}
{variables}
{path}
export PATH VIRTUAL_ENV={venv}
unset PYTHONHOME _sealift_now _sealift_mark _sealift_other
unset -f _sealift_default _sealift_path
"""
