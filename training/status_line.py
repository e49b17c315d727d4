"""A progress event as people read it, on one line: in `pulumi up` and in a terminal. Standard library only."""

from training.events import DescentEvent, PhaseEvent
from training.report import units


def status_line(event: PhaseEvent | DescentEvent, *, with_metrics: bool) -> str:
    """What matters most comes first, since a narrow terminal cuts the rest off. Loss and metrics are for those who may
    see them.
    """
    if isinstance(event, PhaseEvent):
        return event.message
    return ", ".join((where(event), *(figures(event) if with_metrics else ()), *costs(event)))


def figures(event: DescentEvent) -> list[str]:
    """The loss, and what the rows say that are set aside."""
    told = [] if event.loss is None else [f"loss {units.number(event.loss)}"]
    return told + [f"validation {name} {units.number(value)}" for name, value in event.validation.items()]


def costs(event: DescentEvent) -> list[str]:
    """Time left or spent, rate and energy; the rate is over the training alone, without what comes before it."""
    left = units.duration(max(1, round(event.eta_seconds)))
    rate, energy = f"{event.rows_per_second:,.0f} rows/s", units.energy(event.energy_joules)
    if not event.last:
        return [f"about {left} left", rate, energy]
    return [
        f"{units.duration(event.training_seconds)} of training at {rate}",
        f"{units.duration(event.seconds)} in all",
        energy,
    ]


def where(event: DescentEvent) -> str:
    """Epochs done, or the share of the one that is under way."""
    if not event.step:
        return f"epoch {event.epoch}/{event.epochs}"
    return f"epoch {event.epoch + 1}/{event.epochs} at {100 * event.step // event.steps} %"
