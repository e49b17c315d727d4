"""What holds for every command: its help, its exit codes, pipes, Ctrl-C, and what it loads."""

import json
import os
import re
import select
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from docs.parsers import subparsers
from sealift.command.meter import ByteMeter, size_text
from sealift.command.parser import COMMANDS, make_parser
from sealift.command.subcommand import EXIT_CODES
from sealift.command.terminal import Terminal, printable
from sealift.sealing import seal
from sealift.stores import MANIFESTS
from tests.documented import PROJECT_ROOT
from tests.keys import key_pair
from tests.unit.command.typed import SEALIFT, environment, hear_interrupts, is_refused, key_files, sealift, succeeds

NAMES = [one.name for one in COMMANDS]
HEAVY = {"boto3", "botocore", "numpy", "onnxruntime", "hvac", "requests", "torch", "pulumi", "grpc"}


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_a_command_is_complete(name: str) -> None:
    text = succeeds(name, "--help").output.decode()

    (command,) = (one for one in COMMANDS if one.name == name)
    assert " ".join(command.description.split()) in " ".join(text.split())
    assert f"usage: sealift {name}" in text and "--json" in text
    assert all(line in text for line in command.examples.splitlines())
    assert EXIT_CODES.strip() in text
    assert command.summary in " ".join(make_parser().format_help().split())


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_a_command_are_what_its_parser_reads(name: str) -> None:
    (command,) = (one for one in COMMANDS if one.name == name)

    own = re.findall(rf"sealift {name}[^|<>)\n]*", command.examples)

    assert len(own) >= 2
    for line in own:
        assert make_parser().parse_args(shlex.split(line)[1:]).run is command.run


def test_the_parser_has_every_command_and_the_server() -> None:
    assert [name for name, _ in subparsers(make_parser())] == [*NAMES, "serve"]


@pytest.mark.parametrize("module", ["sealift", "sealift.sealing"])
def test_both_modules_are_the_command(module: str) -> None:
    ran = subprocess.run([sys.executable, "-m", module, "--help"], cwd=PROJECT_ROOT, capture_output=True, text=True)

    assert ran.returncode == 0 and ran.stdout.startswith("usage: sealift [-h]")


def test_help_loads_no_heavy_package() -> None:
    program = f"""if True:
        import sys
        from sealift.__main__ import main
        try:
            main(["--help"])
        except SystemExit:
            print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)
    """

    ran = subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)

    assert ran.stderr == "[]\n"


def test_the_server_s_process_does_not_load_the_commands() -> None:
    program = """if True:
        import sys
        from sealift.__main__ import main
        main(["serve"])
        print(sorted(one for one in sys.modules if one.startswith(("sealift.command", "sealift.sealing"))))
    """

    ran = subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)

    assert ran.stdout == "[]\n"


@pytest.mark.parametrize("arguments", [(), ("keys",), ("list",), ("list", "--stores", "x"), ("open", "--ident", "x")])
def test_a_wrong_command_line_ends_with_2_and_a_hint(arguments: tuple[str, ...]) -> None:
    is_refused(sealift(*arguments), "--help`", code=2)


