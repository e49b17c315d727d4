"""`python -m training report`: opens a sealed report, shows it, and leaves nothing behind that was not asked for.

Neither torch nor matplotlib is loaded: the page is in the artifact as it was rendered. What is shown in a terminal are
printable characters only, since names in a report come from data.
"""

import argparse
import json
import re
import sys
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sealift.durable.new_file import write_file
from sealift.sealing import SealingError, WrongKey, open_artifact, parse_identity
from sealift.stores import StoreError, get_manifest, get_payload, open_store
from training.errors import TrainingError
from training.report import model_card, units
from training.report.codec import ReportError, to_json
from training.report.content import GateReport, Report
from training.report.payload import extract

EXAMPLE: Final = """example:
  python -m training report --store file://~/.sealift/store --key private-key.pem \\
      --artifact 0123…cdef --payload-digest 89ab…4567 --html report.html --open
"""
WIDEST_VALUE: Final = 100


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0, or 1 with the error and a hint on standard error, or argparse's 2 for a wrong command line."""
    options = _parser().parse_args(arguments)
    if options.open and options.html is None:
        _parser().error("--open needs --html FILE: a browser reads files, and none is written unasked")
    try:
        page = _open(options.store, options.artifact, options.payload_digest, options.key)
        report = extract(page)
        if options.html is not None:
            _write(options.html, page)
    except (SealingError, StoreError, TrainingError) as error:
        return _fail(error.message, error.hint)
    if options.json:
        print(json.dumps(to_json(report), indent=2, allow_nan=False))
    elif options.html is None:
        print(summary(report))
    else:
        print(f"wrote {options.html}", file=sys.stderr)
    if options.open and not webbrowser.open(options.html.resolve().as_uri()):
        return _fail("no browser could be started", f"open {options.html} in one")
    return 0


def summary(report: Report) -> str:
    """What a decision needs, for a terminal; the page has the rest."""
    blocks = [
        [units.name(report.title), f"{report.task} by {units.name(report.model)} on {units.name(report.dataset)}"],
        _block("Held-out metrics", [(name, units.number(value)) for name, value in (report.metrics or {}).items()]),
        _block("Gates", _gates(report)),
        _block("Cost", _cost(report)),
        _block("Model card", [] if report.card is None else model_card.lines(report.card)),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training report",
        description="Shows the report of a training run: a summary, the whole as an HTML page, or as JSON.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--store", required=True, metavar="URL", help="the store, such as file://~/.sealift/store")
    parser.add_argument("--artifact", required=True, metavar="ID", type=_hexadecimal(32), help="the report's own id")
    parser.add_argument(
        "--payload-digest",
        required=True,
        metavar="HEX",
        type=_hexadecimal(64),
        help="the report's digest: no other opens",
    )
    parser.add_argument("--key", required=True, metavar="FILE", type=Path, help="private key that it is sealed to")
    parser.add_argument("--html", metavar="FILE", type=Path, help="write the page here, readable by you alone (0600)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON instead of the summary")
    parser.add_argument("--open", action="store_true", help="open the page that --html writes in a browser")
    return parser


def _hexadecimal(digits: int) -> Callable[[str], str]:
    def accept(text: str) -> str:
        if re.fullmatch(f"[0-9a-f]{{{digits}}}", text) is None:
            raise argparse.ArgumentTypeError(f"{text!r} is not {digits} lower-case hex digits")
        return text

    return accept


def _open(store_url: str, artifact_id: str, payload_digest: str, key: Path) -> str:
    store = open_store(store_url)
    private_key = parse_identity(_read(key))
    manifest, payload = get_manifest(store, artifact_id), get_payload(store, artifact_id)
    opened = open_artifact(manifest, payload, private_key, artifact_id=artifact_id, payload_digest=payload_digest)
    try:
        return str(opened.model, "utf-8")
    except UnicodeDecodeError as error:
        raise ReportError("this artifact is not a report", "give the ids of a report, not those of a model") from error


def _read(key: Path) -> str:
    try:
        return key.read_text(encoding="ascii")
    except UnicodeDecodeError:
        raise WrongKey(f"{key} is not a private key", "a key is a text in ASCII") from None
    except OSError as error:
        raise WrongKey(f"the key {key} cannot be read: {error.strerror}", "give the key's file with --key") from error


def _write(path: Path, page: str) -> None:
    """Whole or not at all, and never readable by others, whatever was there before."""
    try:
        write_file(path, page.encode())
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error.strerror}", "give another file with --html") from error


def _fail(message: str, hint: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    if hint:
        print(f"hint: {hint}", file=sys.stderr)
    return 1


def _gates(report: Report) -> list[tuple[str, str]]:
    words = {"minimum": "at least", "maximum": "at most"}
    return [
        (gate.name, f"{_verdict(gate)}, {words[gate.bound]} {units.number(gate.threshold)} required")
        for gate in report.gates or ()
    ]


def _verdict(gate: GateReport) -> str:
    return f"{'passed' if gate.passed else 'FAILED'}: {units.number(gate.value)}"


def _cost(report: Report) -> list[tuple[str, str]]:
    rows = []
    if report.durations_seconds:
        rows.append(("time", units.duration(sum(report.durations_seconds.values()))))
    if report.energy is not None:
        energy = report.energy
        rows.append(("energy", f"{units.energy(energy.joules)}, {energy.method}"))
        intensity = f"{units.number(energy.intensity_grams_per_kwh)} g/kWh, {energy.intensity_source}"
        rows.append(("CO₂", f"{units.mass(energy.co2_grams)} ({intensity})"))
    return rows


def _block(title: str, rows: Sequence[tuple[str, str]]) -> list[str]:
    """A title and its rows, the values in one column."""
    if not rows:
        return []
    names = [units.name(name, 40) for name, _ in rows]
    width = max(map(len, names))
    values = [units.name(value, WIDEST_VALUE) for _, value in rows]
    return [title, *(f"  {name:<{width}}  {value}" for name, value in zip(names, values, strict=True))]
