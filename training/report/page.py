"""REPORT → one self-contained HTML file: no network, script or font; it works from any disk and under any policy.

Pure: equal reports give equal bytes. The file contains the same report as JSON (payload.py).
"""

import base64
import hashlib
from dataclasses import replace
from typing import Final

from training.report import html, sections, units
from training.report.content import Report
from training.report.html import NONE, Html
from training.report.payload import embed
from training.report.style import SHEET
from training.report.thinning import thin

POLICY: Final = (
    "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(SHEET.encode()).digest()).decode()
    + "'"
)
"""Content security policy: even if a name got past the escaping, nothing of it would run or load."""
MOST_TILES: Final = 5


def render(report: Report) -> str:
    """Returns the whole file. Entries that are too many are left out, in the JSON too, and both say so."""
    short = thin(report)
    # precision and recall are sums over cells, so they need all of them
    report = replace(short, classes=report.classes, confusion=report.confusion)
    parts = _sections(report)
    return "".join((
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{html.text(report.title)}</title><style>{SHEET}</style></head><body>",
        _header(report),
        _contents(parts),
        "<main>",
        *(html.section(key, title, body) for key, title, body in parts),
        "</main>",
        embed(short),
        "</body></html>\n",
    ))  # fmt: skip


def _sections(report: Report) -> list[tuple[str, str, list[Html]]]:
    """Returns key, title and content of the sections that have content: first trust, then how it was made, then its
    cost.
    """
    all_parts = [
        ("gates", "Gates", sections.gates(report.gates)),
        ("results", "Results", sections.results(report)),
        ("model-card", "Model card", sections.card(report.card)),
        ("training", "Training", sections.descent(report.curves)),
        ("importance", "Feature importance", sections.importances(report.importances)),
        ("data", "Data", sections.data(report.data)),
        ("settings", "Settings", sections.settings(report)),
        ("compression", "Compression", sections.compression(report.compression)),
        ("privacy", "Privacy", sections.privacy(report.privacy)),
        ("cost", "Time and energy", sections.cost(report.durations_seconds, report.energy)),
        ("environment", "Environment", sections.environment(report.environment)),
        ("provenance", "Provenance", sections.provenance(report.provenance)),
        ("shortened", "Shortened", [_omit(report)]),
    ]
    return [(key, title, body) for key, title, body in all_parts if any(body)]


def _header(report: Report) -> Html:
    lead = f"{report.task.capitalize()} by {report.model}, trained on {report.dataset}"
    tiles = html.join(_tile(name, value, note, kind) for name, value, note, kind in _highlights(report))
    shown = f'<dl class="tiles">{tiles}</dl>' if tiles else ""
    return Html(f"<header><h1>{html.text(report.title)}</h1>{html.paragraph(lead, 'lead')}{shown}</header>")


def _highlights(report: Report) -> list[tuple[str, str, str, str]]:
    """Returns name, value, note and class of the figures that a reader looks for first."""
    found = [(name, units.number(value), "held-out rows", "") for name, value in (report.metrics or {}).items()]
    tiles = found[:MOST_TILES]
    if report.gates:
        passed = sum(gate.passed for gate in report.gates)
        kind = "good" if passed == len(report.gates) else "bad"
        tiles.append(("gates passed", f"{passed} of {len(report.gates)}", "", kind))
    if report.durations_seconds:
        tiles.append(("time", units.duration(sum(report.durations_seconds.values())), "", ""))
    if report.energy is not None:
        known, _, _ = report.energy.method.partition(":")
        tiles.append(("energy", units.energy(report.energy.joules), f"{known}, {_co2(report)}", ""))
    return tiles


def _co2(report: Report) -> str:
    return f"{units.mass(report.energy.co2_grams)} CO₂" if report.energy else ""


def _tile(name: str, value: str, note: str, kind: str) -> Html:
    small = f"<small>{html.text(note)}</small>" if note else NONE
    return Html(f'<div><dt>{html.text(name)}</dt><dd class="{kind}">{html.text(value)}{small}</dd></div>')


def _contents(parts: list[tuple[str, str, list[Html]]]) -> Html:
    links = html.join(Html(f'<a href="#{key}">{html.text(title)}</a>') for key, title, _ in parts)
    return Html(f'<nav aria-label="Contents">{links}</nav>') if links else NONE


def _omit(report: Report) -> Html:
    note = html.paragraph("To keep this page short, it and the JSON inside it leave out some entries.")
    counts = html.pairs("Number of entries left out", [(name, f"{count:,}") for name, count in report.omitted.items()])
    return html.join([note, counts]) if report.omitted else NONE
