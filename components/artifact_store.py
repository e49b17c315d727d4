"""`EncryptedArtifactStore`: a store of sealed models, and the key that opens them.

The store itself is a URL. Nothing is provisioned there, and a thief gets only ciphertext. The private key is an output
that stays secret in the stack's state. If `key` names a key in a KMS, the output is that name instead. A machine that
only seals (for training, in CI) needs only the public key.
"""

from collections.abc import Sequence
from typing import cast

import pulumi

from components.args import EncryptedArtifactStoreArgs
from components.sealing_key import SealingKey
from components.settings.store import StoreSettings
from components.validated_args import Checked


class EncryptedArtifactStore(pulumi.ComponentResource):
    """Store of sealed artifacts, with the key pair that artifacts are sealed to."""

    url: pulumi.Output[str]
    """URL of the store, as it was given."""
    keys_url: pulumi.Output[str]
    """URL of the store of artifacts' own keys, as it was given. Without a value if it was not."""
    retention: pulumi.Output[str]
    """Retention of an artifact whose TrainingRun is deleted or replaced: "keep" or "delete"."""
    retain_count: pulumi.Output[int]
    """Number of replaced artifacts that stay, as it was given. Without a value if it was not."""
    retain_days: pulumi.Output[float]
    """Days that a replaced artifact stays at least, as it was given. Without a value if it was not."""
    reseal: pulumi.Output[str]
    """Name of the artifacts' current data keys, as it was given. Without a value if it was not."""
    public_key: pulumi.Output[str]
    """Public key that artifacts are sealed to. It can seal artifacts but not open them."""
    private_key: pulumi.Output[str]
    """Private key that opens the artifacts, or its address in a KMS. The text itself states the kind of key. Secret."""
    key_id: pulumi.Output[str]
    """Id of the key pair, 64 hex digits."""
    recipients: pulumi.Output[Sequence[str]]
    """Recipients of artifacts: the public key, then the additional recipients."""
    opening_keys: pulumi.Output[Sequence[str]]
    """Opening keys: the private key, then retired keys that an artifact in the store was sealed to. Secret."""
    store_key: pulumi.Output[str]
    """Store key, 32 bytes in base64. The keys of the store's records are derived from it. Secret."""

    def __init__(self, name: str, args: EncryptedArtifactStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Raises pulumi.RunError with all problems of `args`."""
        plain = Checked(f'EncryptedArtifactStore "{name}"', StoreSettings, args).plain
        super().__init__("sealift:index:EncryptedArtifactStore", name, {}, opts)
        url, retention = args.get("url", plain.url), args.get("retention", plain.retention)
        key = SealingKey(
            name,
            {
                "rotation": args.get("rotation", plain.rotation),
                "storeUrl": url,
                **({"key": args["key"]} if args.get("key") is not None else {}),
            },
            pulumi.ResourceOptions(parent=self),
        )
        self.url = pulumi.Output.from_input(url)
        self.keys_url = pulumi.Output.from_input(cast(pulumi.Input[str], args.get("keysUrl")))
        self.retention = pulumi.Output.from_input(retention)
        self.retain_count = pulumi.Output.from_input(cast(pulumi.Input[int], args.get("retainCount")))
        self.retain_days = pulumi.Output.from_input(cast(pulumi.Input[float], args.get("retainDays")))
        self.reseal = pulumi.Output.from_input(cast(pulumi.Input[str], args.get("reseal")))
        self.public_key = key.public_key
        self.private_key = key.private_key
        self.key_id = key.key_id
        further = pulumi.Output.from_input(args.get("recipients", ()))
        self.recipients = pulumi.Output.all(key.public_key, further).apply(lambda known: [known[0], *known[1]])
        self.opening_keys = key.opening_keys
        self.store_key = key.store_key
        self.register_outputs(
            {"url": self.url, "publicKey": self.public_key, "privateKey": self.private_key, "keyId": self.key_id}
        )
