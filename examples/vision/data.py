"""Handwritten digits as images: real scans that scikit-learn ships."""

from typing import Any

import numpy as np
from sklearn.datasets import load_digits


def load() -> dict[str, Any]:
    """Returns features FP32 (1797, 1, 8, 8), 0 (paper) to 16 (ink), and target int64 (1797,), the digit."""
    pixels, digits = load_digits(return_X_y=True)
    return {
        "features": pixels.reshape(-1, 1, 8, 8).astype(np.float32),
        "target": digits.astype(np.int64),
        "classes": [str(digit) for digit in range(10)],
    }
