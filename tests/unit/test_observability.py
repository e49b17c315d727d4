"""The dashboard and the alert rules name only metrics that the server has; with a real Prometheus, see
tests/process/test_observability.py."""

import json
import re
from pathlib import Path

import yaml

from docs.metrics_page import all_families
from sealift.serving.metrics.exposition import text

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "observability"
NAME = re.compile(r"\b(?:sealift|process)_[a-z_]+|\bsealift:[a-z0-9_:]+")


def exposed() -> set[str]:
    """All names of samples, those of a container with limits among them."""
    page = text(all_families()).decode()
    return {re.split("[{ ]", line)[0] for line in page.splitlines() if not line.startswith("#")}


def rules() -> list[dict[str, str]]:
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard_expressions() -> list[str]:
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def test_what_dashboard_and_rules_name_is_exposed_or_recorded() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    expressions = [*(rule["expr"] for rule in rules()), *dashboard_expressions()]
    named = [NAME.findall(expression) for expression in expressions]

    assert all(named), "an expression names no metric of ours"
    assert {name for names in named for name in names} <= exposed() | recorded


def test_the_page_explains_each_alert_and_names_only_what_is_there() -> None:
    page = (FOLDER.parent / "how-to" / "observability.md").read_text()
    reference = (FOLDER.parent / "reference" / "metrics.md").read_text()
    alerts = {rule["alert"] for rule in rules() if "alert" in rule}
    stems = {re.sub("_(bucket|sum|count)$", "", name) for name in exposed()}

    assert alerts <= {*re.findall(r"`(Sealift[A-Za-z]+)`", page), "SealiftLatencyBurnsSlowly"}
    named = {*re.findall(r"`(sealift_[a-z_]+[a-z])[`{]", page)}
    assert named
    assert named <= stems
    assert {*re.findall(r"`((?:sealift|process)_[a-z_]+)`<br>", reference)} == stems


def test_panels_have_an_identity_a_title_and_the_data_source_that_is_chosen() -> None:
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    panels = dashboard["panels"]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] and panel["datasource"]["uid"] == "${datasource}" for panel in panels)
    assert {variable["name"] for variable in dashboard["templating"]["list"]} == {"datasource", "namespace", "job"}
