"""On the real engine: an API key is made once, hidden in the state and rotated with an overlap."""

from hashlib import sha256
from pathlib import Path

from tests.stack import PROJECT_ROOT, Stack
from tests.training_stack import PROJECT

PROGRAM = """
import sys
sys.path.insert(0, %r)
import pulumi
from components import ApiKey

config = pulumi.Config()
made = ApiKey("app", {"rotation": config.get("rotation") or "", "overlap": config.get_bool("overlap") is not False})
pulumi.export("key", made.key)
pulumi.export("digests", made.digests)
"""


def digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def test_a_key_stays_is_rotated_with_an_overlap_and_is_nowhere_in_the_clear(engine: str, tmp_path: Path) -> None:
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "__main__.py").write_text(PROGRAM % str(PROJECT_ROOT))
    (folder / "Pulumi.yaml").write_text(PROJECT % (Stack.virtualenv(), PROJECT_ROOT / "components" / "plugin"))
    stack = Stack(folder, name="dev", home=tmp_path)
    stack.init()

    shown = [stack.up().ok().text]
    first = stack.outputs(secrets=True)
    shown.append(stack.up("--expect-no-changes").ok().text)
    stack.set_config("rotation", "2027")
    shown += [stack.preview().ok().text, stack.up().ok().text]
    second = stack.outputs(secrets=True)
    stack.set_config("overlap", False)
    shown.append(stack.up().ok().text)
    third = stack.outputs(secrets=True)
    shown.append(stack.refresh().ok().text)

    assert first["digests"] == [digest(first["key"])]
    assert second["digests"] == [digest(second["key"]), digest(first["key"])] and second["key"] != first["key"]
    assert third == {"key": second["key"], "digests": [digest(second["key"])]}
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for key in (first["key"], second["key"]):
        assert not any(key in text for text in shown)
        assert not any(key.encode() in content for content in kept)
