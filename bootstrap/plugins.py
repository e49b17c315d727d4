"""Step: the language host and the docker and kubernetes plugins.

The official ones if the CLI has them or can install them; else our stand-ins (airgap/plugins), one by one where
missing. The CLI prefers PATH to its own plugins and ignores versions there, so .tools/standins is on PATH only if
something is in it.
"""

import json
import shlex
import shutil
from pathlib import Path

from bootstrap import content, engine, network, programs
from bootstrap.console import Step
from bootstrap.context import Context

TITLE = "Pulumi plugins"
# Executable, kind, name, version (that of the SDK in requirements.txt), and the stand-in's module.
PLUGINS = (
    ("pulumi-language-python", "language", "python", "", "airgap.plugins.language_python"),
    ("pulumi-resource-docker", "resource", "docker", "5.2.0", "airgap.plugins.docker"),
    ("pulumi-resource-kubernetes", "resource", "kubernetes", "4.34.2", "airgap.plugins.kubernetes"),
)


def ensure(context: Context, step: Step) -> None:
    missing = [plugin for plugin in PLUGINS if not _is_official(context, *plugin[:4])]
    if missing and network.reachable("plugins"):
        missing = [plugin for plugin in missing if not _install(context, step, *plugin[1:4])]
    write_stand_ins(context, {executable: module for executable, _, _, _, module in missing})
    context.learn(stand_ins=bool(missing))
    if missing:
        step.done(
            f"stand-ins for {', '.join(name for _, _, name, _, _ in missing)}: the official ones cannot be had here"
        )
    else:
        step.done("official")


def _is_official(context: Context, executable: str, kind: str, name: str, version: str) -> bool:
    stand_ins = str(context.layout.stand_ins)
    path = ":".join(entry for entry in context.variables["PATH"].split(":") if entry != stand_ins)
    if shutil.which(executable, path=path):
        return True
    if kind == "language":  # comes with the CLI's archive, never alone
        own = engine.on_path(context)
        return own is not None and Path(own[0]).resolve().with_name(executable).exists()
    listed = json.loads(programs.ask(["pulumi", "plugin", "ls", "--json"], env=context.variables) or "[]")
    return any(
        plugin.get("name") == name and plugin.get("version", "").lstrip("v") == version for plugin in listed or []
    )


def _install(context: Context, step: Step, kind: str, name: str, version: str) -> bool:
    if kind == "language":
        return False
    step.progress(f"pulumi plugin install {kind} {name} {version}")
    argv = ["pulumi", "plugin", "install", kind, name, version]
    return programs.ask(argv, env=context.variables, timeout_seconds=300) is not None


def write_stand_ins(context: Context, modules: dict[str, str]) -> None:
    """Exactly these executables in .tools/standins: each runs its module with our Python, in the folder where the
    engine starts it.
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
                f"# Stand-in for the official {name}: written by set-up, which could not get that one.",
                f'PYTHONPATH={root}${{PYTHONPATH:+:$PYTHONPATH}} exec {python} -m {module} "$@"',
                "",
            ]
        )
        if not (folder / name).exists() or (folder / name).read_text() != text:
            content.write(folder / name, text, mode=0o755)
