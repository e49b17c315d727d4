"""The loop of `training`, in the pinned environment of a training process, which makes its results repeatable."""

import os

from benchmarks.training.cases import LEARNING_RATE, SEED, Case, Run
from training.recipe.processor import pin


def start(case: Case, threads: int, epochs: int) -> Run:
    """Returns a loop that can run up to `epochs` epochs."""
    pins = pin(os.environ, bf16=False)
    for name in os.environ.keys() - pins.keys():
        del os.environ[name]
    os.environ.update(pins)
    from training.job import Job
    from training.recipe.datasets.dataset import TensorRows
    from training.recipe.sgd import Loop, make_repeatable

    job = Job(batch_size=case.batch_size, epochs=epochs, learning_rate=LEARNING_RATE, seed=SEED, threads=threads)
    generator = make_repeatable(job)
    loop = Loop(job, case.net(), TensorRows(*case.data()), generator, case.loss())
    whole_epochs = (None for whole in loop.epochs() if whole)

    def run(epochs: int) -> float:
        for _ in range(epochs):
            next(whole_epochs)
        return loop.state.loss

    return run
