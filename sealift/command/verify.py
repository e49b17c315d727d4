"""`sealift verify`: whether artifacts are what was sealed, without releasing anything; or the audit log whole."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sealift.command.artifact import Location, add_digest, add_locations, check_pin, find_locations
from sealift.command.audit_check import add_audit, check_audit
from sealift.command.errors import CommandError, WrongUsage
from sealift.command.keys import Key, add_identities, data_key_of, find_keys
from sealift.command.payload_check import check_payload, payload_sha256
from sealift.command.provenance import check_document, make_subject
from sealift.command.signers import add_signature, add_signers, find_signers, read_statement
from sealift.command.subcommand import DONE, REFUSED, Subcommand
from sealift.command.terminal import Terminal
from sealift.sealing import SealingError
from sealift.sealing.manifest import Manifest
from sealift.signed_artifacts import signed_artifact
from sealift.signing import Signer, SigningError
from sealift.stores import StoreError, StoreUnwritable


@dataclass(frozen=True)
class _Trust:
    """What an artifact is compared with. `signature` is the file of the signature, if it is not in the store.
    `provenance` is a document about the artifact.
    """

    keys: Sequence[Key]
    pinned: str | None
    signers: Sequence[Signer]
    signature: Path | None
    provenance: Path | None


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_locations(parser)
    add_identities(parser, required=False)
    add_digest(parser)
    document = "document that `sealift provenance` wrote, which must say what the artifact says; needs -i"
    parser.add_argument("--provenance", type=Path, metavar="FILE", help=document)
    add_signers(parser)
    add_signature(parser, "file of the artifact's signature (default: the one in the store)")
    add_audit(parser)


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    if options.audit:
        return check_audit(options, terminal)
    if options.audit_head is not None:
        raise WrongUsage("--audit-head is of an audit log", "add --audit")
    locations = find_locations(options)
    for name in ("payload_digest", "signature", "provenance"):
        if getattr(options, name) is not None and len(locations) != 1:
            raise WrongUsage(f"--{name.replace('_', '-')} is of one artifact", "name one artifact")
    if options.signature is not None and not options.signer:
        raise WrongUsage("--signature needs a trusted signer", "give the signer's public key with --signer")
    if options.signer and options.signature is None and options.store is None:
        raise WrongUsage("the signature's place is missing", "give --signature FILE")
    if options.provenance is not None and not options.identity:
        raise WrongUsage("--provenance needs the artifact's key", "give -i IDENTITY")
    trust = _Trust(
        find_keys(options), options.payload_digest, find_signers(options), options.signature, options.provenance
    )
    outcomes = [_report(location, trust, terminal) for location in locations]
    return DONE if all(outcomes) else REFUSED


def _report(location: Location, trust: _Trust, terminal: Terminal) -> bool:
    """Says whether one artifact is intact. Raises StoreUnwritable, which concerns them all."""
    try:
        manifest = location.manifest()
        check_pin(manifest, trust.pinned)
        signer = _verify(location, manifest, trust, terminal)
    except StoreUnwritable:
        raise
    except (CommandError, SealingError, SigningError, StoreError) as error:
        if terminal.as_json:
            terminal.say({"artifactId": location.artifact_id, "intact": False, "error": error.message})
        else:
            terminal.complain(f"{location.name}: {error.message}", error.hint)
        return False
    what = "intact and authentic" if trust.keys else "intact"
    result = {
        "artifactId": manifest.artifact_id, "intact": True, "authentic": bool(trust.keys) or None,
        "payloadDigest": manifest.payload_digest, "signer": signer,
    }  # fmt: skip
    said = [what, *([f"signed by {signer}"] if signer is not None else [])]
    said += [f"as {trust.provenance} says"] if trust.provenance is not None else []
    terminal.say(result, f"{manifest.artifact_id}: {', '.join(said)}")
    return True


def _verify(location: Location, manifest: Manifest, trust: _Trust, terminal: Terminal) -> str | None:
    """Returns the key id of the signer, if there must be one."""
    description = {}
    if trust.keys:
        description = manifest.open_description(data_key_of(manifest.encode(), trust.keys, location.keys))
    if not trust.signers and trust.provenance is None:
        check_payload(location, manifest, terminal, "verifying")
        return None
    sha256 = payload_sha256(location, manifest, terminal, "verifying")
    if trust.provenance is not None:
        check_document(trust.provenance, make_subject(manifest, description, sha256))
    if not trust.signers:
        return None
    statement, signer = read_statement(location, trust.signature, trust.signers)
    statement.check(signed_artifact(manifest), sha256)
    return signer.key_id


COMMAND: Final = Subcommand(
    "verify",
    "check whole artifacts: the payload's digest, with a key the manifest, and signatures; or the audit log",
    "Reads whole artifacts and compares size and digest of each payload with its manifest. With -i it also "
    "authenticates the manifest, which only a holder of the data key can have written. With --signer, an artifact is "
    "refused that has no signature, or one by another key or of another payload. Without both, whoever can write the "
    "files can exchange them together: then pin the digest. Nothing is decrypted to a disk. "
    "With --audit it checks the chain of the store's audit log instead, and names each line that was removed, altered "
    "or put there. Whoever can write to the store can also make a whole new chain: only --audit-head shows that.",
    "sealift verify 0123456789abcdef0123456789abcdef --store s3://my-bucket/models -i key.pem\n"
    "sealift verify --all --store file://~/.sealift/store --json\n"
    "sealift verify --payload out/model.payload --manifest out/model.manifest\n"
    "sealift verify 0123456789abcdef0123456789abcdef --store s3://my-bucket/models -i key.pem --provenance model.json\n"
    "sealift verify --all --store s3://my-bucket/models --signer signer.pem.pub\n"
    "sealift verify --audit --store s3://my-bucket/models",
    _add_options,
    _run,
)
