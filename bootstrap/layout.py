"""Paths of a checkout. Everything that set-up installs is under .tools/, the stack's own state under .sealift/. Git
ignores both.

/run/sealift contains only sockets and files that must not outlive the machine's boot: a socket's path has at most 107
bytes, which a deep checkout exceeds.
"""

from dataclasses import dataclass
from pathlib import Path

RUN = Path("/run/sealift")


@dataclass(frozen=True)
class Layout:
    """Paths of one checkout, all absolute."""

    root: Path
    lender: Path | None = None
    """Checkout whose tools this one uses (worktree.py)."""

    @property
    def tools(self) -> Path:
        return (self.lender or self.root) / ".tools"

    @property
    def bin(self) -> Path:
        return self.tools / "bin"

    @property
    def venv(self) -> Path:
        return self.tools / "venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def stand_ins(self) -> Path:
        """Folder of the stand-ins. They start this checkout's code, so they are never borrowed."""
        return self.tools / "standins" if self.lender is None else self.root / ".sealift" / "standins"

    @property
    def logs(self) -> Path:
        """Logs of programs that a step ran to their end."""
        return self.tools / "log"

    @property
    def run(self) -> Path:
        """Process records and logs of background programs."""
        return self.tools / "run"

    @property
    def stamps(self) -> Path:
        return self.tools / "stamps"

    @property
    def cluster(self) -> Path:
        return self.tools / "cluster"

    @property
    def docker(self) -> Path:
        return self.tools / "docker"

    @property
    def registry(self) -> Path:
        return self.tools / "registry"

    @property
    def object_store(self) -> Path:
        """Key and objects of the server that STORE=s3 starts."""
        return self.tools / "object-store"

    @property
    def kubeconfig(self) -> Path:
        return self.tools / "kubeconfig"

    @property
    def environment(self) -> Path:
        return self.tools / "environment"

    @property
    def activate(self) -> Path:
        return self.tools / "activate"

    @property
    def stack_state(self) -> Path:
        return self.root / ".sealift" / "state"

    @property
    def passphrase(self) -> Path:
        return self.root / ".sealift" / "passphrase"
