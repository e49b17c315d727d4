"""How the tests spread over processes (pytest-xdist), unless `-n` says otherwise.

Unit tests mostly wait: for processes that load torch, for kills, for ends of time; so there are more workers than
processors. Engine and cluster tests share one machine's Docker, registry and cluster and stay in one of them, in order.
"""

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MOST_WORKERS = 8
IN_ORDER = ("engine", "cluster")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """None for chosen files or tests: starting workers takes longer than most of them run."""
    if all("::" in chosen or chosen.endswith(".py") for chosen in config.args):
        return 0
    return min(2 * (os.cpu_count() or 1), MOST_WORKERS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.path.is_relative_to(HERE / suite) for suite in IN_ORDER):
            item.add_marker(pytest.mark.xdist_group("one stack at a time"))
