"""A container's figures, from trees as the kernel shows them."""

from pathlib import Path

import pytest

from sealift.serving.metrics.cgroup import Usage, cpus, families, usage

VERSION_2 = {
    "proc/self/cgroup": "0::/pod/server\n",
    "sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
    "sys/fs/cgroup/pod/cpu.max": "150000 100000\n",
    "sys/fs/cgroup/pod/memory.max": "max\n",
    "sys/fs/cgroup/pod/server/cpu.max": "max 100000\n",
    "sys/fs/cgroup/pod/server/cpu.stat": "usage_usec 2500000\nnr_throttled 3\nthrottled_usec 500000\n",
    "sys/fs/cgroup/pod/server/memory.max": "268435456\n",
    "sys/fs/cgroup/pod/server/memory.current": "100000000\n",
    "sys/fs/cgroup/pod/server/memory.stat": "anon 5\ninactive_file 40000000\n",
}
VERSION_1 = {
    "proc/self/cgroup": "5:memory:/pod\n4:cpu,cpuacct:/pod\n0::/\n",
    "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "150000\n",
    "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    "sys/fs/cgroup/cpu/cpu.stat": "nr_throttled 3\nthrottled_time 500000000\n",
    "sys/fs/cgroup/cpuacct/cpuacct.usage": "2500000000\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "268435456\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": "100000000\n",
    "sys/fs/cgroup/memory/memory.stat": "inactive_file 1\ntotal_inactive_file 40000000\n",
}
"""Without a namespace for them: the path is the host's, and the mount is the group itself."""
FIGURES = Usage(2.5, 0.5, 1.5, 60_000_000, 268_435_456)


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.mark.parametrize("files", [VERSION_2, VERSION_1], ids=["2", "1"])
def test_both_versions_say_the_same(tmp_path: Path, files: dict[str, str]) -> None:
    assert usage(tree(tmp_path, files)) == FIGURES


@pytest.mark.parametrize(
    "changed",
    [
        {name: "max 100000\n" if name.endswith("cpu.max") else "max\n" for name in VERSION_2 if "max" in name},
        {"proc/self/cgroup": "nonsense\n"},
        dict.fromkeys(VERSION_2, ""),
    ],
    ids=["no limits", "no group", "empty"],
)
def test_what_is_not_limited_or_not_told_is_no_number(tmp_path: Path, changed: dict[str, str]) -> None:
    now = usage(tree(tmp_path, VERSION_2 | changed))

    assert (now.cpu_limit, now.memory_limit_bytes) == (None, None)
    assert all("limit" not in family.name for family in families(tmp_path))


def test_version_1_says_no_limit_as_a_large_number(tmp_path: Path) -> None:
    none = {
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
    }
    now = usage(tree(tmp_path, VERSION_1 | none))

    assert (now.cpu_limit, now.memory_limit_bytes) == (None, None)


def test_no_more_cores_than_the_limit(tmp_path: Path) -> None:
    tree(tmp_path, VERSION_2 | {"sys/fs/cgroup/pod/cpu.max": "50000 100000\n"})

    assert cpus(tmp_path) == 0.5
    assert cpus(tmp_path / "nothing there") >= 1
    assert usage(tmp_path / "nothing there") == Usage()
