"""`python -m training`: trains a model and shows its metrics (try_out.py), without a stack, a store or a key.

python -m training --dataset data.csv --target churned     a run with a progress bar; --help lists the options
python -m training report …                                shows a sealed run's report (report/show.py)
python -m training check                                   checks a run's data for a preview (data_check.py)
python -m training pod FOLDER                              trains one run in a pod (pod.py)
python -m training --events FD                             one sealed run, for the process that starts it
                                                           (on_request.py defines its input and output)
"""

import sys

from training.process import leave


def main() -> int:
    """Returns the exit code: 0 done · 1 an error was printed · 2 a wrong command line · 130 cancelled."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["report"]:
        from training.report.show import main as show

        try:
            status = show(arguments[1:])
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, such as `head`, has enough
            return 0
        return status
    if arguments[:1] == ["check"]:
        from training.data_check import main as check

        return check()
    if arguments[:1] == ["pod"]:
        from training.pod import main as train_in_pod

        return train_in_pod(arguments[1:])
    if any(argument.partition("=")[0] == "--events" for argument in arguments):
        from training.on_request import main as answer

        return answer(arguments)
    from training.try_out import main as try_out

    return try_out(arguments)


if __name__ == "__main__":
    leave(main())
