"""How the tests spread over processes (pytest-xdist), unless `-n` says otherwise.

Most tests wait: for processes that load torch, for kills, for ends of time; so there are more workers than processors.
Engine tests stay in one of them, in order, and cluster tests, which share Docker, registry and cluster, in another.
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
        suite = item.path.relative_to(HERE).parts[0]
        if suite in IN_ORDER:
            item.add_marker(pytest.mark.xdist_group(suite))
