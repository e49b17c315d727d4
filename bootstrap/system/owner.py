"""Owner of the Docker engine and the local node: only one checkout of a machine can run them, because they use one set
of sockets and chains.

/run/sealift/owner names the checkout. Other checkouts use its programs and never stop them. When none of them runs any
more, the next checkout that starts something becomes the owner and removes the remains.
"""

from pathlib import Path

from bootstrap import content
from bootstrap.errors import BootstrapError
from bootstrap.layout import RUN, Layout
from bootstrap.system.daemon import Daemons

OWNER = RUN / "owner"


def is_ours(layout: Layout) -> bool:
    return _read_owner() == layout.root


def claim(layout: Layout) -> None:
    """Makes this checkout the owner. Raises BootstrapError while another's daemons run."""
    other = _read_owner()
    if other is not None and other != layout.root:
        if not other.exists():
            # It was deleted without `make down`: its programs work on deleted files, and nothing else can stop them.
            Daemons(Layout(other)).end_all_of_deleted()
        running = [name for name in Daemons(Layout(other)).names() if Daemons(Layout(other)).running(name)]
        if running:
            raise BootstrapError(
                f"the checkout {other} runs {', '.join(running)} on this machine, but not every part answers",
                [f"run make setup in {other}, which repairs it for this checkout too", f"or run make down in {other}"],
            )
    RUN.mkdir(mode=0o700, exist_ok=True)
    content.write(OWNER, f"{layout.root}\n", mode=0o600)


def release(layout: Layout) -> None:
    if is_ours(layout):
        OWNER.unlink()


def _read_owner() -> Path | None:
    try:
        return Path(OWNER.read_text().strip())
    except FileNotFoundError:
        return None
