"""The commands of the documents, typed in a checkout in their order, and what the text says of them.

tests/typed_commands.py says what must be seen; the server's own page is typed in tests/process.
"""

import datetime
import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sealift.sealing import RsaIdentity, open_artifact
from sealift.sealing.manifest import parse_manifest
from sealift.serving.model import Model
from sealift.serving.tensor import KINDS
from sealift.stores import get_manifest, get_payload, open_store
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import checkout, free_node_port
from tests.cluster.shell import Shell
from tests.documented import DOCUMENTS, Block, block, blocks
from tests.stack import PROJECT_ROOT
from tests.typed_commands import BY_A_PROCESS, MENTIONED, NOT_TYPED, SERVES, step_of

BLOCKS = [one for path in DOCUMENTS for one in blocks(path) if one.is_typed and one.document not in BY_A_PROCESS]
VARIES = re.compile(r"[0-9a-f]{8,}…?|(?<=sealift_)\S+|[\d.,]*\d")
"""Numbers, digests and ids, each of its own run."""
LEAST = {
    "vision": ("accuracy", 0.95),
    "language": ("accuracy", 0.9),
    "recommendation": ("r2", 0.7),
    "voice": ("accuracy", 0.9),
}
"""What each example must reach on rows that it never saw; its README says what it does reach."""
GAP = "…"
SPINNER = re.compile(r"^@ \w+[.|/\\\-\s\x08]*")


@pytest.fixture(scope="module")
def shell(cluster: Cluster, home: Path) -> Iterator[Shell]:
    """In a checkout with what the documents take for granted: a table, a network, no stack yet."""
    made = Shell(checkout(home / "checkout"), home)
    made.borrow_tools()
    made.type(f"pulumi stack init dev && pulumi config set --path deployment.nodePort {free_node_port()}")
    (made.folder / "data").mkdir()
    (made.folder / "data" / "churn.csv").write_text(churn())
    (made.folder / "data" / "wine.py").write_text("\n".join(block("docs/tutorial.md", "# data/wine.py").lines) + "\n")
    (made.folder / "models").mkdir()
    (made.folder / "models" / "nets.py").write_text("\n".join(block("README.md", "# models/nets.py").lines) + "\n")
    yield made
    made.destroy()


@pytest.fixture(scope="module")
def first_up(shell: Shell) -> str:
    """What `make up` says at its first time, on a terminal."""
    return shell.make_up(on_a_terminal=True)


def churn() -> str:
    """A table with the README's columns: who is young or has called often leaves."""
    day = datetime.date(2025, 1, 1)
    rows = [
        f"{day + datetime.timedelta(row)},user{row}@example.com,{18 + row * 7 % 70},{row * 5 % 9},{row * 13 % 401}.5,"
        f"{'yes' if row * 7 % 70 < 30 or row * 5 % 9 > 6 else 'no'}"
        for row in range(400)
    ]
    return "\n".join(["signed_up,email,age,calls,spent,churned", *rows]) + "\n"


def assert_shown(sample: list[str], said: str) -> None:
    """Each line of a document's sample is there, in its order, but for numbers; "…" stands for what is left out, of
    the lines or at the end of one.
    """
    lines = iter([like(line) for line in said.splitlines()])
    for wanted in (like(line) for line in sample if line.strip() not in ("", GAP)):
        begin, gap, _ = wanted.partition(f" {GAP}")
        assert any(line.startswith(begin) if gap else line == wanted for line in lines), f"{wanted!r}\n{said}"


def like(line: str) -> str:
    """Without what differs from run to run."""
    return " ".join(VARIES.sub("#", SPINNER.sub("", line)).split())


def test_the_readme_shows_what_make_up_prints(first_up: str) -> None:
    sample = list(block("README.md", "✓ Python environment").lines)
    end_of_set_up = sample.index(GAP)

    assert_shown(sample[end_of_set_up:], first_up)
    assert "shown only once: sealift_" in first_up


def test_a_second_make_up_changes_nothing_and_a_log_of_it_has_no_key(shell: Shell, first_up: str) -> None:
    said = shell.make_up(on_a_terminal=False)

    assert "17 unchanged" in said
    assert shell.outputs()["apiKeys"]["default"] not in said
    assert "pulumi stack output apiKeys --show-secrets" in said
    [ask] = re.findall(r"^  (curl .*)$", said, re.MULTILINE)
    assert '"outputs"' in shell.type(ask)


