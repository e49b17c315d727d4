"""A progress event as people read it, on one line: in `pulumi up` and in a terminal. Standard library only."""

from collections.abc import Mapping
from typing import Any

from training.report import units


def status_line(event: Mapping[str, Any], *, with_metrics: bool) -> str:
    """What matters most comes first, since a narrow terminal cuts the rest off. Loss and metrics are for those who may
    see them.
    """
    if "epoch" not in event:
        return str(event.get("message", event["phase"]))
    return ", ".join((where(event), *(figures(event) if with_metrics else ()), *costs(event)))


def figures(event: Mapping[str, Any]) -> list[str]:
    """The loss, and what the rows say that are set aside."""
    loss = event.get("loss")
    told = [] if loss is None else [f"loss {units.number(loss)}"]
    return told + [f"validation {name} {units.number(value)}" for name, value in event.get("validation", {}).items()]


def costs(event: Mapping[str, Any]) -> list[str]:
    """Time left or spent, rate and energy; the rate is over the training alone, without what comes before it."""
    left = units.duration(max(1, round(event["eta_seconds"])))
    rate, energy = f"{event['rows_per_second']:,.0f} rows/s", units.energy(event["energy_joules"])
    if not event["last"]:
        return [f"about {left} left", rate, energy]
    return [
        f"{units.duration(event['training_seconds'])} of training at {rate}",
        f"{units.duration(event['seconds'])} in all",
        energy,
    ]


def where(event: Mapping[str, Any]) -> str:
    """Epochs done, or the share of the one that is under way."""
    if not event["step"]:
        return f"epoch {event['epoch']}/{event['epochs']}"
    return f"epoch {event['epoch'] + 1}/{event['epochs']} at {100 * event['step'] // event['steps']} %"
