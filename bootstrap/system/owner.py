"""Which checkout of this machine runs the Docker engine and the local node: there is one set of sockets and chains.

/run/sealift/owner names it. Other checkouts use what it runs and never stop it; when nothing of it runs any more, the
next one that starts something takes over and clears away what was left.
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
            # Deleted without `make down`: what it left running works on deleted files, and nobody else can stop it.
            Daemons(Layout(other)).end_all_of_deleted()
        running = [name for name in Daemons(Layout(other)).names() if Daemons(Layout(other)).running(name)]
        if running:
            raise BootstrapError(
                f"the checkout {other} runs {', '.join(running)} here, but not all of it answers",
                [f"make setup in {other}: repairs it, and this checkout uses it", f"make down in {other}"],
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
