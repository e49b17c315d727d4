"""`up` and `down` around a pulumi that a script plays."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.commands import down, prediction, stacks, store, up
from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.node import api, node
from bootstrap.steps import object_store

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
case "$*" in
  "stack output"*) echo '{OUTPUTS}' ;;
  "stack ls"*) echo '[{{"name": "dev"}}, {{"name": "staging"}}, {{"name": "laptop"}}]' ;;
  "stack --show-name") echo dev ;;
esac
"""


def calls(context: Context) -> list[str]:
    return Path(context.user["PATH"], "pulumi.calls").read_text().splitlines()


@pytest.fixture
def checkout(context: Context) -> Context:
    context.layout.root.mkdir()
    return context


def test_up_deploys_asks_and_shows(
    checkout: Context, program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    program("pulumi", PULUMI)
    monkeypatch.setattr(prediction, "ask", lambda *_: prediction.ServiceAnswer([2.5], "http://127.0.0.1:1"))

    assert up.run(checkout, "staging") == 0

    assert calls(checkout) == [
        "stack ls --json",
        "stack --show-name",
        "up --yes --stack staging",
        "stack output --json --show-secrets --stack staging",
    ]
    request = checkout.layout.root / ".sealift" / "requests" / "staging" / "request.json"
    assert '"data": [1.0, 2.0]' in request.read_text()
    assert request.stat().st_mode & 0o777 == 0o600


def test_up_of_another_stack_leaves_the_selected_one_and_names_the_stack_in_what_to_try(
    checkout: Context, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("pulumi", PULUMI)
    monkeypatch.setattr(prediction, "ask", lambda *_: prediction.ServiceAnswer([2.5], "http://127.0.0.1:1"))

    up.run(checkout, "staging")

    said = checkout.console.stream.getvalue()  # type: ignore[union-attr]
    assert "pulumi stack output --stack staging\n" in said
    assert "&& pulumi preview --stack staging\n" in said
    assert not any(call.startswith("stack select") for call in calls(checkout))


def test_up_of_the_selected_stack_needs_no_name_in_what_to_try_and_shows_no_key_that_there_is_not(
    checkout: Context, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("pulumi", PULUMI)
    monkeypatch.setattr(prediction, "ask", lambda *_: prediction.ServiceAnswer([2.5], "http://127.0.0.1:1"))
    checkout.console.live = True

    up.run(checkout, "organization/sealift/dev")

    said = checkout.console.stream.getvalue()  # type: ignore[union-attr]
    assert "pulumi stack output\n" in said
    assert "X-API-Key" not in said


def test_up_makes_a_stack_and_selects_it_where_none_is(
    checkout: Context, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("pulumi", PULUMI.replace("echo dev", "exit 255"))
    monkeypatch.setattr(prediction, "ask", lambda *_: prediction.ServiceAnswer([2.5], "http://127.0.0.1:1"))

    up.run(checkout, "mine")

    assert [call for call in calls(checkout) if call.startswith(("stack init", "stack select"))] == [
        "stack init --no-select mine",
        "stack select mine",
    ]
    assert "pulumi commands now use stack mine" in checkout.console.stream.getvalue()  # type: ignore[union-attr]


LINE = f"s3://{object_store.BUCKET}/staging"


def with_store(context: Context, line: str) -> Path:
    file = context.layout.root / "Pulumi.staging.yaml"
    file.write_text(f"config:\n  sealift:store:\n    retention: delete\n{line}")
    return file


@pytest.mark.parametrize(
    ("asked", "before", "command"),
    [
        ("s3", "", f"config set --path store.url {LINE} --stack staging"),
        ("s3", "    url: file:///srv/sealift\n", f"config set --path store.url {LINE} --stack staging"),
        ("s3", f"    url: {LINE}\n", None),
        ("file", f"    url: {LINE}\n", "config rm --path store.url --stack staging"),
        ("file", f'    url: "{LINE}"\n', "config rm --path store.url --stack staging"),
        ("file", "    url: s3://mine/staging\n", None),
        ("file", "", None),
        ("", f"    url: {LINE}\n", None),
        ("", "", None),
    ],
)
def test_up_writes_the_store_that_was_asked_for_before_it_deploys(
    checkout: Context,
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
    before: str,
    command: str | None,
) -> None:
    program("pulumi", PULUMI)
    monkeypatch.setattr(prediction, "ask", lambda *_: prediction.ServiceAnswer([2.5], "http://127.0.0.1:1"))
    with_store(checkout, before)
    checkout.user = {**checkout.user, "STORE": asked}

    up.run(checkout, "staging")

    made = [call for call in calls(checkout) if call.startswith(("config", "up"))]
    assert made == [*([command] if command else []), "up --yes --stack staging"]
    shown = checkout.console.stream.getvalue()  # type: ignore[union-attr]
    assert ("Pulumi.staging.yaml" in shown) is (command is not None), "the user sees that a file has changed"


def test_a_store_on_our_server_is_never_asked_for_in_the_users_account(checkout: Context) -> None:
    with_store(checkout, f"    url: {LINE}\n")
    with pytest.raises(BootstrapError, match=r"Pulumi\.staging\.yaml names a store on the S3 server"):
        store.demand(checkout, "staging")
    checkout.learn(object_store="http://127.0.0.1:7070")
    store.demand(checkout, "staging")

    checkout.user = {"AWS_PROFILE": "work"}

    with pytest.raises(BootstrapError, match="chosen by AWS_PROFILE"):
        store.demand(checkout, "staging")
    store.demand(checkout, "dev")
    with_store(checkout, "    url: s3://company-models/staging\n")
    store.demand(checkout, "staging")


def test_the_server_ends_with_the_last_stack_that_names_it(checkout: Context) -> None:
    file = with_store(checkout, f"    url: {LINE}\n")
    checkout.learn(object_store="http://127.0.0.1:7070")
    checkout.user = {"STORE": "file"}

    store.leave(checkout)
    assert checkout.facts.object_store
    assert "keeps running for Pulumi.staging.yaml" in checkout.console.stream.getvalue()  # type: ignore[union-attr]

    file.unlink()
    store.leave(checkout)

    assert not checkout.facts.object_store


def test_a_stack_without_a_file_or_a_state_is_refused_with_the_one_that_was_meant(
    checkout: Context, program: Program
) -> None:
    program("pulumi", PULUMI)
    (checkout.layout.root / "Pulumi.prod.yaml").touch()
    (checkout.layout.root / "Pulumi.laptop.yaml").touch()

    with pytest.raises(BootstrapError, match=r"stack 'prodd' does not exist.*did you mean 'prod'\?"):
        stacks.demand(checkout, "prodd")
    with pytest.raises(BootstrapError, match="stacks with a file: laptop, prod"):
        stacks.demand(checkout, "x")
    for there in ("prod", "organization/sealift/prod", "staging"):
        stacks.demand(checkout, there)


@pytest.mark.parametrize(
    ("content", "needed"),
    [
        ("config:\n  sealift:target: docker\n", False),
        ('config:\n  sealift:target: "docker"\n  sealift:store: {}\n', False),
        ("config:\n  sealift:target: kubernetes\n", True),
        ("config:\n  sealift:training:\n    sealift:target: docker\n", True),
        ("config:\n  # sealift:target: docker\n", True),
        (None, True),
    ],
)
def test_a_stack_that_docker_serves_needs_no_cluster(checkout: Context, content: str | None, needed: bool) -> None:
    if content is not None:
        (checkout.layout.root / "Pulumi.mine.yaml").write_text(content)

    assert stacks.needs_cluster(checkout, "mine") is needed
    assert stacks.needs_cluster(checkout, "organization/sealift/mine") is needed


def test_what_docker_serves_is_told_without_words_of_kubernetes(
    checkout: Context, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = json.loads(OUTPUTS)
    del outputs["namespace"], outputs["service"]
    program("pulumi", PULUMI.replace(OUTPUTS, json.dumps(outputs | {"container": "model-1a2b3c4"})))
    monkeypatch.setattr(prediction, "ask", lambda *_: prediction.ServiceAnswer([2.5], "http://127.0.0.1:1"))

    assert up.run(checkout, "laptop") == 0

    said = checkout.console.stream.getvalue()  # type: ignore[union-attr]
    assert "container.port" in said
    assert "replicas" not in said and "kubectl" not in said


def test_what_up_prints_ends_with_what_to_try_next(
    checkout: Context, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("pulumi", PULUMI)
    monkeypatch.setattr(prediction, "ask", lambda *_: prediction.ServiceAnswer([2.5], "http://127.0.0.1:1"))
    checkout.console.live = True
    up.run(checkout, "dev")

    said = checkout.console.stream.getvalue()  # type: ignore[union-attr]

    assert "prediction         [2.5]\n  torch's own answer [3]\n" in said
    assert "curl -s http://127.0.0.1:1/v2/models/m/infer" in said
    assert "in a browser       http://127.0.0.1:1/\n" in said
    assert "-d @.sealift/requests/dev/request.json" in said


def test_a_key_is_shown_once_to_a_person_and_kept_for_curl(
    checkout: Context, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(key: str, *, live: bool = True) -> str:
        program("pulumi", PULUMI.replace('"modelName"', f'"apiKeys": {{"default": "{key}"}}, "modelName"'))
        checkout.console.stream, checkout.console.live = io.StringIO(), live
        up.run(checkout, "dev")
        return checkout.console.stream.getvalue()

    monkeypatch.setattr(prediction, "ask", lambda *_: prediction.ServiceAnswer([2.5], "http://127.0.0.1:1"))
    first, again, rotated, logged = (
        said("sealift_a"),
        said("sealift_a"),
        said("sealift_b"),
        said("sealift_c", live=False),
    )

    assert ["sealift_" in one for one in (first, again, rotated, logged)] == [True, False, True, False]
    assert "shown only once: sealift_b" in rotated
    assert "pulumi stack output apiKeys --show-secrets" in logged
    assert "-H @.sealift/requests/dev/headers" in first
    headers = checkout.layout.root / ".sealift" / "requests" / "dev" / "headers"
    assert headers.read_text() == "X-API-Key: sealift_c\n"
    assert headers.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("values", "said"),
    [([3.00001], "equal to torch's own answer"), ([2.7], "differs from torch's own answer by up to 10.0%")],
)
def test_a_log_gets_no_row_of_the_data_and_no_prediction(
    checkout: Context, program: Program, monkeypatch: pytest.MonkeyPatch, values: list[float], said: str
) -> None:
    program("pulumi", PULUMI)
    monkeypatch.setattr(prediction, "ask", lambda *_: prediction.ServiceAnswer(values, "http://127.0.0.1:1"))
    up.run(checkout, "dev")

    shown = checkout.console.stream.getvalue()  # type: ignore[union-attr]

    assert said in shown
    assert not any(secret in shown for secret in ("[1, 2]", "[3]", "[2.7]"))


def test_a_failed_pulumi_up_is_not_followed_by_a_prediction(checkout: Context, program: Program) -> None:
    program("pulumi", 'case "$1" in up) exit 255 ;; esac')

    with pytest.raises(BootstrapError, match="`pulumi up --yes --stack dev` ended with exit status 255"):
        up.run(checkout, "dev")


def test_another_passphrase_is_told_by_its_variables_and_file(checkout: Context, program: Program) -> None:
    program(
        "pulumi",
        'case "$*" in up*) exit 255 ;; "stack output"*) echo "error: incorrect passphrase" >&2; exit 255;; esac',
    )

    with pytest.raises(BootstrapError) as refused:
        up.run(checkout, "dev")

    assert "PULUMI_CONFIG_PASSPHRASE" in refused.value.ways[0] and ".sealift/passphrase" in refused.value.ways[0]


def listing(*stacks: tuple[str, int]) -> str:
    """A pulumi that lists these stacks with so many resources, and notes what it destroys."""
    listed = json.dumps([{"name": name, "resourceCount": count} for name, count in stacks])
    return f"""
case "$1 $2" in
  "stack ls") echo '{listed}' ;;
  destroy*) echo "$@" >> "$0.calls"; exit 0 ;;
esac
"""


FULL = listing(("dev", 7))


@pytest.mark.parametrize(("name", "stack"), [("dev", "dev"), ("dev", "me/sealift/dev"), ("me/dev", "me/dev")])
def test_a_stack_may_be_called_by_its_whole_name(name: str, stack: str) -> None:
    assert stacks.same(name, stack)
    assert not stacks.same(name, "staging") and not stacks.same("other/dev", stack)


@pytest.fixture
def state(checkout: Context) -> Path:
    """The file of a stack in the checkout's own state: set-up has been here."""
    checkout.learn()
    file = checkout.layout.stack_state / ".pulumi" / "stacks" / "sealift" / "dev.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    return file


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Says whether the services were stopped."""
    said: list[str] = []
    monkeypatch.setattr(down, "_stop", lambda _: said.append("stopped"))
    return said


def test_down_destroys_nothing_where_no_stack_was_ever_made(checkout: Context, program: Program) -> None:
    program("pulumi", FULL)

    assert down.run(checkout, "dev") == 0
    assert not Path(checkout.user["PATH"], "pulumi.calls").exists()


def test_down_without_pulumi_still_stops_what_has_no_state(checkout: Context) -> None:
    assert down.run(checkout, "dev") == 0


@pytest.mark.usefixtures("state")
def test_down_destroys_the_stack_first(checkout: Context, program: Program, stopped: list[str]) -> None:
    program("pulumi", FULL)

    assert down.run(checkout, "dev") == 0
    assert calls(checkout) == ["destroy --yes --stack dev --skip-preview --non-interactive"]
    assert stopped


def test_down_asks_the_users_backend_though_our_own_folder_has_no_state(
    checkout: Context, program: Program, stopped: list[str]
) -> None:
    program("pulumi", FULL)
    checkout.user = {**checkout.user, "PULUMI_BACKEND_URL": "s3://elsewhere"}

    assert down.run(checkout, "dev") == 0
    assert calls(checkout) == ["destroy --yes --stack dev --skip-preview --non-interactive"]
    assert stopped


@pytest.mark.usefixtures("state")
def test_down_destroys_a_stack_of_which_a_service_says_only_that_it_was_updated(
    checkout: Context, program: Program
) -> None:
    listed = json.dumps([{"name": "dev", "lastUpdate": "2026-01-01T00:00:00.000Z"}, {"name": "staging"}])
    program("pulumi", FULL.replace(FULL.split("'")[1], listed))

    assert down.run(checkout, "dev") == 0
    assert calls(checkout) == ["destroy --yes --stack dev --skip-preview --non-interactive"]


@pytest.mark.usefixtures("state")
def test_down_leaves_the_node_to_the_stacks_of_other_checkouts(
    checkout: Context, program: Program, stopped: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program("pulumi", FULL)
    listed = [
        {"metadata": {"name": "model-0118f97b"}},
        {"metadata": {"name": "model-ours", "deletionTimestamp": "2026-01-01T00:00:00Z"}},
    ]
    monkeypatch.setattr(node, "is_running", lambda context: True)
    monkeypatch.setattr(api, "request", lambda *_: (200, {"items": listed}))

    assert down.run(checkout, "dev") == 0

    said = checkout.console.stream.getvalue()  # type: ignore[union-attr]
    assert "kubectl delete namespace model-0118f97b\n" in said
    assert not stopped


@pytest.mark.usefixtures("state")
def test_down_destroys_nothing_in_an_empty_stack(checkout: Context, program: Program, stopped: list[str]) -> None:
    program("pulumi", listing(("dev", 0)))

    assert down.run(checkout, "dev") == 0
    assert not Path(checkout.user["PATH"], "pulumi.calls").exists()
    assert stopped


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("echo 'error: failed to load checkpoint: place 1' >&2; exit 1", "failed to load checkpoint: place 1"),
        ("echo 'error: place 2: bucket' >&2; exit 255", "place 2: bucket"),
        ("exit 1", "exit status 1"),
        ("echo no list", "printed no valid list: no list"),
    ],
)
def test_down_stops_with_the_reason_where_the_state_cannot_be_read(
    checkout: Context, program: Program, stopped: list[str], said: str, reason: str
) -> None:
    """Not knowing is not the same as having nothing to destroy: clouds' and clusters' objects would be left behind."""
    program("pulumi", said)

    with pytest.raises(BootstrapError, match=f"`pulumi stack ls.*{reason}"):
        down.run(checkout, "dev")
    assert not stopped


@pytest.mark.usefixtures("state")
def test_down_stops_with_the_reason_where_there_is_state_but_no_pulumi(checkout: Context, stopped: list[str]) -> None:
    with pytest.raises(BootstrapError, match="state cannot be read, because pulumi was not found"):
        down.run(checkout, "dev")
    assert not stopped


@pytest.mark.usefixtures("state")
def test_down_stops_with_the_reason_where_the_users_backend_does_not_answer(
    checkout: Context, program: Program, stopped: list[str]
) -> None:
    program("pulumi", "echo 'error: could not open bucket' >&2; exit 255")
    checkout.user = {**checkout.user, "PULUMI_BACKEND_URL": "s3://elsewhere"}

    with pytest.raises(BootstrapError, match="could not open bucket"):
        down.run(checkout, "dev")
    assert not stopped


@pytest.mark.usefixtures("state")
def test_down_stops_nothing_that_another_stack_uses_and_names_it(
    checkout: Context, program: Program, stopped: list[str]
) -> None:
    program("pulumi", listing(("dev", 7), ("staging", 7), ("prod", 0), ("organization/voice/dev", 3)))

    assert down.run(checkout, "dev") == 0

    assert calls(checkout) == ["destroy --yes --stack dev --skip-preview --non-interactive"]
    assert not stopped
    said = checkout.console.stream.getvalue()  # type: ignore[union-attr]
    assert "nothing was stopped, because other stacks have resources: staging, organization/voice/dev\n" in said
    assert "make down STACK=staging\n" in said
    assert "pulumi destroy --stack organization/voice/dev\n" in said


@pytest.mark.usefixtures("state")
def test_down_stops_nothing_when_the_stack_could_not_be_destroyed(
    checkout: Context, program: Program, stopped: list[str]
) -> None:
    """Stopped services would leave resources that nobody can destroy."""
    program("pulumi", FULL.replace("exit 0", "exit 1"))

    with pytest.raises(BootstrapError, match="failed \\(see above\\); nothing was stopped"):
        down.run(checkout, "dev")
    assert not stopped


@pytest.mark.usefixtures("state")
def test_down_says_so_when_the_stacks_cluster_does_not_run(checkout: Context, program: Program) -> None:
    program("pulumi", listing(("staging", 7)))
    checkout.learn(kubeconfig=str(checkout.layout.kubeconfig))

    with pytest.raises(BootstrapError, match="stack staging still has resources, but the local cluster") as caught:
        down.run(checkout, "staging")

    assert "make setup, then make down STACK=staging, which destroys the stack" in caught.value.ways[0]


def test_advice_names_the_stack(checkout: Context, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    program("pulumi", PULUMI)
    monkeypatch.setattr(prediction, "ask", lambda *_: prediction.ServiceAnswer([2.5], "http://127.0.0.1:1"))
    up.run(checkout, "staging")

    assert "\n  make down STACK=staging\n" in checkout.console.stream.getvalue()  # type: ignore[union-attr]

    program("pulumi", 'case "$1" in up) exit 255 ;; esac')
    with pytest.raises(BootstrapError) as caught:
        up.run(checkout, "staging")
    assert "run make up STACK=staging again" in caught.value.ways[0]