def test_a_store_has_the_folders_that_the_format_names(shell: Shell, first_up: str) -> None:
    lines = block("docs/reference/format-v1.md", "payloads/<artifact id>").lines
    there = {path.name for path in (shell.home / ".sealift" / "store").iterdir() if path.is_dir()}

    assert there == set(re.findall(r"(\w+)/<", "\n".join(lines))) - {"signatures", "tombstones"}, "nothing is signed"


@pytest.mark.parametrize("typed", BLOCKS, ids=[f"{one.document}: {one.section}" for one in BLOCKS])
def test_what_a_document_says_to_type_does_what_it_says(shell: Shell, first_up: str, typed: Block) -> None:
    """Settings that a block of a how-to guide does not bring up are taken back: the next guide begins without them."""
    config = shell.folder / "Pulumi.dev.yaml"
    before = config.read_text()
    for line in typed.commands():
        step = step_of(typed.document, typed.section, line)
        if line == SERVES:
            serve(shell, line)
        elif step is not None:
            shell.take(step, line)
        else:
            assert line in NOT_TYPED
    if typed.document.startswith("docs/how-to/") and not any("pulumi up" in line for line in typed.commands()):
        config.write_text(before)


def test_every_example_has_something_that_it_must_reach() -> None:
    assert {path.parent.name for path in (PROJECT_ROOT / "examples").glob("*/Pulumi.yaml")} == LEAST.keys()


@pytest.mark.parametrize("name", LEAST)
def test_an_example_reaches_what_it_must_and_its_sealed_model_answers(shell: Shell, first_up: str, name: str) -> None:
    """After its README's commands."""
    asked = f"pulumi -C examples/{name} stack output --json --show-secrets --stack dev 2>/dev/null"

    outputs = json.loads(shell.type(asked))

    metric, least = LEAST[name]
    assert outputs["metrics"][metric] >= least
    store = open_store(f"file://{shell.home / '.sealift' / 'store'}")
    artifact_id = outputs["artifactId"]
    manifest = get_manifest(store, artifact_id)
    opened = open_artifact(
        manifest, get_payload(store, artifact_id), RsaIdentity(outputs["privateKey"]),
        artifact_id=artifact_id, payload_digest=parse_manifest(manifest).payload_digest,
    )  # fmt: skip
    model = Model(bytes(opened.model), opened.description)
    rows = np.array(outputs["example"]["inputs"], KINDS[model.inputs["input"].datatype])
    (answer,) = model.run({"input": rows}, list(model.outputs)).values()
    assert np.allclose(answer, outputs["example"]["expected"], rtol=1e-5)


@pytest.mark.parametrize("line", MENTIONED)
def test_a_command_in_the_text_does_what_it_says(shell: Shell, first_up: str, line: str) -> None:
    shell.take(MENTIONED[line], line)


@pytest.mark.parametrize("document", ["README.md", "docs/how-to/own-data.md"])
def test_training_without_a_stack_prints_what_the_document_shows(shell: Shell, document: str) -> None:
    typed, *sample = block(document, "$ python -m training").lines

    said = shell.type(typed.removeprefix("$ "))

    assert_shown([line for line in sample if "|" not in line], said)


def test_a_bad_value_is_refused_in_the_document_s_words(shell: Shell, first_up: str) -> None:
    kept = (shell.folder / "Pulumi.dev.yaml").read_text()
    shell.type("pulumi config set --path deployment.replicas -- -1")
    shell.type("pulumi config set --path deployment.memoryLimit 1Gb")

    said = shell.type("pulumi preview", fails=True)

    (shell.folder / "Pulumi.dev.yaml").write_text(kept)
    _, *sample = block("docs/how-to/production.md", "error: the stack's config cannot be used:").lines
    lines = iter(said.splitlines())
    assert any("the stack's config cannot be used:" in line for line in lines)
    for parts in (line.strip().split(GAP) for line in sample):
        assert any(all(part in line for part in parts) for line in lines), f"{parts} is not said, or not there\n{said}"


def serve(shell: Shell, line: str) -> None:
    """The command serves until it is stopped; it says where its page is, and shows a key."""
    serving = subprocess.Popen(
        ["bash", "-c", f"exec {line} --port 0"], cwd=shell.folder, env=shell.environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert serving.stdout is not None
    try:
        said = next((one for one in serving.stdout if "shown this once: sealift_" in one), "")
        url = said.split()[0]
        with urllib.request.urlopen(url, timeout=30) as page:
            assert b"<html" in page.read()
    finally:
        serving.terminate()
        serving.communicate(timeout=60)
