"""Tools for a second git worktree, which uses those of the first one for commands that install nothing: test, faults,
check, audit, docs. Its sources, stand-ins and stacks' state are its own.

A worktree with its own .tools borrows nothing; `make setup` there makes one. Borrowed tools are never changed from
here. If they do not fit, the message says where to run set-up.
"""

from pathlib import Path

from bootstrap import content, environment
from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.layout import Layout
from bootstrap.steps import plugins, python_environment
from bootstrap.system import programs

OWN = "run make setup here, which installs this worktree's own tools"


def with_python(context: Context) -> Context:
    """Returns the context of a command that needs only the Python environment, which is borrowed or installed here."""
    if found := borrow(context):
        return found
    with context.console.step(python_environment.TITLE) as step:
        python_environment.ensure(context, step)
    return context


def borrow(context: Context) -> Context | None:
    """Returns the context with the first worktree's tools, or None if this checkout has its own or is the first one.
    Raises BootstrapError if the first worktree has no tools or they do not fit.
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
    context.console.note(f"this worktree has no tools; it uses those of {lender}")
    return found


def first(root: Path) -> Path | None:
    """Returns the worktree that `git clone` made, if `root` is another worktree of the same repository."""
    asked = ["rev-parse", "--show-toplevel", "--git-dir", "--git-common-dir"]
    answer = (programs.ask(["git", "-C", str(root), *asked]) or "").splitlines()
    if len(answer) != len(asked) - 1:  # no git, or not a git checkout
        return None
    top, own, common = ((root / line).resolve() for line in answer)
    return common.parent if top == root.resolve() and own != common and common.name == ".git" else None


def _require_fitting_python(layout: Layout, lender: Path) -> None:
    stamp, lock = python_environment.stamp_of(layout), layout.root / "requirements.lock"
    if not stamp.exists() or not layout.python.exists():
        raise BootstrapError(
            f"nothing is set up in this worktree or in the first one, {lender}",
            [f"run make setup in {lender}, whose tools all its worktrees use", OWN],
        )
    flavour = python_environment.remembered_flavour(layout).read_text().strip()
    if content.has_stamp(stamp, python_environment.key(layout, lock, flavour)):
        return
    theirs = lender / "requirements.lock"
    if theirs.exists() and theirs.read_bytes() == lock.read_bytes():
        why = "from an earlier requirements.lock, or with another Python"
        raise BootstrapError(f"the Python environment of {lender} was made {why}", [f"run make setup in {lender}", OWN])
    raise BootstrapError(f"requirements.lock differs from that of {lender}, whose tools this worktree uses", [OWN])


def _write_stand_ins(context: Context, lent: Path) -> None:
    """Writes the same stand-ins as the lender has, for this worktree's sources."""
    context.layout.stand_ins.parent.mkdir(mode=0o700, exist_ok=True)
    needed = {one.executable: one.stand_in for one in plugins.PLUGINS if (lent / one.executable).exists()}
    plugins.write_stand_ins(context, needed)
