"""What makes it safe to keep the passphrase's salt out of git: pulumi finds it in the stack's state."""

from collections.abc import Callable

from tests.stack import Stack

MakeStack = Callable[..., Stack]


def test_a_clone_without_the_salt_opens_the_stack_with_its_passphrase(training_stack: MakeStack) -> None:
    stack = training_stack(epochs=1)
    stack.up().ok()
    file = stack.folder / "Pulumi.dev.yaml"
    kept = [line for line in file.read_text().splitlines() if not line.startswith("encryptionsalt:")]
    assert len(kept) < len(file.read_text().splitlines())
    file.write_text("\n".join(kept) + "\n")

    stack.up("--expect-no-changes").ok()

    assert stack.outputs(secrets=True)["opening_keys"]
