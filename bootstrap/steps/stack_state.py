"""Step: where the stacks' state lives, and the passphrase that encrypts its secrets.

A folder of the checkout and a generated passphrase, both out of git, unless the user has said otherwise. The
passphrase is made once and never replaced: without it the stacks' secrets, the opening keys among them, are lost.
"""

import secrets

from bootstrap import content
from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.environment import PASSPHRASES
from bootstrap.layout import Layout
from bootstrap.system import programs

TITLE = "Stack state"
# pulumi writes the salt of a stack's passphrase into Pulumi.<stack>.yaml. It is of use to those only who have that
# passphrase, and keeps out everybody else ("incorrect passphrase"), so git does not see it; pulumi finds it in the
# stack's state again. Beside encrypted values it stays: it belongs to them.
SALT_FILTER = (
    "awk '{lines[NR] = $0} /secure:/ {kept = 1} "
    "END {for (n = 1; n <= NR; n++) if (kept || lines[n] !~ /^encryptionsalt:/) print lines[n]}'"
)


def ensure(context: Context, step: Step) -> None:
    layout = context.layout
    layout.stack_state.parent.mkdir(mode=0o700, exist_ok=True)
    layout.stack_state.mkdir(mode=0o700, exist_ok=True)
    if not layout.passphrase.exists():
        content.write(layout.passphrase, secrets.token_urlsafe(32) + "\n", mode=0o600)
    where = context.set_by_user("PULUMI_BACKEND_URL") or ".sealift/state"
    key = next((name for name in PASSPHRASES if context.set_by_user(name)), ".sealift/passphrase")
    # What .gitattributes names; without git, or outside a checkout, there is nothing to keep clean.
    programs.ask(["git", "-C", str(layout.root), "config", "--local", "filter.passphrase-salt.clean", SALT_FILTER])
    context.learn()
    step.done(f"{where}, passphrase from {key}")


def hide_salt(layout: Layout, stack: str) -> None:
    """Has git look again at a stack's file that pulumi has just written a salt into: by its size alone git would call
    it changed. A file with other changes is left as it is.
    """
    file = f"Pulumi.{stack}.yaml"
    git = ["git", "-C", str(layout.root)]
    if programs.ask([*git, "diff", "--exit-code", "--", file]) == "" and programs.ask([*git, "ls-files", "--", file]):
        programs.ask([*git, "add", "--", file])
