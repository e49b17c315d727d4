"""Sections of the page, one for each part of a report. A part that is None makes none."""

from collections.abc import Mapping, Sequence
from typing import Final

from training.report import figures, html, model_card, units
from training.report.content import (
    Compression,
    Confusion,
    Curves,
    DataReport,
    Energy,
    Environment,
    Fold,
    GateReport,
    Importances,
    ModelCardReport,
    PrivacyReport,
    Provenance,
    Report,
    Residuals,
    SearchReport,
)
from training.report.html import NONE, Html

MOST_CONFUSED: Final = 10
MOST_TRIALS: Final = 20
MOST_METRICS: Final = 6
"""Largest number of metrics whose curves are drawn."""


def results(report: Report) -> list[Html]:
    """Shows metrics, and where the model is wrong."""
    parts = [NONE if report.metrics is None else html.pairs("On held-out rows", list(report.metrics.items()))]
    if report.confusion is not None:
        parts += _confusion(report.confusion, report.classes)
    if report.residuals is not None:
        parts.append(_residuals(report.residuals))
    return parts


def gates(parts: Sequence[GateReport] | None) -> list[Html]:
    """Shows the conditions that the model had to meet."""
    words = {"minimum": "at least", "maximum": "at most"}
    rows = [
        (gate.name, gate.value, f"{words[gate.bound]} {units.number(gate.threshold)}", _verdict(gate))
        for gate in parts or ()
    ]
    return [
        html.table("Conditions that the model had to meet to be sealed", ("gate", "value", "required", "verdict"), rows)
    ]


def card(part: ModelCardReport | None) -> list[Html]:
    """Shows every question with its answer or "not stated"."""
    if part is None:
        return []
    rows = ((question, _answer(answer)) for question, answer in model_card.answers(part))
    body = html.join(Html(f"<dt>{html.text(question)}</dt>{answer}") for question, answer in rows)
    return [Html(f'<dl class="card">{body}</dl>')]


def descent(part: Curves | None) -> list[Html]:
    """Shows the training curves."""
    if part is None or not part.epochs:
        return []
    drawn = [figures.loss(part)]
    if part.learning_rate is not None:
        drawn.append(figures.learning_rate(part))
    drawn += [figures.metric(part, name, at) for at, name in enumerate(list(part.metrics)[:MOST_METRICS])]
    return [html.pictures(drawn)]


def importances(part: Importances | None) -> list[Html]:
    """Shows the importance of the inputs."""
    if part is None:
        return []
    drawn = [] if part.heat_map is None else [figures.heat_map(part.heat_map, part.unit)]
    if part.values:
        drawn.append(figures.importances(part))
    falling = sorted(part.values.items(), key=lambda item: -item[1].mean)
    rows = [(name, one.mean, "" if one.deviation is None else one.deviation) for name, one in falling]
    return [
        html.paragraph(part.method),
        html.pictures(drawn),
        html.table(f"Importance: {part.unit}", ("feature", "mean", "deviation"), rows),
    ]


def data(part: DataReport | None) -> list[Html]:
    """Shows the rows, and the findings about them."""
    if part is None:
        return []
    rows = [("training", part.rows_train), ("validation", part.rows_validation), ("held out", part.rows_held_out),
            ("left out: no target", part.rows_left_out)]  # fmt: skip
    columns = [
        (one.name, *("" if value is None else value for value in (one.mean, one.deviation, one.minimum, one.maximum)),
         one.missing)
        for one in part.columns
    ]  # fmt: skip
    return [
        html.pairs("Rows", [(name, count) for name, count in rows if count is not None]),
        html.pictures([figures.labels(part.labels)] if part.labels else []),
        html.table("Columns, over the training rows",
                   ("column", "mean", "deviation", "minimum", "maximum", "missing"), columns),
        _findings(part.findings),
        html.pairs("Masking, applied before any value was used", list(part.masked.items())),
    ]  # fmt: skip


