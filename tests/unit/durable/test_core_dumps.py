"""A process with private keys leaves no core dump, whatever the kernel does with those of others."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[3]
TELL = """
import ctypes, resource
{body}
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""
BODIES = {
    "the call": "from sealift.durable import core_dumps; core_dumps.forbid()",
    "a program": "from components.validated_args import Checked\n"
    "from components.settings.store import StoreSettings\n"
    "Checked('store', StoreSettings, {'url': 'file:///srv/store'})",
}


def told(body: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", TELL.format(body=body)], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


@pytest.mark.parametrize("name", BODIES)
def test_a_process_with_private_keys_is_not_dumped(name: str) -> None:
    assert told("pass").endswith(" 1"), "as a process starts"
    assert told(BODIES[name]) == "(0, 0) 0"


def test_the_plugin_forbids_it_before_it_serves() -> None:
    plugin = subprocess.Popen(
        [sys.executable, "-m", "components.plugin", "127.0.0.1:1"], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert plugin.stdout is not None and plugin.stdout.readline().strip().isdigit(), "its port"
        limits = Path(f"/proc/{plugin.pid}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits)
    finally:
        plugin.kill()
        plugin.communicate()
