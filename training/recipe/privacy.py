"""Differentially private SGD (Abadi et al. 2016): rows drawn at random, gradients clipped row by row, noise added.

Opacus computes each row's gradient, clips it, and accounts for the budget. The randomness is ours: a stream keyed by
the run's key and everything that the run is made from, so that the owner of the key can repeat a run, and nobody else
can subtract the noise. (A generator with a 32-bit seed, such as torch's, could be guessed.)

The budget covers the weights. Anything else that would reveal rows is made without them: quality.ranges scales the
columns.
"""

# ruff: noqa: N803 (names of tensors carry the letters of their shape)

import contextlib
import hashlib
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from opacus import GradSampleModule
from opacus.accountants import RDPAccountant
from opacus.accountants.utils import get_noise_multiplier
from opacus.optimizers import DPOptimizer
from opacus.validators import ModuleValidator
from torch import nn

from sealift.names import counted
from training.errors import ModelError
from training.job import Job
from training.options import Privacy
from training.recipe.datasets import quality
from training.recipe.datasets.dataset import Dataset
from training.recipe.scaling import Scale, Scales
from training.recipe.step import Gradient, Loss

TERMS: Final = 4
"""Number of normal values added up into one, against attacks on the last bits of one (Holohan, Braghin 2021)."""


@dataclass(frozen=True)
class Mechanism:
    """Amount of noise, sampling rate of the rows, and number of steps."""

    wanted: Privacy
    rows: int
    sample_rate: float
    steps: int
    """Steps of each epoch."""
    noise_multiplier: float

    @staticmethod
    def of(wanted: Privacy, rows: int, batch_size: int, epochs: int) -> "Mechanism":
        """Returns the mechanism with the least noise that keeps epsilon over all epochs, or with the given noise.
        Raises ModelError.
        """
        steps, rate = math.ceil(rows / batch_size), min(1.0, batch_size / rows)
        noise = wanted.noise_multiplier
        try:
            if noise is None:
                with _silence_warnings():
                    noise = get_noise_multiplier(
                        target_epsilon=wanted.epsilon or 0.0, target_delta=wanted.delta, sample_rate=rate,
                        steps=epochs * steps, accountant="rdp",
                    )  # fmt: skip
        except ValueError as error:
            raise ModelError(
                f"privacy.epsilon is {wanted.epsilon}, which no amount of noise keeps over {counted(epochs, 'epoch')}",
                "raise epsilon, or lower epochs or batchSize",
            ) from error
        return Mechanism(wanted, rows, rate, steps, noise)

    def epsilon(self, epochs: int) -> float:
        """Returns the budget that the epochs spend, by Rényi accounting (Mironov 2017)."""
        accountant = RDPAccountant()
        accountant.history = [(self.noise_multiplier, self.sample_rate, epochs * self.steps)]
        with _silence_warnings():
            spent: float = accountant.get_epsilon(delta=self.wanted.delta)
        return spent


