"""Step before the tests: the language host for programs in YAML. It is the one on PATH, which is part of the official
CLI, otherwise one built from its Go module (airgap/yaml).
"""

import shutil

from bootstrap import go_program
from bootstrap.console import Step
from bootstrap.context import Context

TITLE = "YAML language host"
NAME = "pulumi-language-yaml"
PACKAGE = f"github.com/pulumi/pulumi-yaml/cmd/{NAME}"


def ensure(context: Context, step: Step) -> None:
    ours = str(context.layout.bin)
    rest = ":".join(entry for entry in context.user.get("PATH", "").split(":") if entry != ours)
    if found := shutil.which(NAME, path=rest):
        step.done(found)
        return
    module = context.layout.root / "airgap" / "yaml"
    go_program.build(context, TITLE, module=module, package=PACKAGE, name=NAME, progress=step.progress)
    step.done("built from its Go module")
