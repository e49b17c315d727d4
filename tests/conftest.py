"""How the tests spread over processes (pytest-xdist), unless `-n` says otherwise.

Most tests wait: for processes that load torch, for kills, for ends of time; so there are more workers than processors.
Cluster tests, which share Docker, registry and cluster, stay in one of them, in order.
"""

import os

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

MOST_WORKERS = 8


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """None for chosen files or tests: starting workers takes longer than most of them run."""
    if all("::" in chosen or chosen.endswith(".py") for chosen in config.args):
        return 0
    return min(2 * (os.cpu_count() or 1), MOST_WORKERS)


class ClusterInOrder(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Each test goes to whichever worker is free, and all cluster tests to one.

    pytest-xdist's own groups are lost with pytest 9.2, whose tests keep the names that they were collected with.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "cluster" if nodeid.startswith("tests/cluster/") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ClusterInOrder:
    return ClusterInOrder(config, log)