class NoiseGenerator:
    """Generator of normal numbers from a ChaCha20 stream. Its state is the position in the stream."""

    def __init__(self, key: bytes) -> None:
        """`key` is 32 bytes that nobody can guess."""
        self._key = key
        self.set_state(torch.zeros(1, dtype=torch.int64))

    def get_state(self) -> torch.Tensor:
        """Returns the position, int64 (1,)."""
        return torch.tensor([self._read])

    def set_state(self, state: torch.Tensor) -> None:
        """Continues from this position."""
        self._read = int(state)
        self._stream = Cipher(ChaCha20(self._key, _make_counter(self._read // 64, bytes(8))), mode=None).encryptor()
        self._stream.update(bytes(self._read % 64))

    def normal(self, shape: Sequence[int], deviation: float) -> torch.Tensor:
        """Returns FP32 numbers of this shape (Box, Muller 1958)."""
        count = math.prod(shape)
        first, second = self._uniform(TERMS * count), self._uniform(TERMS * count)
        drawn = np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)
        summed = drawn.reshape(TERMS, count).sum(axis=0) / math.sqrt(TERMS) * deviation
        return torch.from_numpy(summed.astype(np.float32)).reshape(tuple(shape))

    def _uniform(self, count: int) -> "np.ndarray[Any, np.dtype[np.float64]]":
        self._read += 8 * count
        return make_uniform(self._stream.update(bytes(8 * count)))


def make_uniform(content: bytes) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Returns one number above 0 and at most 1 for each 8 bytes."""
    return ((np.frombuffer(content, "<u8") >> np.uint64(11)) + np.uint64(1)).astype(np.float64) * 2.0**-53


@dataclass(frozen=True)
class PoissonDraw:
    """Draw in which each row is in each batch with the same probability, independent of other rows, as the accounting
    assumes.
    """

    key: bytes
    mechanism: Mechanism

    def __call__(self, count: int, generator: torch.Generator) -> Sequence[torch.Tensor]:
        """Draws the batches of an epoch. The generator only distinguishes epochs."""
        nonce = hashlib.sha256(generator.get_state().numpy().tobytes()).digest()[:8]
        torch.rand(1, generator=generator)
        stream = Cipher(ChaCha20(self.key, _make_counter(0, nonce)), mode=None).encryptor()
        rate = self.mechanism.sample_rate
        drawn = (make_uniform(stream.update(bytes(8 * count))) <= rate for _ in range(self.mechanism.steps))
        return [torch.from_numpy(np.flatnonzero(mine)) for mine in drawn]


def make_private_gradient(
    net: nn.Module, loss: Loss, job: Job, mechanism: Mechanism, noise: NoiseGenerator
) -> Gradient:
    """Returns the gradient of a batch of PoissonDraw. Raises ModelError for a network without separate gradients per
    row.
    """
    errors = ModuleValidator.validate(net.train(), strict=False)
    if errors:
        raise ModelError(
            f"{job.model} cannot be trained with privacy: {str(errors[0]).splitlines()[0]}",
            "each row's gradient must not depend on other rows: use group instead of batch normalisation",
        )
    rows = GradSampleModule(net)
    parameters = [one for one in net.parameters() if one.requires_grad]
    clipping = DPOptimizer(
        torch.optim.SGD(parameters, lr=1.0),
        noise_multiplier=0.0,  # we add the noise ourselves
        max_grad_norm=mechanism.wanted.max_gradient_norm,
        expected_batch_size=None,
        loss_reduction="sum",
    )
    deviation = mechanism.noise_multiplier * mechanism.wanted.max_gradient_norm
    expected = mechanism.sample_rate * mechanism.rows

    def gradient(x_BS: torch.Tensor, y_B: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        clipping.zero_grad()
        mean = torch.zeros(())
        if len(x_BS):
            with _silence_warnings():
                mean = loss(rows(x_BS), y_B)
                torch.autograd.backward(mean)
            clipping.pre_step()
        gradients = []
        for parameter in parameters:
            clipped = parameter.grad if len(x_BS) and parameter.grad is not None else torch.zeros_like(parameter)
            drawn = noise.normal(parameter.shape, deviation).to(parameter.device)
            gradients.append((clipped + drawn) / expected)
        return mean.detach(), gradients

    return gradient


def make_public_scales(dataset: Dataset, ranges: Mapping[str, tuple[float, float]], target: str) -> Scales:
    """Returns scales of public ranges of the columns, not of their rows. Raises DataError for a column without a range.

    A category's column is 0 or 1; images, sounds and words stay as they are.
    """
    quality.demand_ranges(dataset.feature_names, dataset.task, ranges, target)
    known = [ranges.get(name, (0.0, 1.0)) for name in dataset.feature_names]
    features = _make_scale(known) if known else None
    return Scales(features, _make_scale([ranges[target]]) if dataset.task == "regression" else None)


@contextlib.contextmanager
def _silence_warnings() -> Iterator[None]:
    """Silences Opacus's warnings about orders that could bound the budget more tightly, and about torch's hooks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _make_scale(ranges: Sequence[tuple[float, float]]) -> Scale:
    low, high = torch.tensor(ranges, dtype=torch.float64).T
    return Scale.of((low + high) / 2, (high - low) / math.sqrt(12))  # as if all values in between were equally likely


def _make_counter(block: int, nonce: bytes) -> bytes:
    return block.to_bytes(8, "little") + nonce
