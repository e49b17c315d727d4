"""Signatures that a server's artifact must have. Without one, nothing of the server is registered: in previews too,
if they know the artifact.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi

from sealift.artifact_signatures import check_signature
from sealift.sealing import SealingError
from sealift.sealing.manifest import parse_manifest
from sealift.settings.problem import Problem, report
from sealift.signing import SignedArtifact, Signer, SigningError

GATED: Final = ("image", "manifest", "privateKey", "artifactId", "payloadDigest")


def require_signature(what: str, args: Mapping[str, Any], signers: Sequence[str]) -> dict[str, Any]:
    """Returns the component's inputs, of which the model's are known only once one of the signers has signed it.

    Without signers they are returned unchanged. `what` is the component, for messages. Raises pulumi.RunError.
    """
    if not signers:
        return dict(args)
    if args.get("signature") is None:
        raise _refusal(what, "is missing, but requireSignature is set", "give ArtifactSignature's output `signature`")
    names = ("signature", "manifest", "artifactId", "payloadDigest")
    signed = pulumi.Output.all(*(args[name] for name in names)).apply(lambda known: _check(what, signers, *known))
    return {**args, **{name: pulumi.Output.all(signed, args[name]).apply(lambda both: both[1]) for name in GATED}}


def _check(
    what: str, signers: Sequence[str], signature: str, manifest: str, artifact_id: str, payload_digest: str
) -> bool:
    if not signature:
        raise _refusal(
            what,
            f"is missing: nobody has signed artifact {artifact_id}, and requireSignature is set",
            f"`sealift sign {artifact_id} --store URL --key FILE` signs it; then run `pulumi up` again",
        )
    try:
        size = parse_manifest(manifest.encode()).payload_size
        artifact = SignedArtifact(artifact_id, payload_digest, size)
        check_signature(signature.encode(), artifact, [Signer(one) for one in signers])
    except (SealingError, SigningError) as error:
        raise _refusal(what, f"is not accepted: {error.message}", error.hint) from None
    return True


def _refusal(what: str, message: str, hint: str) -> pulumi.RunError:
    return pulumi.RunError(report(f"{what} cannot be created", [Problem("signature", message, hint)]))
