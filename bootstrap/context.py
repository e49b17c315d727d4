"""Context of every step: paths, the console, the user's environment, and the facts found so far."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bootstrap import environment
from bootstrap.console import Console, Step
from bootstrap.environment import Facts
from bootstrap.layout import Layout
from bootstrap.system.daemon import Daemons


@dataclass
class Context:
    """Context of the steps. They change only `facts`, through `learn`."""

    layout: Layout
    console: Console
    user: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    facts: Facts = field(default_factory=Facts)

    @property
    def daemons(self) -> Daemons:
        return Daemons(self.layout)

    @property
    def daemon_variables(self) -> dict[str, str]:
        """Environment of background programs: PATH, proxies and the like, but no secret of the user's shell."""
        wanted = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
        return {name: value for name, value in self.user.items() if name in wanted or name.lower().endswith("_proxy")}

    @property
    def variables(self) -> dict[str, str]:
        """Environment of programs, from the facts found so far."""
        return environment.variables(self.layout, self.facts, self.user)

    def set_by_user(self, name: str) -> str:
        """Returns the user's value of a variable, "" if it is not set or if set-up has set it."""
        value = self.user.get(name, "")
        return "" if value == self.user.get(f"SEALIFT_SET_{name}") else value

    def learn(self, **facts: Any) -> None:
        """Adds to the facts and saves them at once, so that a set-up that fails later still leaves a usable activate
        file.
        """
        self.facts = dataclasses.replace(self.facts, **facts)
        environment.save(self.layout, self.facts)


__all__ = ["Context", "Step"]
