"""`sealift:index:SealingKey`: the key pair that artifacts are sealed to, and the store key of their records.

The key pair is made in this process and leaves it only as a secret output, which the engine encrypts with the
stack's secrets provider. Any changed input asks for a new key pair: that is rotation.
"""

import asyncio
import base64
import secrets
from typing import Final

from components.plugin.errors import PluginError
from components.plugin.resource import (
    Check,
    Checked,
    Created,
    Difference,
    Failure,
    Operation,
    State,
    changed_inputs,
    random_id,
)
from components.plugin.values import UNKNOWN, Properties, Secret, has_unknown
from sealing import PrivateKey

ALGORITHM: Final = "RSA-4096"
OUTPUTS: Final = ("publicKey", "privateKey", "keyId", "storeKey")


class SealingKey:
    """Creates once, never updates: every change replaces."""

    async def check(self, check: Check, olds: Properties, news: Properties) -> Checked:
        """`algorithm` must be RSA-4096 (also the default); `rotation` is any text, and a new text is a new key."""
        failures = [
            Failure(name, "is not an input of SealingKey; its inputs are algorithm and rotation")
            for name in sorted(news.keys() - {"algorithm", "rotation"})
        ]
        inputs: Properties = {"algorithm": ALGORITHM, "rotation": "", **news}
        if inputs["algorithm"] != ALGORITHM and not has_unknown(inputs["algorithm"]):
            failures.append(Failure("algorithm", f"is {inputs['algorithm']!r}; allowed: {ALGORITHM!r}"))
        if not isinstance(inputs["rotation"], str) and not has_unknown(inputs["rotation"]):
            failures.append(Failure("rotation", f"is {inputs['rotation']!r}; it must be text, such as a date"))
        return Checked(inputs, failures)

    def diff(self, olds: Properties, news: Properties) -> Difference:
        """Every changed input replaces the key."""
        changed = changed_inputs(olds, news)
        return Difference(changed, replaces=list(changed))

    async def create(self, operation: Operation, inputs: Properties) -> Created:
        """A new key pair and store key; in a preview all outputs are unknown."""
        if operation.preview:
            return Created("", inputs | dict.fromkeys(OUTPUTS, UNKNOWN))
        await operation.log.status("generating an RSA-4096 key pair")
        key = await asyncio.to_thread(PrivateKey.generate)
        outputs: Properties = {
            "publicKey": key.public_key.pem,
            "privateKey": Secret(key.pem),
            "keyId": key.key_id,
            "storeKey": Secret(base64.b64encode(secrets.token_bytes(32)).decode()),
        }
        return Created(random_id(operation), inputs | outputs)

    async def update(
        self, operation: Operation, old_inputs: Properties, old_outputs: Properties, inputs: Properties
    ) -> Properties:
        """Never asked for: every change replaces."""
        raise AssertionError("internal error: SealingKey has no update")

    async def read(self, operation: Operation, resource_id: str, state: State) -> State | None:
        """The key lives in the stack's state alone, so there is nothing to compare it with, nor to import from.

        Raises PluginError on import.
        """
        if "privateKey" not in state.outputs:
            raise PluginError(
                f"a SealingKey cannot be imported, so {resource_id!r} names none: its keys are kept in the state of "
                "the stack that made them, and nowhere else",
                "move the resource with `pulumi state move`, or let `pulumi up` make a new key",
            )
        return state

    async def delete(self, operation: Operation, inputs: Properties, outputs: Properties) -> None:
        """Forgetting the state is the deletion."""
