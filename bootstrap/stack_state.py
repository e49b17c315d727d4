"""Step: where the stacks' state lives, and the passphrase that encrypts its secrets.

A folder of the checkout and a generated passphrase, both out of git, unless the user has said otherwise. The
passphrase is made once and never replaced: without it the stacks' secrets, the opening keys among them, are lost.
"""

import os
import secrets

from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.environment import PASSPHRASES

TITLE = "Stack state"


def ensure(context: Context, step: Step) -> None:
    layout = context.layout
    layout.stack_state.parent.mkdir(mode=0o700, exist_ok=True)
    layout.stack_state.mkdir(mode=0o700, exist_ok=True)
    if not layout.passphrase.exists():
        draft = layout.passphrase.with_name(f".passphrase.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(layout.passphrase)
    where = context.set_by_user("PULUMI_BACKEND_URL") or ".sealift/state"
    key = next((name for name in PASSPHRASES if context.set_by_user(name)), ".sealift/passphrase")
    context.learn()
    step.done(f"{where}, passphrase from {key}")
