"""`python -m training report`: opens a sealed report and shows it. It writes only the file that --html names.

Neither torch nor matplotlib is loaded: the artifact has the page as it was rendered. A terminal gets printable
characters only, since names in a report come from data.
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
from sealift.own_keys import unwrap_with
from sealift.sealing import SealingError, WrongKey, open_artifact, parse_identity
from sealift.stores import StoreError, audited, get_manifest, get_payload, open_store
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
    """Returns the exit code: 0, 1 with the error and a hint on standard error, or argparse's 2 for a wrong command
    line.
    """
    options = _parser().parse_args(arguments)
    if options.open and options.html is None:
        _parser().error("--open needs --html FILE, the file that the browser opens")
    try:
        page = _open(options.store, options.keys, options.artifact, options.payload_digest, options.key)
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
        return _fail("no browser could be started", f"open {options.html} in a browser yourself")
    return 0


def summary(report: Report) -> str:
    """Returns the summary for a terminal: what a decision needs. The page has the rest."""
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
        description="Shows the report of a training run: a summary, or the whole report as an HTML page or as JSON.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--store", required=True, metavar="URL", help="URL of the store, such as file://~/.sealift/store"
    )
    parser.add_argument("--keys", metavar="URL", help="URL of the store of keys, if the run has one (keysUrl)")
    parser.add_argument(
        "--artifact",
        required=True,
        metavar="ID",
        type=_hexadecimal(32),
        help="id of the report's artifact: the run's output reportArtifactId",
    )
    parser.add_argument(
        "--payload-digest",
        required=True,
        metavar="HEX",
        type=_hexadecimal(64),
        help="digest of the report's payload: the run's output reportPayloadDigest",
    )
    parser.add_argument(
        "--key", required=True, metavar="FILE", type=Path, help="file of the private key that opens the report"
    )
    parser.add_argument("--html", metavar="FILE", type=Path, help="file for the HTML page, readable only by you (0600)")
    parser.add_argument(
        "--json", action="store_true", help="whether the report is printed as JSON instead of the summary"
    )
    parser.add_argument("--open", action="store_true", help="whether a browser opens the page that --html writes")
    return parser


def _hexadecimal(digits: int) -> Callable[[str], str]:
    def accept(text: str) -> str:
        if re.fullmatch(f"[0-9a-f]{{{digits}}}", text) is None:
            raise argparse.ArgumentTypeError(f"{text!r} is not {digits} lower-case hex digits")
        return text

    return accept


def _open(store_url: str, keys_url: str | None, artifact_id: str, payload_digest: str, key: Path) -> str:
    store = open_store(store_url, keys_url)
    private_key = parse_identity(_read(key))
    with audited(store, "open", artifact_id) as entry:
        manifest, payload = get_manifest(store, artifact_id), get_payload(store, artifact_id)
        data_key = unwrap_with(manifest, [private_key], store.keys)
        warning = entry.begin_reading(payload_digest)
        if warning is not None:
            print(f"warning: {warning}", file=sys.stderr)
        opened = open_artifact(manifest, payload, data_key, artifact_id=artifact_id, payload_digest=payload_digest)
    try:
        return str(opened.model, "utf-8")
    except UnicodeDecodeError as error:
        raise ReportError(
            "this artifact is not a report", "give --artifact and --payload-digest of a report, not of a model"
        ) from error


def _read(key: Path) -> str:
    try:
        return key.read_text(encoding="ascii")
    except UnicodeDecodeError:
        raise WrongKey(f"{key} is not a private key", "a key file is text in ASCII") from None
    except OSError as error:
        raise WrongKey(
            f"the key {key} cannot be read: {error.strerror}", "give the file of the private key with --key"
        ) from error


def _write(path: Path, page: str) -> None:
    """Writes the whole page or nothing. Others can never read it, even if the old file allowed that."""
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
    """Returns a title and its rows, with the values in one column."""
    if not rows:
        return []
    names = [units.name(name, 40) for name, _ in rows]
    width = max(map(len, names))
    values = [units.name(value, WIDEST_VALUE) for _, value in rows]
    return [title, *(f"  {name:<{width}}  {value}" for name, value in zip(names, values, strict=True))]
