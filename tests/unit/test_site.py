"""The documentation's site builds without a warning, and each of its links leads somewhere."""

import os
import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from bootstrap.commands import docs
from tests.documented import PROJECT_ROOT

ELSEWHERE = ("http", "https", "mailto", "data", "javascript")


class Page(HTMLParser):
    """Ids of a page's elements, and what it links and loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value for name, value in attributes if value}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        self.links += [found[name] for name in ("href", "src") if name in found and tag != "base"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        docs.build_site(sys.executable, str(folder)),
        cwd=PROJECT_ROOT, env={**os.environ, **docs.QUIET}, capture_output=True, text=True,
    )  # fmt: skip
    assert (built.returncode, built.stderr) == (0, "")
    return folder


def test_every_page_of_the_folder_is_in_the_navigation(site: Path) -> None:
    config = (PROJECT_ROOT / "mkdocs.yml").read_text()
    pages = {path.relative_to(PROJECT_ROOT / "docs").as_posix() for path in (PROJECT_ROOT / "docs").rglob("*.md")}

    assert pages == set(re.findall(r"[\w/-]+\.md", config.partition("\nnav:")[2]))


def test_every_link_leads_somewhere(site: Path) -> None:
    page_of = cache(lambda path: Page(path.read_text()))
    pages = sorted(site.rglob("*.html"))
    broken = []
    for path in pages:
        if path.name == "404.html":
            continue  # its links are those of a server's root
        for link in page_of(path).links:
            parts = urlsplit(link)
            if parts.scheme in ELSEWHERE:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (parts.fragment and target.suffix == ".html"
                                        and unquote(parts.fragment) not in page_of(target).ids):  # fmt: skip
                broken.append(f"{path.relative_to(site)}: {link}")

    assert len(pages) > 5
    assert broken == []


def test_a_page_loads_nothing_from_another_server(site: Path) -> None:
    loads = re.compile(r"<(?:script|img|iframe)[^>]* src=\"https?:|<link[^>]* rel=\"stylesheet\"[^>]*https?:")

    assert [path.name for path in site.rglob("*.html") if loads.search(path.read_text())] == []
