"""`up` and `down` around a pulumi that a script plays."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap import down, prediction, up
from bootstrap.context import Context
from bootstrap.errors import BootstrapError

Program = Callable[[str, str], Path]
OUTPUTS = json.dumps(
    {
        "url": "http://127.0.0.1:1",
        "namespace": "dev",
        "service": "s",
        "modelName": "m",
        "example": {"inputs": [[1.0, 2.0]], "expected": [[3.0]]},
    }
)
PULUMI = f"""
echo "$@" >> "$0.calls"
case "$*" in "stack output"*) echo '{OUTPUTS}' ;; esac
"""


def calls(context: Context) -> list[str]:
    return Path(context.user["PATH"], "pulumi.calls").read_text().splitlines()


@pytest.fixture
def checkout(context: Context) -> Context:
    context.layout.root.mkdir()
    return context


def test_up_selects_deploys_asks_and_shows(
    checkout: Context, program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    program("pulumi", PULUMI)
    monkeypatch.setattr(prediction, "ask", lambda *_: prediction.Answer([2.5], "http://127.0.0.1:1"))

    assert up.run(checkout, "staging") == 0

    assert calls(checkout) == [
        "stack select --create staging",
        "up --yes --skip-preview --stack staging",
        "stack output --json --show-secrets --stack staging",
    ]
    request = checkout.layout.root / ".sealift" / "request.json"
    assert '"data": [1.0, 2.0]' in request.read_text()
    assert request.stat().st_mode & 0o777 == 0o600


def test_what_up_prints_ends_with_what_to_try_next(
    checkout: Context, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("pulumi", PULUMI)
    monkeypatch.setattr(prediction, "ask", lambda *_: prediction.Answer([2.5], "http://127.0.0.1:1"))
    up.run(checkout, "dev")

    said = checkout.console.stream.getvalue()  # type: ignore[union-attr]

    assert "prediction         [2.5]\n  torch's own answer [3]\n" in said
    assert "curl -s http://127.0.0.1:1/v2/models/m/infer" in said
    assert "-d @.sealift/request.json" in said


def test_a_failed_pulumi_up_is_not_followed_by_a_prediction(checkout: Context, program: Program) -> None:
    program("pulumi", 'case "$1" in up) exit 255 ;; esac')

    with pytest.raises(BootstrapError, match="`pulumi up --yes --skip-preview --stack dev` ended with exit status 255"):
        up.run(checkout, "dev")


EMPTY = (
    'case "$1 $2" in "stack ls") echo "[]" ;; "stack export") exit 255 ;; destroy*) echo destroyed > "$0.calls" ;; esac'
)
FULL = """
case "$1 $2" in
  "stack ls") echo "[]" ;;
  "stack export") echo '{"resources": [1]}' ;;
  destroy*) echo "$@" > "$0.calls"; exit 0 ;;
esac
"""


def test_down_destroys_nothing_where_there_is_no_stack(checkout: Context, program: Program) -> None:
    program("pulumi", EMPTY)

    assert down.run(checkout, "dev") == 0
    assert not Path(checkout.user["PATH"], "pulumi.calls").exists()


def test_down_without_pulumi_still_stops(checkout: Context) -> None:
    assert down.run(checkout, "dev") == 0


def test_down_destroys_the_stack_first(checkout: Context, program: Program) -> None:
    program("pulumi", FULL)

    assert down.run(checkout, "dev") == 0
    assert calls(checkout) == ["destroy --yes --stack dev --skip-preview --non-interactive"]


def test_down_stops_nothing_when_the_stack_could_not_be_destroyed(
    checkout: Context, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped services would leave resources that nobody can destroy."""
    program("pulumi", FULL.replace("exit 0", "exit 1"))
    monkeypatch.setattr(down, "_stop_registry", lambda _: pytest.fail("stopped"))

    with pytest.raises(BootstrapError, match="failed \\(above\\); nothing was stopped"):
        down.run(checkout, "dev")


def test_down_says_so_when_the_stacks_cluster_does_not_run(checkout: Context, program: Program) -> None:
    program("pulumi", FULL)
    checkout.learn(kubeconfig=str(checkout.layout.kubeconfig))

    with pytest.raises(BootstrapError, match="stack dev still has resources, and what they run on is stopped"):
        down.run(checkout, "dev")
