"""One Pulumi stack driven through the real command line, as a user would type it, with a backend of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from sealift.names import camel_case

PROJECT_ROOT: Final = Path(__file__).resolve().parents[1]
PASSPHRASE: Final = "correct horse battery staple"
SECONDS: Final = 300


@dataclass(frozen=True)
class Ran:
    """What one command printed and how it ended."""

    exit_code: int
    text: str

    def ok(self) -> "Ran":
        assert self.exit_code == 0, self.text
        return self

    def failed(self) -> "Ran":
        """The command failed as a tool should: with a message, without a traceback."""
        assert self.exit_code != 0, self.text
        assert "Traceback" not in self.text, self.text
        return self


@dataclass(frozen=True)
class Stack:
    """`folder` holds the program, `home` the backend and whatever else belongs to the test."""

    folder: Path
    name: str
    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(program: str, *, project: str, home: Path) -> "Stack":
        """A new stack of a program that uses no plugin of its own, below `home`."""
        folder = home / "program"
        folder.mkdir()
        (folder / "__main__.py").write_text(program)
        runtime = f"runtime: {{name: python, options: {{virtualenv: {Stack.virtualenv()}}}}}"
        (folder / "Pulumi.yaml").write_text(f"name: {project}\n{runtime}\n")
        made = Stack(folder, name="dev", home=home)
        made.init()
        return made

    @staticmethod
    def virtualenv() -> Path:
        """The environment that these tests run in."""
        return Path(sys.prefix)

    @property
    def full_environment(self) -> dict[str, str]:
        backend = self.home / "state"
        backend.mkdir(exist_ok=True)
        inherited = {name: value for name, value in os.environ.items() if name != "PULUMI_CONFIG_PASSPHRASE_FILE"}
        return inherited | {
            "PULUMI_BACKEND_URL": f"file://{backend}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "SEALIFT_PYTHON": sys.executable,
        } | self.environment  # fmt: skip

    def run(self, *arguments: str, umask: int = -1, seconds: int = SECONDS) -> Ran:
        """Runs `pulumi` with these arguments in the program's folder."""
        process = self.start(*arguments, umask=umask)
        text, _ = process.communicate(timeout=seconds)
        return Ran(process.returncode, text)

    def start(self, *arguments: str, umask: int = -1) -> "subprocess.Popen[str]":
        """Starts `pulumi` in a session of its own, so that a test can end it as a user or a power cut would."""
        return subprocess.Popen(
            ["pulumi", "--non-interactive", "--color", "never", *arguments],
            cwd=self.folder, env=self.full_environment, umask=umask, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip

    def init(self) -> None:
        self.run("stack", "init", self.name).ok()

    def set_config(self, path: str, value: object) -> None:
        """Writes one key, or one within it, into the stack's file: as `pulumi config set --path` does, and quicker."""
        file = self.folder / f"Pulumi.{self.name}.yaml"
        content = (yaml.safe_load(file.read_text()) if file.exists() else None) or {}
        project = yaml.safe_load((self.folder / "Pulumi.yaml").read_text())["name"]
        *outer, key = f"{project}:{path}".split(".")
        inner = content.setdefault("config", {})
        for name in outer:
            inner = inner.setdefault(name, {})
        inner[key] = value
        file.write_text(yaml.safe_dump(content))

    def set_run(self, **inputs: object) -> None:
        """Sets the training run's inputs, all of them."""
        self.set_config("run", {camel_case(name): value for name, value in inputs.items()})

    def up(self, *arguments: str) -> Ran:
        return self.run("up", "--yes", "--skip-preview", "--stack", self.name, *arguments)

    def preview(self, *arguments: str, umask: int = -1) -> Ran:
        return self.run("preview", "--stack", self.name, *arguments, umask=umask)

    def preview_steps(self) -> dict[str, dict[str, Any]]:
        """The preview's steps that change something, by resource type; the engine's own warnings may stand before the
        JSON.
        """
        text = self.preview("--json").ok().text
        steps = json.loads(text[text.index("{\n") :])["steps"]
        return {step["urn"].split("::")[2].split("$")[-1]: step for step in steps if step["op"] != "same"}

    def refresh(self) -> Ran:
        return self.run("refresh", "--yes", "--skip-preview", "--stack", self.name)

    def destroy(self) -> Ran:
        return self.run("destroy", "--yes", "--skip-preview", "--stack", self.name)

    def outputs(self, *, secrets: bool = False) -> dict[str, Any]:
        arguments = ["--show-secrets"] if secrets else []
        text = self.run("stack", "output", "--json", "--stack", self.name, *arguments).ok().text
        outputs: dict[str, Any] = json.loads(text[text.index("{") :])
        return outputs

    def exported(self) -> str:
        return self.run("stack", "export", "--stack", self.name).ok().text
