"""Whose report `report` shows: pulumi and python are scripts."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.commands import report
from bootstrap.context import Context
from bootstrap.errors import BootstrapError

Program = Callable[[str, str], Path]
SEALED = {"storeUrl": "file:///store", "artifactId": "a" * 32, "payloadDigest": "b" * 64}
REFUSED = {"storeUrl": "file:///store", "artifactId": "c" * 32, "payloadDigest": "d" * 64}
STATE = {
    "deployment": {
        "resources": [
            {"type": "pulumi:pulumi:Stack"},
            {"type": "sealift:index:SealingKey", "outputs": {"privateKey": {"plaintext": json.dumps("KEY")}}},
        ]
    }
}


@pytest.fixture
def show(context: Context, program: Program) -> Callable[..., list[str]]:
    """Calls `report` for stack "dev" and gives the lines that it called python with."""

    def call(
        outputs: dict[str, object],
        refused: dict[str, str] | None,
        state: object = STATE,
        *,
        stack: str = "dev",
        deployed: bool = False,
    ) -> list[str]:
        context.layout.root.mkdir()
        if refused is not None:
            noted = context.layout.root / ".sealift" / "refused-reports" / "dev" / "training.json"
            noted.parent.mkdir(parents=True)
            noted.write_text(json.dumps(refused))
        program(
            "pulumi",
            f"case \"$*\" in 'stack output'*) echo '{json.dumps(outputs)}' ;; *) echo '{json.dumps(state)}' ;; esac",
        )
        program("python", 'read -r key < "${11}"; echo "$key $*" >> "$0.calls"')
        assert report.run(context, stack, [], deployed=deployed) == 0
        return Path(context.user["PATH"], "python.calls").read_text().splitlines()

    return call


def test_the_report_of_the_model_that_the_stack_has_is_shown(show: Callable[..., list[str]]) -> None:
    (line,) = show({"report": SEALED, "privateKey": "K"}, None)

    assert line.startswith(f"K -m training report --store file:///store --artifact {'a' * 32} --payload-digest")


def test_the_store_of_keys_is_handed_on(show: Callable[..., list[str]]) -> None:
    (line,) = show({"report": {**SEALED, "keysUrl": "file:///keys"}, "privateKey": "K"}, None)

    assert line.endswith(" --keys file:///keys")


def test_the_report_of_a_run_that_its_gates_refused_since_is_shown_and_said(
    show: Callable[..., list[str]], terminal: io.StringIO
) -> None:
    (line,) = show({"report": SEALED, "privateKey": "K"}, REFUSED)

    assert "c" * 32 in line
    assert "a run that its gates refused, not of the deployed model" in terminal.getvalue()


def test_of_a_stack_whose_first_run_was_refused_the_key_is_in_the_state(show: Callable[..., list[str]]) -> None:
    (line,) = show({}, REFUSED)

    assert line.startswith("KEY -m training report")


def test_a_stack_without_a_report_says_how_to_get_one(show: Callable[..., list[str]]) -> None:
    with pytest.raises(BootstrapError, match="stack 'dev' has no report"):
        show({}, None)


def test_outputs_that_cannot_be_read_are_no_missing_report(context: Context, program: Program) -> None:
    context.layout.root.mkdir()
    program("pulumi", "echo 'error: incorrect passphrase' >&2; exit 255")

    with pytest.raises(BootstrapError, match=r"outputs of stack 'dev' could not be read: .*incorrect pass") as said:
        report.run(context, "dev", [])

    (way,) = said.value.ways
    assert way == "check PULUMI_BACKEND_URL and PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE"


def test_the_deployed_model_s_report_can_be_had_whatever_was_refused_since(show: Callable[..., list[str]]) -> None:
    (line,) = show({"report": SEALED, "privateKey": "K"}, REFUSED, deployed=True)

    assert "a" * 32 in line


def test_a_stack_s_full_name_finds_the_same_refused_report(show: Callable[..., list[str]]) -> None:
    (line,) = show({"report": SEALED, "privateKey": "K"}, REFUSED, stack="organization/sealift/dev")

    assert "c" * 32 in line


def test_a_note_that_is_not_whole_is_passed_over(show: Callable[..., list[str]]) -> None:
    (line,) = show({"report": SEALED, "privateKey": "K"}, {"storeUrl": "file:///store"})

    assert "a" * 32 in line
