"""A second git worktree uses what set-up has installed in the first one, for chores that install nothing: test, faults,
check, docs. Its sources, stand-ins and stacks' state are its own.

A worktree with a .tools of its own borrows nothing; `make setup` there makes one. What is borrowed is never changed
from here: where it does not fit, the message says who has to set up.
"""

from pathlib import Path

from bootstrap import content, environment
from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.layout import Layout
from bootstrap.steps import plugins, python_environment
from bootstrap.system import programs

OWN = "make setup here: tools of this worktree's own"


def with_python(context: Context) -> Context:
    """The context of a chore that needs the Python environment only: borrowed, or made here where it is not there."""
    if found := borrow(context):
        return found
    with context.console.step(python_environment.TITLE) as step:
        python_environment.ensure(context, step)
    return context


def borrow(context: Context) -> Context | None:
    """The context with the first worktree's tools; None where this checkout has its own, or is the first. Raises
    BootstrapError if the first has none or they do not fit.
    """
    root = context.layout.root
    lender = None if context.layout.tools.exists() else first(root)
    if lender is None:
        return None
    layout = Layout(root, lender)
    _require_fitting_python(layout, lender)
    found = Context(layout, context.console, context.user, environment.load(layout))
    if found.facts.stand_ins:
        _write_stand_ins(found, Layout(lender).stand_ins)
    context.console.note(f"this worktree has no tools of its own: those of {lender} are used")
    return found


def first(root: Path) -> Path | None:
    """The worktree that `git clone` made, if `root` is another one of it."""
    asked = ["rev-parse", "--show-toplevel", "--git-dir", "--git-common-dir"]
    answer = (programs.ask(["git", "-C", str(root), *asked]) or "").splitlines()
    if len(answer) != len(asked) - 1:  # no git, or no checkout of it
        return None
    top, own, common = ((root / line).resolve() for line in answer)
    return common.parent if top == root.resolve() and own != common and common.name == ".git" else None


def _require_fitting_python(layout: Layout, lender: Path) -> None:
    stamp, lock = python_environment.stamp_of(layout), layout.root / "requirements.lock"
    if not stamp.exists() or not layout.python.exists():
        raise BootstrapError(
            f"nothing is set up, neither in this worktree nor in the first one, {lender}",
            [f"make setup in {lender}: its worktrees use what it has", OWN],
        )
    flavour = python_environment.remembered_flavour(layout).read_text().strip()
    if content.has_stamp(stamp, python_environment.key(layout, lock, flavour)):
        return
    theirs = lender / "requirements.lock"
    if theirs.exists() and theirs.read_bytes() == lock.read_bytes():
        why = "from an earlier requirements.lock, or by another Python than this one"
        raise BootstrapError(f"the Python environment of {lender} was made {why}", [f"make setup in {lender}", OWN])
    raise BootstrapError(f"requirements.lock here is not the one of {lender}, whose tools would be used", [OWN])


def _write_stand_ins(context: Context, lent: Path) -> None:
    """The same ones as the lender needs, of this worktree's sources."""
    context.layout.stand_ins.parent.mkdir(mode=0o700, exist_ok=True)
    needed = {one.executable: one.stand_in for one in plugins.PLUGINS if (lent / one.executable).exists()}
    plugins.write_stand_ins(context, needed)
