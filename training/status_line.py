"""A progress event as one line of text, for `pulumi up` and for a terminal. Standard library only."""

from training.events import DescentEvent, PhaseEvent
from training.report import units


def status_line(event: PhaseEvent | DescentEvent, *, with_metrics: bool) -> str:
    """Returns the line with the most important part first, since a narrow terminal cuts the rest off. Loss and metrics
    are shown only `with_metrics`.
    """
    if isinstance(event, PhaseEvent):
        return event.message
    return ", ".join((where(event), *(figures(event) if with_metrics else ()), *costs(event)))


def figures(event: DescentEvent) -> list[str]:
    """Returns the loss and the metric of the validation rows."""
    told = [] if event.loss is None else [f"loss {units.number(event.loss)}"]
    return told + [f"validation {name} {units.number(value)}" for name, value in event.validation.items()]


def costs(event: DescentEvent) -> list[str]:
    """Returns time left or spent, rate and energy. The rate covers training alone."""
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
    """Returns the epochs done, or the share done of the current one."""
    if not event.step:
        return f"epoch {event.epoch}/{event.epochs}"
    return f"epoch {event.epoch + 1}/{event.epochs} at {100 * event.step // event.steps} %"
