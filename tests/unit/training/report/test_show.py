"""`python -m training report`: what is sealed is shown to whoever has the key, and to no one else."""

import json
import os
import stat
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sealift.sealing import RsaIdentity, SealedArtifact, seal, seal_into, under_key
from sealift.stores import create_artifact, open_store, put_artifact
from tests.keys import key_pair
from tests.unit.training.report import samples
from training.process import environment
from training.report import page, show, to_json

PROJECT_ROOT = Path(__file__).resolve().parents[4]


@dataclass(frozen=True)
class Sealed:
    """A sealed report, in a store, and the key's file."""

    artifact: SealedArtifact
    arguments: list[str]

    def but(self, option: str, value: str) -> list[str]:
        """The command line with another value of this option."""
        at = self.arguments.index(option) + 1
        return [*self.arguments[:at], value, *self.arguments[at + 1 :]]


def sealed_in(folder: Path, key: RsaIdentity, content: str | bytes) -> Sealed:
    store = open_store(f"file://{folder}/store")
    plain = content.encode() if isinstance(content, str) else content
    artifact = seal(plain, {"kind": "report"}, [key.recipient])
    put_artifact(store, artifact.artifact_id, artifact.payload, artifact.manifest)
    (folder / "key.pem").write_text(key.pem)
    arguments = {
        "--store": f"file://{folder}/store", "--artifact": artifact.artifact_id,
        "--payload-digest": artifact.payload_digest, "--key": str(folder / "key.pem"),
    }  # fmt: skip
    return Sealed(artifact, [word for pair in arguments.items() for word in pair])


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, key: RsaIdentity) -> Sealed:
    return sealed_in(tmp_path_factory.mktemp("sealed"), key, samples.page_of())


def test_the_summary_has_metrics_gates_cost_and_card_in_columns(
    sealed: Sealed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show.main(sealed.arguments) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Pets"
    assert "  accuracy  0.9123" in lines
    assert "  loss      0.2871" in lines
    assert "  accuracy       passed: 0.9123, at least 0.9000 required" in lines
    assert "  size in bytes  FAILED: 12,345, at most 10,000 required" in lines
    assert "  time    3 min 13 s" in lines
    assert "  energy  1.51 Wh, measured: RAPL" in lines
    assert "  Limitations             not stated" in lines


def test_names_from_data_cannot_speak_to_the_terminal(
    tmp_path: Path, key: RsaIdentity, capsys: pytest.CaptureFixture[str]
) -> None:
    report = replace(samples.complete("\x1b]0;gone\x07\n\u202e"), metrics={"\x1b[2J": 1.0})

    assert show.main(sealed_in(tmp_path, key, page.render(report)).arguments) == 0

    out = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)


def test_json_is_the_report(sealed: Sealed, capsys: pytest.CaptureFixture[str]) -> None:
    assert show.main([*sealed.arguments, "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == to_json(samples.complete())


def test_a_reader_that_has_enough_is_no_error(sealed: Sealed) -> None:
    shown = subprocess.Popen(
        [sys.executable, "-P", "-m", "training", "report", *sealed.arguments],
        cwd=PROJECT_ROOT, env=environment(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert shown.stdout is not None
    shown.stdout.close()

    assert (shown.communicate()[1], shown.returncode) == (b"", 0)


def test_the_page_is_written_for_the_owner_alone_also_over_an_open_one(sealed: Sealed, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("old")
    file.chmod(0o644)

    assert show.main([*sealed.arguments, "--html", str(file)]) == 0

    assert file.read_text(encoding="utf-8") == samples.page_of()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_open_shows_the_written_page_in_a_browser(
    sealed: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def note(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", note)

    assert show.main([*sealed.arguments, "--html", str(tmp_path / "a b.html"), "--open"]) == 0

    assert opened == [f"file://{tmp_path}/a%20b.html"]


def test_open_without_a_file_is_refused(sealed: Sealed, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        show.main([*sealed.arguments, "--open"])

    assert "--open needs --html FILE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--artifact", "0" * 32, "0" * 32),
        ("--payload-digest", "0" * 64, "pinned"),
        ("--key", "/no/such/key.pem", "cannot be read: No such file"),
        ("--key", "/proc/self/exe", "not a private key"),
        ("--key", "/proc/self/status", "not an unencrypted private key"),
        ("--store", "ftp://x", "not a store's URL"),
        ("--store", "file:///no/such/store", "no/such/store"),
    ],
)
def test_what_is_wrong_is_said_with_a_hint_and_without_a_traceback(
    sealed: Sealed, option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show.main(sealed.but(option, value)) == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert said in err
    assert "Traceback" not in err


def test_another_s_key_opens_nothing(sealed: Sealed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.pem").write_text(key_pair(1).pem)

    assert show.main(sealed.but("--key", str(tmp_path / "other.pem"))) == 1

    assert "no given private key belongs to a recipient" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"\x08\x07\xff\xfe onnx", "<html></html>"], ids=["a model", "another page"])
def test_an_artifact_that_is_no_report_is_said_to_be_none(
    tmp_path: Path, key: RsaIdentity, content: str | bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    sealed = sealed_in(tmp_path, key, content)

    assert show.main([*sealed.arguments, "--html", str(tmp_path / "report.html")]) == 1

    assert "give --artifact and --payload-digest of a report" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()


def test_a_file_that_cannot_be_written_is_said(sealed: Sealed, capsys: pytest.CaptureFixture[str]) -> None:
    assert show.main([*sealed.arguments, "--html", "/no/such/folder/report.html"]) == 1

    assert "cannot be written: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--artifact", "--payload-digest"])
def test_ids_that_cannot_be_are_refused_before_anything_is_read(
    sealed: Sealed, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        show.main(sealed.but(option, "../../etc"))

    assert left.value.code == 2
    assert "lower-case hex digits" in capsys.readouterr().err


def test_showing_loads_neither_torch_nor_matplotlib_nor_numpy() -> None:
    program = "import sys, training.report.show; print(sorted({name.split('.')[0] for name in sys.modules}))"

    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    ).stdout

    for heavy in ("torch", "matplotlib", "numpy", "captum", "sklearn"):
        assert f"'{heavy}'" not in loaded


def test_a_report_with_a_key_of_its_own_needs_the_store_of_keys(
    tmp_path: Path, key: RsaIdentity, capsys: pytest.CaptureFixture[str]
) -> None:
    urls, pinned, page = [f"file://{tmp_path / name}" for name in ("store", "keys")], "ab" * 16, samples.page_of()
    sealed = create_artifact(
        open_store(*urls),
        pinned,
        lambda write, kek: seal_into(write, page.encode(), {}, under_key([key.recipient], kek), pinned),
    )
    (tmp_path / "key.pem").write_text(key.pem)
    arguments = [
        "--store", urls[0], "--artifact", pinned, "--payload-digest", sealed.payload_digest,
        "--key", str(tmp_path / "key.pem"),
    ]  # fmt: skip

    assert show.main([*arguments, "--keys", urls[1]]) == 0
    assert "Pets" in capsys.readouterr().out
    assert show.main(arguments) == 1
    assert "the store of keys is not given" in capsys.readouterr().err
