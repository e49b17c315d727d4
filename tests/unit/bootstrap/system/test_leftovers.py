"""Removing what daemons leave: only below our folders, our network's notes, shims of our containerd."""

import contextlib
import subprocess
from pathlib import Path

import pytest

from bootstrap.system import leftovers

MOUNTINFO = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 22 0:41 / /c/.tools/cluster/kubelet/pods/1/volumes/key rw - tmpfs tmpfs rw
41 22 0:42 / /c/.tools/cluster/kubelet/pods/1/volumes/key/deeper rw - tmpfs tmpfs rw
42 22 0:43 / /c/.tools/cluster-of-another rw - tmpfs tmpfs rw
43 22 0:44 / /run/sealift/a\\040space rw - tmpfs tmpfs rw
"""


def test_mounts_are_listed_deepest_first_and_only_ours() -> None:
    """A folder whose name merely begins like ours is another's."""
    found = leftovers.mounts_under([Path("/c/.tools/cluster"), Path("/run/sealift")], MOUNTINFO)

    assert found == [
        "/c/.tools/cluster/kubelet/pods/1/volumes/key/deeper",
        "/c/.tools/cluster/kubelet/pods/1/volumes/key",
        "/run/sealift/a space",
    ]


SCRIPT = "echo up; read line"


def test_only_a_shim_that_reports_to_our_socket_ends(tmp_path: Path) -> None:
    """An editor, a client or another containerd's shim may have the path in its arguments too."""
    ours = tmp_path / "one.sock"  # another run of this test on the machine must not find it
    shim = tmp_path / "containerd-shim-runc-v2"
    shim.write_bytes(Path("/bin/sh").read_bytes())
    shim.chmod(0o755)
    wait = [str(shim), "-c", SCRIPT, "sh"]
    others = [
        [*wait, "-address", f"{ours}.other"],
        [*wait, "-publish-binary", str(ours)],
        ["/bin/sh", "-c", SCRIPT, "ctr", "-address", str(ours)],
        ["/bin/sh", "-c", SCRIPT, "vim", str(ours)],
    ]
    with contextlib.ExitStack() as stack:
        start = [
            stack.enter_context(subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            for argv in [*others, [*wait, "-address", str(ours)]]
        ]
        *theirs, mine = start
        for one in start:  # for a moment after it was started, a program has no arguments in /proc
            assert one.stdout is not None
            assert one.stdout.readline() == b"up\n"

        assert leftovers.end_shims_of(ours) == 1

        assert mine.wait(timeout=10) == -9
        assert [one.poll() for one in theirs] == [None] * len(others)
        for one in theirs:
            one.kill()


def test_notes_of_other_networks_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sealift-abc-eth0", "cni-loopback-abc-lo", "podman-def-eth0", "cni-loopback-def-lo"):
        (tmp_path / name).touch()
    monkeypatch.setattr(leftovers, "CNI_STATE", (tmp_path,))

    leftovers.forget_network("sealift")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["cni-loopback-def-lo", "podman-def-eth0"]


def test_log_links_of_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = tmp_path / "pod-logs"
    links = tmp_path / "containers"
    links.mkdir()
    (links / "ours.log").symlink_to(logs / "ns_pod_1" / "0.log")
    (links / "theirs.log").symlink_to("/var/log/pods/x/0.log")
    monkeypatch.setattr(leftovers, "CONTAINER_LOGS", links)

    leftovers.forget_logs(logs)

    assert [path.name for path in links.iterdir()] == ["theirs.log"]


def test_a_folder_with_a_mount_in_it_is_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    """/proc is always mounted; deleting through a mount would take what is not ours."""
    touched: list[Path] = []
    monkeypatch.setattr("shutil.rmtree", lambda folder, **_: touched.append(folder))

    leftovers.remove(Path("/proc"))

    assert touched == []


def test_another_distributions_socket_for_device_plugins_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kubelet makes it at the same place: only the one that ours has made goes."""
    monkeypatch.setattr(leftovers, "DEVICE_PLUGINS", tmp_path)
    made, note = tmp_path / "kubelet.sock", tmp_path / "note"

    made.touch()
    leftovers.remove_device_plugins(note)
    assert made.exists(), "ours never ran"

    leftovers.note_device_plugins(note)
    made.unlink()
    made.touch()
    leftovers.remove_device_plugins(note)
    assert made.exists(), "another kubelet has made it anew"

    leftovers.note_device_plugins(note)
    leftovers.remove_device_plugins(note)
    assert not made.exists()
