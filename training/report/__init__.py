"""The report of a run: its settings, results and cost, for people who decide whether to trust its model.

    content.py      the contents of a report (frozen dataclasses), and codec.py the same as JSON
    measure.py      tensors → confusion matrix, residuals, columns; needs torch
    explanation.py  which inputs the model's answers depend on; needs torch
    energy.py       joules and CO2 of the run, measured or marked as estimated
    environment.py  the machine and the libraries
    thinning.py     the same report, shortened to what a page can show
    figures.py      parts → inline SVG; needs matplotlib
    model_card.py   statements of the makers, or "not stated"
    page.py         REPORT → one HTML file with the JSON inside; payload.py gets the JSON out again
                    over sections.py (what a page says), html.py and svg.py (as markup), style.py (its look)
    units.py        numbers, times and sizes as people read them
    show.py         `python -m training report`: sealed artifact → terminal, HTML file or JSON

It measures and shows, and neither decides nor keeps anything. Importing it loads neither torch nor matplotlib.
"""

from training.report.codec import ReportError, from_json, to_json
from training.report.content import (
    Column,
    Compression,
    Confusion,
    Curves,
    DataReport,
    Energy,
    Environment,
    Fold,
    GateReport,
    HeatMap,
    Importance,
    Importances,
    ModelCardReport,
    PrivacyReport,
    Provenance,
    Report,
    Residuals,
    SearchReport,
    Trial,
)

__all__ = [
    "Column",
    "Compression",
    "Confusion",
    "Curves",
    "DataReport",
    "Energy",
    "Environment",
    "Fold",
    "GateReport",
    "HeatMap",
    "Importance",
    "Importances",
    "ModelCardReport",
    "PrivacyReport",
    "Provenance",
    "Report",
    "ReportError",
    "Residuals",
    "SearchReport",
    "Trial",
    "from_json",
    "to_json",
]
