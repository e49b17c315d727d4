"""Step: the language host and the docker and kubernetes plugins.

They are the official ones if the CLI has them or can install them. Each missing one is replaced by a stand-in
(airgap/plugins). The CLI prefers plugins on PATH to its own and ignores their versions. .tools/standins is therefore on
PATH only if it is not empty, and this step checks the versions of plugins on PATH and reports differences.
"""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

from bootstrap import content
from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.steps import engine
from bootstrap.system import network, programs

TITLE = "Pulumi plugins"


class Plugin(NamedTuple):
    """A plugin. `version` is the SDK's version in requirements.txt; a language host has the CLI's version. With a
    version below `least`, `up` fails after it has trained the model and built the image.
    """

    executable: str
    kind: str
    name: str
    version: str
    stand_in: str
    least: str = ""


PLUGINS = (
    Plugin("pulumi-language-python", "language", "python", "", "airgap.plugins.language_python"),
    Plugin(
        "pulumi-resource-docker", "resource", "docker", "5.2.0", "airgap.plugins.docker", least="5.2.0"
    ),  # uploads' owner
    Plugin("pulumi-resource-kubernetes", "resource", "kubernetes", "4.34.2", "airgap.plugins.kubernetes"),
)


def ensure(context: Context, step: Step) -> None:
    missing: list[Plugin] = []
    refused: list[Plugin] = []
    differing: list[str] = []
    for plugin in PLUGINS:
        path = _on_path(context, plugin.executable)
        if path is None:
            missing += [] if _cli_has(context, plugin) else [plugin]
            continue
        found, wanted = _version(context, plugin, path), plugin.version or _cli_version(context)
        if not _fits(plugin, found, wanted):
            refused.append(plugin)
            context.console.warn(
                f"{path} {_says(found)}; {_list_needed(plugin, wanted)}, so a stand-in is used instead"
            )
            context.console.warn(f"for the official plugin, remove {path} from PATH and run {_way(plugin, wanted)}")
        elif found != wanted:
            differing.append(f"{plugin.name} {found} instead of {wanted}")
            context.console.warn(f"{path} {_says(found)}; the stack was tested with {wanted}")
    if missing and network.reachable("plugins"):
        missing = [plugin for plugin in missing if not _install(context, step, plugin)]
    stood_in_for = [plugin for plugin in PLUGINS if plugin in missing or plugin in refused]
    write_stand_ins(context, {plugin.executable: plugin.stand_in for plugin in stood_in_for})
    context.learn(stand_ins=bool(stood_in_for))
    step.done("; ".join(_summary(stood_in_for, refused, differing)))


def _fits(plugin: Plugin, found: str | None, wanted: str) -> bool:
    numbers = _numbers(found or "")
    return bool(numbers) and numbers[0] == _numbers(wanted)[0] and numbers >= _numbers(plugin.least)


def _list_needed(plugin: Plugin, wanted: str) -> str:
    least = f"{plugin.least} or newer" if plugin.least else f"{wanted.partition('.')[0]}.x"
    return f"{plugin.name} {least} is needed"


def _way(plugin: Plugin, wanted: str) -> str:
    if plugin.kind == "language":
        return f"`make setup` with the Pulumi CLI {wanted}"
    return f"`pulumi plugin install {plugin.kind} {plugin.name} {wanted}`, then `make setup`"


def _numbers(version: str) -> list[int]:
    """Returns the numbers of the release, without parts after a hyphen or plus. Empty if the text is not a version."""
    release = re.match(r"\d+(?:\.\d+)*", version)
    return [int(number) for number in release[0].split(".")] if release else []


def _summary(stood_in_for: list[Plugin], refused: list[Plugin], differing: list[str]) -> list[str]:
    if not stood_in_for:
        return [f"official, {', '.join(differing)}" if differing else "official"]
    why = "the plugins on PATH do not fit" if stood_in_for == refused else "the official ones are not available here"
    return [f"stand-ins for {', '.join(plugin.name for plugin in stood_in_for)}: {why}", *differing]


def _says(version: str | None) -> str:
    return "does not answer as a plugin" if version is None else f"is version {version}"


def _on_path(context: Context, executable: str) -> str | None:
    """Returns the user's own plugin, which the CLI uses whatever its version."""
    ours = {str(context.layout.stand_ins), str(context.layout.bin)}
    path = ":".join(entry for entry in context.variables["PATH"].split(":") if entry not in ours)
    return shutil.which(executable, path=path)


def _version(context: Context, plugin: Plugin, path: str) -> str | None:
    argv = [str(context.layout.python), "-m", "bootstrap.steps.plugin_version", plugin.kind, path]
    folder = Path(__file__).resolve().parents[2]
    return programs.ask(argv, env=context.variables, cwd=folder, timeout_seconds=30) or None


def _cli_version(context: Context) -> str:
    """Returns the CLI's version, which is also the language host's: both are in one archive."""
    own = engine.on_path(context)
    return own[1].removeprefix("v") if own else engine.VERSION


def _cli_has(context: Context, plugin: Plugin) -> bool:
    if plugin.kind == "language":  # comes with the CLI's archive, never alone
        own = engine.on_path(context)
        beside_own = own is not None and Path(own[0]).resolve().with_name(plugin.executable).exists()
        return beside_own or (context.layout.bin / plugin.executable).exists()
    listed = json.loads(programs.ask(["pulumi", "plugin", "ls", "--json"], env=context.variables) or "[]")
    return any(
        one.get("name") == plugin.name and one.get("version", "").lstrip("v") == plugin.version for one in listed or []
    )


def _install(context: Context, step: Step, plugin: Plugin) -> bool:
    if plugin.kind == "language":
        return False
    argv = ["pulumi", "plugin", "install", plugin.kind, plugin.name, plugin.version]
    step.progress(" ".join(argv))
    return programs.ask(argv, env=context.variables, timeout_seconds=300) is not None


def write_stand_ins(context: Context, modules: dict[str, str]) -> None:
    """Writes exactly these executables to .tools/standins. Each runs its module with our Python, in the folder in which
    the engine starts it.
    """
    folder = context.layout.stand_ins
    folder.mkdir(parents=True, exist_ok=True)
    for stray in set(folder.iterdir()) - {folder / name for name in modules}:
        stray.unlink()
    root, python = shlex.quote(str(context.layout.root)), shlex.quote(str(context.layout.python))
    for name, module in modules.items():
        text = "\n".join(
            [
                "#!/bin/sh",
                f"# Stand-in for the official {name}, written by set-up because that one was not available.",
                f'PYTHONPATH={root}${{PYTHONPATH:+:$PYTHONPATH}} exec {python} -m {module} "$@"',
                "",
            ]
        )
        if not (folder / name).exists() or (folder / name).read_text() != text:
            content.write(folder / name, text, mode=0o755)