def settings(report: Report) -> list[Html]:
    """Shows the hyperparameters, and the search and cross-validation behind them."""
    parts = [html.pairs("Hyperparameters", _flat(report.hyperparameters or {}))]
    if report.search is not None:
        parts += _search(report.search)
    if report.folds:
        parts.append(_folds(report.folds))
    return parts


def compression(part: Compression | None) -> list[Html]:
    """Shows the model before and after compression."""
    if part is None:
        return []
    verdict = "accepted, the smaller model was sealed" if part.accepted else "undone, the model was sealed uncompressed"
    metrics = [name for name in part.metrics_before if name in part.metrics_after]
    rows: list[tuple[object, ...]] = [("size", units.size(part.bytes_before), units.size(part.bytes_after))]
    rows += [(name, part.metrics_before[name], part.metrics_after[name]) for name in metrics]
    return [
        html.paragraph(f"{part.method}: {verdict}."),
        html.table("Compression", ("measure", "before", "after"), rows),
    ]


def privacy(part: PrivacyReport | None) -> list[Html]:
    """Shows the guarantee for each training row."""
    if part is None:
        return []
    rows = [("epsilon", part.epsilon), ("delta", part.delta), ("noise multiplier", part.noise_multiplier),
            ("largest norm of a row's gradient", part.max_gradient_norm)]  # fmt: skip
    return [html.pairs("Differentially private training", [row for row in rows if row[1] is not None])]


def cost(durations_seconds: Mapping[str, float] | None, energy: Energy | None) -> list[Html]:
    """Shows time by phase, energy and CO2."""
    times = list((durations_seconds or {}).items())
    rows: list[tuple[str, object]] = [(phase, units.duration(seconds)) for phase, seconds in times]
    if len(times) > 1:
        rows.append(("all", units.duration(sum(seconds for _, seconds in times))))
    used: list[tuple[str, object]] = []
    if energy is not None:
        used = [
            ("energy", units.energy(energy.joules)),
            ("source", energy.method),
            ("CO₂", units.mass(energy.co2_grams)),
            ("CO₂ intensity", f"{units.number(energy.intensity_grams_per_kwh)} g/kWh, {energy.intensity_source}"),
        ]
    return [html.pairs("Time by phase", rows), html.pairs("Energy and CO₂", used)]


def environment(part: Environment | None) -> list[Html]:
    """Shows the machine and the libraries."""
    if part is None:
        return []
    rows = [
        ("processor", part.cpu), ("cores", part.cores), ("memory", units.size(part.memory_bytes)),
        ("threads", part.threads), ("device", part.device), ("operating system", part.operating_system),
        ("Python", part.python), *part.libraries.items(),
    ]  # fmt: skip
    return [html.pairs("Machine and libraries of the run", rows)]


def provenance(part: Provenance | None) -> list[Html]:
    """Shows the inputs that reproduce the model."""
    if part is None:
        return []
    rows = [
        ("seed", None if part.seed is None else str(part.seed)),
        ("data digest", part.data_digest),
        ("code digest", part.code_digest),
        ("libraries", part.libraries),
        ("content digest", part.content_digest),
    ]
    return [html.pairs("Inputs that reproduce the model", [row for row in rows if row[1] is not None])]  # fmt: skip


def _verdict(gate: GateReport) -> str:
    return "✓ passed" if gate.passed else "✗ failed"


def _answer(answer: str | None) -> Html:
    if answer is None:
        return Html(f'<dd class="unstated">{units.NOT_STATED}</dd>')
    lines = (html.text(line) if line.strip() else NONE for line in answer.splitlines())
    return Html(f"<dd>{'&#10;'.join(lines)}</dd>")


def _confusion(part: Confusion, classes: Sequence[str]) -> list[Html]:
    def named(at: int) -> str:
        return classes[at] if at < len(classes) else f"class {at}"

    wrong = sorted((cell for cell in part.cells if cell[0] != cell[1]), key=lambda cell: (-cell[2], cell))
    confused = [(named(true), named(said), rows) for true, said, rows in wrong[:MOST_CONFUSED]]
    return [
        html.pictures([figures.confusion(part, classes)]),
        html.table("Most frequent confusions", ("true", "answered", "rows"), confused),
        html.table("Classes, the lowest recall first", ("class", "precision", "recall", "rows"),
                   [(named(at), *numbers) for at, numbers in _by_class(part)]),
    ]  # fmt: skip