def test_a_pipe_that_closes_early_ends_the_command_quietly(tmp_path: Path) -> None:
    folder = tmp_path / MANIFESTS
    folder.mkdir()
    fields = json.loads(seal(b"", {}, [key_pair(0).recipient]).manifest)
    for number in range(3000):
        fields["artifactId"] = f"{number:032x}"
        (folder / fields["artifactId"]).write_text(json.dumps(fields, sort_keys=True, separators=(",", ":")))
    process = subprocess.Popen(
        [*SEALIFT, "list", "--json", "--store", f"file://{tmp_path}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    )  # fmt: skip
    assert process.stdout and process.stderr

    first = process.stdout.readline()
    process.stdout.close()

    assert json.loads(first)["artifactId"] == "0" * 32
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_closed_output_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    closed = f"{shlex.join(SEALIFT)} keygen -o key.pem >&-"

    ran = subprocess.run(["bash", "-c", closed], cwd=tmp_path, capture_output=True, env=environment(), check=False)

    assert (ran.returncode, list(tmp_path.iterdir())) == (1, [])
    assert ran.stderr == b"error: standard output and standard error must be open\n"


def test_a_pipe_that_nobody_reads_gets_no_plaintext_and_no_complaint(tmp_path: Path) -> None:
    private, public = key_files(tmp_path)
    succeeds("seal", "-", "-r", public, "-o", tmp_path / "model", given=bytes(1 << 20))
    reading, writing = os.pipe()
    os.close(reading)

    place = ("--payload", str(tmp_path / "model.payload"), "--manifest", str(tmp_path / "model.manifest"))
    ran = subprocess.run(
        [*SEALIFT, "open", *place, "-i", str(private)],
        stdout=writing, stderr=subprocess.PIPE, env=environment(), check=False,
    )  # fmt: skip
    os.close(writing)

    assert (ran.returncode, ran.stderr) == (141, b"")


def test_ctrl_c_while_opening_leaves_no_file(tmp_path: Path) -> None:
    private, public = key_files(tmp_path)
    succeeds("seal", "-", "-r", public, "-o", tmp_path / "model", given=bytes(4 << 20))
    slow = tmp_path / "slow"
    os.mkfifo(slow)
    process = subprocess.Popen(
        [
            *SEALIFT, "open", "--payload", str(slow), "--manifest", str(tmp_path / "model.manifest"),
            "-i", str(private), "-o", str(tmp_path / "plain"),
        ],
        stderr=subprocess.PIPE, env=environment(), preexec_fn=hear_interrupts,
    )  # fmt: skip
    with slow.open("wb") as payload:  # once the command has opened its end
        payload.write((tmp_path / "model.payload").read_bytes()[: 3 << 20])
        payload.flush()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)

    assert process.returncode == 130 and b"Traceback" not in errors
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("plain")]


def test_long_work_has_a_bar_on_a_terminal_which_is_gone_at_the_end(tmp_path: Path) -> None:
    _, public = key_files(tmp_path)
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [*SEALIFT, "seal", "-", "-r", str(public), "-o", str(tmp_path / "model")],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=theirs, env=environment(),
    )  # fmt: skip
    os.close(theirs)
    assert process.stdin
    while not select.select([ours], [], [], 0.1)[0]:  # the work is long until there is a bar
        process.stdin.write(bytes(1 << 20))
    process.stdin.close()
    said = b""
    while piece := _read(ours):
        said += piece
    os.close(ours)

    assert process.wait(timeout=60) == 0
    assert re.search(rb"sealing  [\d.]+ \wB  [\d.]+ \wB/s", said)
    assert said.endswith(b"\r\x1b[K")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""


def test_a_bar_shows_the_share_of_a_known_size() -> None:
    meter = ByteMeter("opening", 2_000_000)
    meter.add(500_000)

    assert meter.line(0.5) == "opening [######..................]  25% of 2 MB  1 MB/s"
    assert [size_text(size) for size in (0, 999, 1000, 999_900, 2.4e9)] == ["0 B", "999 B", "1 kB", "1 MB", "2.4 GB"]


def test_text_of_others_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\u202e\nc") == "a\\x1b[2Jb\\u202e\nc"


def test_an_error_is_one_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().complain("a\nhint: b\r\x1b[2J")

    assert capsys.readouterr().err == "error: a hint: b\\r\\x1b[2J\n"


def test_a_full_disk_is_an_error_without_a_file(tmp_path: Path) -> None:
    """A limit on the size of files ends writing as a full disk does."""
    _, public = key_files(tmp_path)
    (tmp_path / "model").write_bytes(bytes(4 << 20))
    limited = f"ulimit -f 1024; exec {shlex.join(SEALIFT)} seal model -r {public} -o out"

    ran = subprocess.run(["bash", "-c", limited], cwd=tmp_path, capture_output=True, text=True, env=environment())

    assert (
        ran.returncode == 1
        and ran.stderr.startswith("error: out.payload: File too large\n")
        and "Traceback" not in ran.stderr
    )
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("out")]
