"""`sealift keygen`: a new key pair, in two files or in a pipe."""

import argparse
import sys
from pathlib import Path
from typing import Final

from sealift.command.new_files import create_all, new_file
from sealift.command.subcommand import DONE, Subcommand
from sealift.command.terminal import Terminal, secret_output
from sealift.sealing import KEY_ALGORITHMS, KeyPair, generate_key_pair
from sealift.signing import SigningKey

PUBLIC_MODE: Final = 0o644
STANDARD_OUTPUT: Final = "-"
SIGNING_ALGORITHM: Final = "ECDSA-P256"


def _add_options(parser: argparse.ArgumentParser) -> None:
    algorithm = f"algorithm of the new key pair (default: {KEY_ALGORITHMS[0]})"
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--algorithm", choices=KEY_ALGORITHMS, default=KEY_ALGORITHMS[0], help=algorithm)
    signing = f"choice of a key pair that signs artifacts and opens none ({SIGNING_ALGORITHM})"
    kind.add_argument(
        "--signing", dest="algorithm", action="store_const", const=SIGNING_ALGORITHM, default=KEY_ALGORITHMS[0],
        help=signing,
    )  # fmt: skip
    output = "new file for the private key, with mode 0600; the public key goes to FILE.pub (default: standard output)"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=output)


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    if options.output in (None, Path(STANDARD_OUTPUT)):
        return _to_pipe(options, terminal)
    public = options.output.with_name(f"{options.output.name}.pub")
    with new_file(options.output) as private_file, new_file(public, PUBLIC_MODE) as public_file:
        pair = _generate(options.algorithm)
        private_file.write(pair.identity.encode())
        public_file.write(pair.recipient.encode())
        create_all((private_file, public_file))
    result = {
        "keyId": pair.key_id, "algorithm": options.algorithm, "privateKeyFile": str(options.output),
        "publicKeyFile": str(public), "publicKey": pair.recipient,
    }  # fmt: skip
    terminal.say(
        result, f"key id: {pair.key_id}", f"private key: {options.output} (keep it secret)", f"public key: {public}"
    )
    return DONE


def _to_pipe(options: argparse.Namespace, terminal: Terminal) -> int:
    """Writes the private key to standard output and the public key to standard error."""
    with secret_output("a private key", "give -o FILE, or redirect the output to a file or a program") as output:
        pair = _generate(options.algorithm)
        if terminal.as_json:
            terminal.say({
                "keyId": pair.key_id, "algorithm": options.algorithm, "publicKey": pair.recipient,
                "privateKey": pair.identity,
            })  # fmt: skip
        else:
            output.write(pair.identity.encode())
            sys.stderr.write(pair.recipient)
    return DONE


def _generate(algorithm: str) -> KeyPair:
    if algorithm != SIGNING_ALGORITHM:
        return generate_key_pair(algorithm)
    key = SigningKey.generate()
    return KeyPair(key.signer.key_id, key.signer.pem, key.pem)


COMMAND: Final = Subcommand(
    "keygen",
    "make a key pair: one that opens artifacts and seals them, or one that signs them",
    "Makes a key pair: a private key that opens artifacts, and a public key to seal to. With --signing, the private "
    "key signs artifacts instead, and the public key checks signatures. With -o, the private key is a new file that "
    "only you can read, and the public key is beside it. Without -o, the private key goes to standard output and the "
    "public key to standard error; a terminal is refused. No file is ever overwritten.",
    "sealift keygen -o key.pem\n"
    "sealift keygen --signing -o signer.pem\n"
    "sealift keygen | vault kv put secret/sealift key=-",
    _add_options,
    _run,
)
