"""EVIDENCE → JUDGEMENT: what was measured of a model, judged by what a run asks of it, and the report of both.

Standard library only, and without the data: a model that is sealed is judged again from its run's record. What judges,
says or names a place changes no byte of the model; Job's declarations say which settings those are.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from sealift.contents.codec import decode, encode
from training import findings, gates
from training.errors import CheckpointError
from training.findings import Finding
from training.gates import GateResult
from training.job import Job
from training.process import import_large_libraries
from training.report.codec import ReportError, from_json, to_json
from training.report.content import GateReport, ModelCardReport, Report

REPORT_CONTEXT: Final = b"sealift/v1/report\0"
ID_DIGITS: Final = 32


@dataclass(frozen=True)
class Evidence:
    """What was measured of one model and of its data."""

    report: Report
    """Without gates, warnings and model card; its settings are those that shaped the model, a search's choice too."""
    findings: tuple[Finding, ...]
    """Of the data, whatever is allowed."""
    model_bytes: int

    def encode(self) -> bytes:
        """As JSON."""
        parts = {"report": to_json(self.report), "findings": encode(self.findings), "modelBytes": self.model_bytes}
        return json.dumps(parts, allow_nan=False).encode()

    @classmethod
    def decode(cls, content: bytes) -> "Evidence":
        """Raises CheckpointError for what `encode` does not write."""
        try:
            parts = json.loads(content)
            found = decode(tuple[Finding, ...], parts["findings"], "findings")
            return cls(from_json(parts["report"]), found, int(parts["modelBytes"]))
        except (ValueError, KeyError, TypeError, ReportError) as error:
            raise CheckpointError(f"the run's evidence cannot be read: {type(error).__name__}") from error


@dataclass(frozen=True)
class Judgement:
    """What the gates say, and the report that shows it."""

    gates: tuple[GateResult, ...]
    report: Report

    @property
    def passed(self) -> bool:
        """Whether the model may be sealed."""
        return gates.have_passed(self.gates)

    def page(self) -> bytes:
        """The report as one HTML file with the same as JSON inside. Loads matplotlib."""
        with import_large_libraries():
            from training.report.page import render

        return render(self.report).encode()

    def report_key(self, run_key: bytes) -> str:
        """32 hex digits, which equal reports of one run have in common; they tell nothing to whoever lacks its key."""
        content = json.dumps(to_json(self.report), sort_keys=True).encode()
        return hmac.new(run_key, REPORT_CONTEXT + content, "sha256").hexdigest()[:ID_DIGITS]


def judge(job: Job, evidence: Evidence, deployed: Mapping[str, float] | None) -> Judgement:
    """`deployed`: metrics of the model that the stack has now. Raises DataError for data that the job does not allow;
    what the gates say is for the caller to enforce, once the report is written.
    """
    findings.enforce(evidence.findings, job.quality, job.dataset)
    measured = evidence.report
    results = gates.check(job.gates, measured.metrics or {}, evidence.model_bytes, deployed)
    warnings = findings.warnings(evidence.findings, job.quality)
    report = replace(
        measured,
        gates=tuple(map(_gate, results)) or None,
        card=ModelCardReport(**asdict(job.model_card)),
        data=None if measured.data is None else replace(measured.data, findings=warnings),
        hyperparameters=_merge(measured.hyperparameters or {}, job.requirements()),
    )
    return Judgement(results, report)


def _gate(result: GateResult) -> GateReport:
    value = float("nan") if result.value is None else result.value
    return GateReport(result.name, value, result.threshold, result.bound, result.passed)


def _merge(first: Mapping[str, object], second: Mapping[str, object]) -> dict[str, object]:
    """With the names of both, at every depth."""
    merged = {**first, **second}
    for name, value in first.items():
        other = second.get(name)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            merged[name] = _merge(value, other)
    return merged
