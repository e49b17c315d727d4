"""`python -m training --dataset … --model …`: the run that a stack would make, here and now, without keeping it.

Nothing is sealed, resumed or stored. Settings, arithmetic and order of steps are those of a sealed run, so the numbers
are too. Two things are random each time, since a stack derives them from its store's key: the noise of private
training, and the key that masked columns are hashed with.
"""

import hashlib
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sealift.names import counted
from sealift.settings import report as problem_report
from sealift.settings.urls import without_credentials
from training import gates, provenance, raised, user_code
from training.cancellation import end_on_signal
from training.command_line import CommandLine, read_command_line
from training.errors import TrainingError
from training.job import Job
from training.process import import_large_libraries, is_started_so, keep_to_itself, pin_arithmetic, start_anew
from training.recipe.callback import Progress
from training.recipe.trainer_state import TrainerState
from training.report import units

if TYPE_CHECKING:  # importing it at run time would load torch
    from training.fit import FitResult
    from training.report.content import Energy

HELP: Final = "`python -m training --help` lists the options; docs/reference/configuration.md describes every setting"


@dataclass(frozen=True)
class TryOut:
    """A finished run."""

    result: "FitResult"
    energy: "Energy"
    seconds: float
    report: bytes | None
    """Report as an HTML page, if one was made."""
    training_seconds: float = 0.0
    """Seconds of the training loop alone."""
    highlights: tuple[str, ...] = ()
    """Lines with the results of folds, search and compression."""


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: 0, or 1 with all problems on standard error, or 130 after Ctrl-C."""
    end_on_signal("cancelled; nothing is kept")
    if not is_started_so():
        start_anew(arguments)
    folder = Path.cwd()
    wanted, problems = read_command_line(arguments, folder)
    if wanted is None:
        return _fail(problem_report("the settings of the run are invalid", problems, HELP))
    keep_to_itself()
    pin_arithmetic(wanted.job)
    try:
        tried = try_out(wanted.job, folder, with_report=wanted.report is not None)
        result = tried.result
        metrics = result.outcome["metrics"]
        judged = gates.check(wanted.job.gates, metrics, len(result.model), None)
        _write(wanted, tried, passed=gates.have_passed(judged))
        print(summary(wanted.job, tried))
        gates.enforce(judged, metrics, shown=True, for_stack=False)
    except TrainingError as error:
        if text := raised.leave_out(error):
            sys.stderr.write(f"{text}\n")
        return _fail(error.message, error.hint)
    except ImportError as error:
        return _fail(
            f"a library that training needs cannot be loaded: {error}",
            "run `make setup`, then `source .tools/activate` in this shell",
        )
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return _fail(f"the operating system reported an error: {error.strerror or error}{where}")
    return 0


def try_out(job: Job, folder: Path, *, with_report: bool = False) -> TryOut:
    """Trains the job in this process. Raises TrainingError."""
    from training.display import Display

    display = Display()
    started = time.monotonic()
    made_from = provenance.find_provenance(job, folder)
    display.phase("load", "loading torch")
    with import_large_libraries():
        from training.fit import fit
        from training.highlights import list_highlights
        from training.progress import Teller
        from training.recipe.make import Inputs
        from training.report.energy import Meter
        from training.trainer import find_device, read_weights_file

        if with_report:
            from training.evidence import gather_evidence
            from training.judgement import judge

    class TryOutCallback(Teller):
        """Reports progress, and keeps nothing."""

        def after(
            self,
            job: Job,
            progress: Callable[[], Progress],
            state: TrainerState,
            *,
            rows: int,
            epoch_ended: bool,
            last: bool,
        ) -> None:
            self.tell(job, state, rows, last=last)

    chosen = find_device(job)
    init = read_weights_file(job.init_from.path, folder) if job.init_from and job.init_from.path else None
    inputs = Inputs(folder, secrets.token_bytes(32), secrets.token_bytes(32), chosen, init, made_from)
    with user_code.blame(job.model), Meter((0,) if chosen == "cuda" else ()) as meter:
        callback = TryOutCallback(display, lambda: time.monotonic() - started, meter, Progress())
        result = fit(job, inputs, Progress(), callback)
        page = None
        if with_report:
            callback.phase("report", "writing the report")
            evidence = gather_evidence(result, meter.energy(), callback.durations(), made_from, chosen)
            page = judge(job, evidence, None).page()
    display.close()
    training_seconds = callback.durations().get("train", 0.0)
    lines = tuple(list_highlights(result, shown=True))
    return TryOut(result, meter.energy(), time.monotonic() - started, page, training_seconds, lines)


def summary(job: Job, tried: TryOut) -> str:
    """Returns lines with the model, its metrics and its cost."""
    trained, outcome = tried.result.trained, tried.result.outcome
    epochs, reason = outcome["epochs_run"], outcome["stop_reason"]
    stopped = "" if reason == "epochs" else f" (ended by {reason})"
    took = f"{units.duration(tried.training_seconds)} of training, {units.duration(tried.seconds)} in all"
    done = f"{counted(len(trained.train), 'row')}, {counted(epochs, 'epoch')}{stopped}, {took}"
    lines = [
        f"\n{units.name(without_credentials(job.model))} on {units.name(without_credentials(job.dataset))}: {done}",
        f"energy: {units.energy(tried.energy.joules)}, {tried.energy.method}",
        f"metrics of {counted(len(trained.held_out), 'held-out row')}:",
    ]
    metrics = outcome["metrics"]
    lines[2:2] = tried.highlights
    width = max(map(len, metrics), default=0)
    lines += [f"  {name:<{width}}  {units.number(value)}" for name, value in metrics.items()]
    digest = hashlib.sha256(tried.result.model).hexdigest()
    return "\n".join([*lines, f"content digest: {digest}, {units.size(len(tried.result.model))} of ONNX"])


def _write(wanted: CommandLine, tried: TryOut, *, passed: bool) -> None:
    """Writes whole files or nothing. Others can never read them, even if an old file allowed that. Writes only the
    report of a model that its gates refuse.
    """
    from sealift.durable.new_file import write_file

    model = tried.result.model if passed else None
    for path, content in ((wanted.onnx, model), (wanted.report, tried.report)):
        if path is not None and content is not None:
            try:
                write_file(path.absolute(), content)
            except OSError as error:
                raise TrainingError(f"{path} cannot be written: {error.strerror}", "give another file") from error
            print(f"wrote {path}", file=sys.stderr)


def _fail(message: str, hint: str = "") -> int:
    told = units.printable(f"error: {message}" + (f"\nhint: {hint}" if hint else ""))
    print(told, file=sys.stderr)
    return 1