def _by_class(part: Confusion) -> list[tuple[int, tuple[object, object, int]]]:
    """Returns precision, recall and rows of each class with rows or predictions. "" where a number is undefined."""
    right, true, said = ([0] * part.size for _ in range(3))
    for row, column, rows in part.cells:
        true[row] += rows
        said[column] += rows
        right[row] += rows if row == column else 0

    def share(at: int, among: Sequence[int]) -> object:
        return right[at] / among[at] if among[at] else ""

    known = [at for at in range(part.size) if true[at] or said[at]]
    known.sort(key=lambda at: (right[at] / true[at] if true[at] else 2.0, at))
    return [(at, (share(at, said), share(at, true), true[at])) for at in known]


def _residuals(part: Residuals) -> Html:
    drawn = [figures.predicted_against_true(part)] if part.true else []
    return html.pictures([*drawn, *([figures.residuals(part)] if part.counts else [])])


def _findings(findings: Sequence[Mapping[str, object]]) -> Html:
    names = list(dict.fromkeys(name for finding in findings for name in finding))
    rows = [[finding.get(name, "") for name in names] for finding in findings if names]
    return html.table("Findings of the quality checks that the run allows", names, rows)


def _search(part: SearchReport) -> list[Html]:
    """Shows the best trials as a table. `direction` says whether lower or higher values are better."""
    sign = 1 if part.direction == "minimize" else -1
    places = sorted(
        range(len(part.trials)),
        key=lambda at: (at != part.best, part.trials[at].value is None, sign * (part.trials[at].value or 0.0)),
    )[:MOST_TRIALS]
    names = list(dict.fromkeys(name for at in places for name in part.trials[at].parameters))
    rows = [
        [f"{at + 1}{' ★ best' if at == part.best else ''}", _or_none(part.trials[at].value, "not finished"),
         *(_make_setting(part.trials[at].parameters.get(name, "")) for name in names)]
        for at in places
    ]  # fmt: skip
    drawn = [figures.search(part)] if any(trial.value is not None for trial in part.trials) else []
    caption = f"Trials of the search for the {'lowest' if sign > 0 else 'highest'} {part.metric}, best first"
    return [
        html.heading("Search"),
        html.pictures(drawn),
        html.table(caption, ("trial", part.metric, *names), rows),
    ]


def _folds(folds: Sequence[Fold]) -> Html:
    names = list(folds[0].metrics)
    rows: list[list[object]] = [
        [str(at + 1), fold.rows_train, fold.rows_validation, *(fold.metrics.get(name, "") for name in names)]
        for at, fold in enumerate(folds)
    ]
    means = [sum(fold.metrics.get(name, 0.0) for fold in folds) / len(folds) for name in names]
    rows.append(["mean", "", "", *means])
    table = html.table("Each fold", ("fold", "training rows", "validation rows", *names), rows)
    return html.join([html.heading("Cross-validation"), table])


def _or_none(value: object, otherwise: str) -> object:
    return otherwise if value is None else value


def _flat(values: Mapping[str, object], before: str = "") -> list[tuple[str, object]]:
    """{"schedule": {"kind": "cosine"}} as ("schedule.kind", "cosine")."""
    pairs: list[tuple[str, object]] = []
    for name, value in values.items():
        inner = isinstance(value, Mapping) and value
        pairs += _flat(inner, f"{before}{name}.") if inner else [(before + name, _make_setting(value))]
    return pairs


def _make_setting(value: object) -> object:
    """Returns a setting as it was written: 0.01, while a measured 0.01 is shown as 0.01000."""
    if isinstance(value, float):
        return f"{value:.12g}"
    return "none" if value == {} else value
