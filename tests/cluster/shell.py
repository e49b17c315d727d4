"""A checkout with a stack in it, and a shell there, as a reader of the documents has them."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.cluster.cluster import post
from tests.stack import Stack
from tests.typed_commands import Step

SECONDS: Final = 300
READY_SECONDS: Final = 60
MAKE_UP: Final = """
from pathlib import Path
from bootstrap import environment
from bootstrap.commands import up
from bootstrap.console import Console
from bootstrap.context import Context
from bootstrap.layout import Layout
layout = Layout(Path.cwd())
raise SystemExit(up.run(Context(layout, Console(), facts=environment.load(layout)), "dev"))
"""
"""What `make up` does after set-up."""
UNSEEN: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
REWRITTEN: Final = re.compile(r"\r+(?=\x1b\[K)")


@dataclass(frozen=True)
class Shell:
    """`folder` is the checkout; whatever else belongs to the reader is below `home`."""

    folder: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """Nobody is there to confirm, and a preview before each update would only take longer."""
        answers = {"PULUMI_SKIP_CONFIRMATIONS": "true", "PULUMI_OPTION_SKIP_PREVIEW": "true"}
        return Stack(self.folder, "dev", self.home).full_environment | answers | {"HOME": str(self.home)}

    def borrow_tools(self) -> None:
        """Set-up's own folder, where it is what the tests run in: for `source .tools/activate` and `make report`."""
        tools = Path(sys.prefix).parent
        if (tools / "activate").is_file():
            (self.folder / ".tools").symlink_to(tools)

    def type(self, line: str, *, fails: bool = False) -> str:
        """What it printed."""
        ran = subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env=self.environment, timeout=SECONDS, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
        assert (ran.returncode != 0) == fails, f"{line}\n{ran.stdout}"
        assert "Traceback" not in ran.stdout, ran.stdout
        return ran.stdout

    def take(self, step: Step, line: str) -> None:
        """Types one line of a document, and looks at what its step says."""
        for before in step.before:
            self.type(before)
        for placeholder, own in step.put.items():
            line = line.replace(placeholder, own)
        said = self.type(step.instead or line, fails=step.fails)
        said += self.type(step.then) if step.then else ""
        assert [one for one in step.says if one not in said] == [], f"{line}\n{said}"
        assert [one for one in step.without if one in said] == [], f"{line}\n{said}"
        if step.makes:
            assert (self.folder / step.makes).stat().st_size > 0, line
        if step.answers:
            self.ask_a_row()

    def make_up(self, *, on_a_terminal: bool) -> str:
        """What `make up` prints once the machine is set up."""
        argv = [sys.executable, "-c", MAKE_UP]
        if not on_a_terminal:
            ran = subprocess.run(
                argv, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
            )
            assert ran.returncode == 0, ran.stdout + ran.stderr
            return ran.stdout
        return self._on_a_terminal(argv)

    def _on_a_terminal(self, argv: Sequence[str]) -> str:
        ours, theirs = pty.openpty()  # of no size, so that pulumi writes lines and draws no tree
        with subprocess.Popen(
            argv, cwd=self.folder, env=self.environment, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
        ) as process:  # fmt: skip
            os.close(theirs)
            said = b""
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError:  # the last one has closed it
                    break
                if not part:
                    break
                said += part
        os.close(ours)
        text = UNSEEN.sub("", REWRITTEN.sub("\n", said.decode(errors="replace"))).replace("\r", "")
        assert process.returncode == 0, text
        return text

    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            self.type("pulumi stack output --json --show-secrets --stack dev 2>/dev/null")
        )
        return found

    def ask_a_row(self) -> None:
        """The example gets the answer that training recorded; for a moment a pod that ends may still be asked."""
        outputs = self.outputs()
        url = f"{outputs['url']}/v2/models/{outputs['modelName']}/infer"
        latest = time.monotonic() + READY_SECONDS
        while True:
            try:
                status, answer = post(url, outputs["example"]["request"], outputs["apiKeys"]["default"])
            except OSError as error:
                status, answer = 0, str(error)
            if status == 200:
                break
            assert time.monotonic() < latest, (status, answer)
            time.sleep(0.5)
        expected = outputs["example"]["expected"][0]
        assert max(abs(one - other) for one, other in zip(answer["outputs"][0]["data"], expected, strict=True)) <= (
            1e-4 * max(map(abs, expected))
        )

    def destroy(self) -> None:
        """All its stacks at once: each waits for pods that end."""
        folders = [self.folder, *(path.parent for path in self.folder.glob("examples/*/Pulumi.dev.yaml"))]
        ends = [
            subprocess.Popen(
                [str(shutil.which("pulumi")), "-C", str(folder), "destroy", "--stack", "dev"],
                cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )
            for folder in folders
        ]  # fmt: skip
        said = [(process.communicate(timeout=SECONDS)[0], process.returncode) for process in ends]
        assert [text for text, code in said if code] == []
