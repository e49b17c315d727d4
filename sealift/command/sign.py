"""`sealift sign`: a signature of an artifact, in its store or in a file."""

import argparse
from typing import Final, cast

from sealift.command.artifact import Location, add_digest, add_location, check_pin, find_location
from sealift.command.errors import WrongUsage
from sealift.command.new_files import new_file
from sealift.command.payload_check import payload_sha256
from sealift.command.signers import add_signature, add_signing_key, find_signing_key
from sealift.command.subcommand import DONE, Subcommand
from sealift.command.terminal import Terminal
from sealift.sealing.manifest import Manifest
from sealift.signed_artifacts import signed_artifact
from sealift.signing import SigningKey, sign
from sealift.stores import Store, put_signature

SIGNATURE_MODE: Final = 0o644


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_location(parser)
    add_digest(parser)
    add_signing_key(parser)
    add_signature(parser, "new file for the signature (default: the store, beside the artifact)")


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    location = find_location(options)
    if location.store is None and options.signature is None:
        raise WrongUsage("the signature's place is missing", "give --signature FILE")
    key = find_signing_key(options)
    manifest = location.manifest()
    check_pin(manifest, options.payload_digest)
    if options.signature is not None:
        place = str(options.signature)
        with new_file(options.signature, SIGNATURE_MODE) as file:
            file.write(_sign(location, manifest, key, terminal))
            file.create()
    else:
        store = cast(Store, location.store)
        place = store.location
        put_signature(store, manifest.artifact_id, _sign(location, manifest, key, terminal))
    result = {
        "artifactId": manifest.artifact_id, "payloadDigest": manifest.payload_digest, "signer": key.signer.key_id,
        "place": place,
    }  # fmt: skip
    terminal.say(result, f"{manifest.artifact_id}: signed by {key.signer.key_id}, in {place}")
    return DONE


def _sign(location: Location, manifest: Manifest, key: SigningKey, terminal: Terminal) -> bytes:
    sha256 = payload_sha256(location, manifest, terminal, "signing")
    name = manifest.artifact_id if location.payload_file is None else location.payload_file.name
    return sign(signed_artifact(manifest), name, sha256, key)


COMMAND: Final = Subcommand(
    "sign",
    "sign an artifact, in the format of OpenSSF's model-signing",
    "Signs an artifact with an ECDSA key, so that others can see who released it. It reads the whole payload and "
    "compares it with the manifest first: a damaged artifact is not signed. The signature names the artifact's id, "
    "the payload's digests and its size; it stays valid if the recipients change. In a store it replaces an earlier "
    "signature, and goes when the artifact is erased or deleted. `model_signing verify key` checks it over the folder "
    "of the payload.",
    "sealift sign 0123456789abcdef0123456789abcdef --store s3://my-bucket/models --key signer.pem\n"
    "sealift sign --payload out/model.payload --manifest out/model.manifest --key signer.pem --signature out/model.sig",
    _add_options,
    _run,
)
