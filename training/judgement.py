"""EVIDENCE → JUDGEMENT: checks the measurements of a model against the run's requirements, and reports both.

Standard library only, and without the data: a sealed model is checked again from its run's record. Settings that check,
describe or name a place change no byte of the model; the declarations in Job say which ones those are.
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
    """Measurements of one model and of its data."""

    report: Report
    """Report without gates, warnings and model card. Its settings are those that changed the model, including those
    that a search chose.
    """
    findings: tuple[Finding, ...]
    """Findings about the data, whether allowed or not."""
    model_bytes: int

    def encode(self) -> bytes:
        """Returns the evidence as JSON."""
        parts = {"report": to_json(self.report), "findings": encode(self.findings), "modelBytes": self.model_bytes}
        return json.dumps(parts, allow_nan=False).encode()

    @classmethod
    def decode(cls, content: bytes) -> "Evidence":
        """Returns the evidence that `encode` wrote. Raises CheckpointError for anything else."""
        try:
            parts = json.loads(content)
            found = decode(tuple[Finding, ...], parts["findings"], "findings")
            return cls(from_json(parts["report"]), found, int(parts["modelBytes"]))
        except (ValueError, KeyError, TypeError, ReportError) as error:
            raise CheckpointError(f"the run's evidence cannot be read: {type(error).__name__}") from error


@dataclass(frozen=True)
class Judgement:
    """Results of the gates, and the report that shows them."""

    gates: tuple[GateResult, ...]
    report: Report

    @property
    def passed(self) -> bool:
        """Whether the model may be sealed."""
        return gates.have_passed(self.gates)

    def page(self) -> bytes:
        """Returns the report as one HTML file that contains it as JSON too. Loads matplotlib."""
        with import_large_libraries():
            from training.report.page import render

        return render(self.report).encode()

    def report_key(self, run_key: bytes) -> str:
        """Returns 32 hex digits that are equal for equal reports of one run. They reveal nothing without its key."""
        content = json.dumps(to_json(self.report), sort_keys=True).encode()
        return hmac.new(run_key, REPORT_CONTEXT + content, "sha256").hexdigest()[:ID_DIGITS]


def judge(job: Job, evidence: Evidence, deployed: Mapping[str, float] | None) -> Judgement:
    """Checks the evidence. `deployed` are the metrics of the model that the stack has now. Raises DataError for data
    that the job does not allow. The caller enforces the gates, after it has written the report.
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
    """Returns the entries of both, merged at every depth."""
    merged = {**first, **second}
    for name, value in first.items():
        other = second.get(name)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            merged[name] = _merge(value, other)
    return merged
