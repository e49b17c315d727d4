"""What killed runs leave of leases goes with the next run, whatever that one's name is; what may be held stays."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sealift.stores import Store, hold_lease, open_store
from sealift.stores.lease import _Term
from sealift.stores.store import LEASES

OWN, OTHER = "ab" * 32, "cd" * 32
KILLED = """
import os, signal, sys
from sealift.stores import hold_lease, open_store
with hold_lease(open_store(sys.argv[1]), sys.argv[2]):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def store(store_url: str) -> Store:
    return open_store(store_url)


def test_the_lease_of_a_killed_run_goes_with_the_next_run_of_any_name(store: Store, store_url: str) -> None:
    root = Path(__file__).resolve().parents[3]
    subprocess.run([sys.executable, "-c", KILLED, store_url, OTHER], cwd=root, check=False)
    assert store.names(LEASES) == [OTHER]

    with hold_lease(store, OWN):
        assert store.names(LEASES) == [OWN]
    assert store.names(LEASES) == []


def test_the_lease_of_a_living_run_stays(store: Store) -> None:
    with hold_lease(store, OTHER) as fence, hold_lease(store, OWN):
        fence.check()


@pytest.mark.parametrize("renewed", [True, False])
def test_another_machine_s_lease_goes_once_nobody_has_renewed_it_for_an_expiry(store: Store, renewed: bool) -> None:
    elsewhere = replace(_Term.new(), machine="elsewhere")
    version = store.swap(LEASES, OTHER, elsewhere.encode(), None)

    with hold_lease(store, OWN, expiry_seconds=0.05):
        assert store.names(LEASES) == [OWN, OTHER]
        if renewed:
            store.swap(LEASES, OTHER, replace(elsewhere, beat=1).encode(), version)
        time.sleep(0.1)

    assert store.names(LEASES) == ([OTHER] if renewed else [])


def test_another_machine_s_lease_is_not_judged_before_that(store: Store) -> None:
    store.swap(LEASES, OTHER, replace(_Term.new(), machine="elsewhere").encode(), None)

    with hold_lease(store, OWN, expiry_seconds=3600):
        pass

    assert store.names(LEASES) == [OTHER]
