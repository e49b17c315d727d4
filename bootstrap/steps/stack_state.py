"""Step: the place of the stacks' state, and the passphrase that encrypts its secrets.

By default they are a folder of the checkout and a generated passphrase. Git ignores both. The passphrase is made once
and never replaced: without it the stacks' secrets, including the opening keys, are lost.
"""

import secrets

from bootstrap import content
from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.environment import PASSPHRASES
from bootstrap.layout import Layout
from bootstrap.system import programs

TITLE = "Stack state"
# pulumi writes the salt of a stack's passphrase into Pulumi.<stack>.yaml. The salt is useful only with that passphrase,
# and blocks everyone else ("incorrect passphrase"), so git does not see it. pulumi finds it again in the stack's state.
# A file with encrypted values keeps the salt, which belongs to them.
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
    # The filter that .gitattributes names. Without git, or outside a git checkout, it is not needed.
    programs.ask(["git", "-C", str(layout.root), "config", "--local", "filter.passphrase-salt.clean", SALT_FILTER])
    context.learn()
    step.done(f"{where}, passphrase from {key}")


def hide_salt(layout: Layout, stack: str) -> None:
    """Makes git read a stack's file again after pulumi has written a salt: because of its size, git would report it as
    changed. A file with other changes is left alone.
    """
    file = f"Pulumi.{stack}.yaml"
    git = ["git", "-C", str(layout.root)]
    if programs.ask([*git, "diff", "--exit-code", "--", file]) == "" and programs.ask([*git, "ls-files", "--", file]):
        programs.ask([*git, "add", "--", file])
