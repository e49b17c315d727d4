"""The key that a server gets. A private key in a KMS stays there: the program unwraps the artifact's data key with it,
and the server gets this one key. So neither its image nor its network needs the KMS.
"""

import asyncio
from typing import Any

import pulumi

from sealift.sealing import SealingError, data_key_text, is_in_kms, parse_identity, unwrap
from sealift.settings.problem import Problem, report


def serving_key(what: str, private_key: Any, manifest: Any) -> Any:
    """Returns the private key itself or, if it is in a KMS, the data key of the manifest's artifact. `what` is the
    component, for messages.
    """
    if isinstance(private_key, str) and not is_in_kms(private_key):
        return private_key
    return pulumi.Output.from_input(private_key).apply(
        lambda key: _unwrapped(what, key, manifest) if isinstance(key, str) and is_in_kms(key) else key
    )


def _unwrapped(what: str, address: str, manifest: Any) -> pulumi.Output[str]:
    """Only a key in a KMS waits for the manifest, which a preview may not know."""
    known = pulumi.Output.from_input(manifest)
    return pulumi.Output.secret(known.apply(lambda text: asyncio.to_thread(_unwrap, what, address, str(text))))


def _unwrap(what: str, address: str, manifest: str) -> str:
    try:
        return data_key_text(unwrap(manifest.encode(), [parse_identity(address)]))
    except SealingError as error:
        problem = Problem("privateKey", f"does not open the artifact: {error.message}", hint=error.hint)
        raise pulumi.RunError(report(f"{what} cannot be created", [problem])) from None
