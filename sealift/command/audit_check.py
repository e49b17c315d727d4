"""The check of a store's audit log, which `sealift verify --audit` does instead of checking artifacts."""

import argparse

from sealift.command.errors import WrongUsage
from sealift.command.subcommand import DONE, REFUSED
from sealift.command.terminal import Terminal
from sealift.names import counted
from sealift.stores import NO_LINES, AuditHead, check_log, open_store, parse_head


def add_audit(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the check."""
    audit = "check of the store's audit log, instead of artifacts"
    parser.add_argument("--audit", action="store_true", help=audit)
    head = "head that an earlier `sealift verify --audit` printed; a log that was cut off or rewritten since is refused"
    parser.add_argument("--audit-head", metavar="LINES:DIGEST", type=_audit_head, help=head)


def check_audit(options: argparse.Namespace, terminal: Terminal) -> int:
    """Checks the log of the options' store, and returns the exit code. Raises WrongUsage or StoreError."""
    others = {
        "ARTIFACT-ID": options.artifact_id, "--all": options.all, "-i": options.identity, "--payload": options.payload,
        "--manifest": options.manifest, "--payload-digest": options.payload_digest, "--signer": options.signer,
        "--signature": options.signature, "--provenance": options.provenance,
    }  # fmt: skip
    given = [name for name, value in others.items() if value]
    if given:
        raise WrongUsage(f"not allowed beside --audit: {', '.join(given)}", "check artifacts in a command of their own")
    if options.store is None:
        raise WrongUsage("the log's store is missing", "give --store URL")
    store = open_store(options.store)
    checked = check_log(store, options.audit_head or NO_LINES)
    for one in checked.damage:
        if terminal.as_json:
            terminal.say({"number": one.number, "error": one.message})
        else:
            terminal.complain(one.message, f"find out who can write to {store.location}")
    if checked.damage:
        return REFUSED
    said = f"audit log intact: {counted(checked.head.lines, 'line')}"
    result = {"intact": True, "lines": checked.head.lines, "head": str(checked.head), "older": checked.older}
    terminal.say(result, said, f"head: {checked.head}")
    if checked.older and not terminal.as_json:
        terminal.note(
            f"{counted(len(checked.older), 'artifact')} stored before the log's first line, by a release without a log "
            f"(0.1.0 or 0.2.0) or under a log that was removed: {', '.join(checked.older)}"
        )
    return DONE


def _audit_head(text: str) -> AuditHead:
    """Reads a noted head. Raises ArgumentTypeError."""
    head = parse_head(text)
    if head is None:
        raise argparse.ArgumentTypeError(
            f"{text[:100]!r} is not a head; allowed: a number of lines, a colon and 64 lower-case hex digits"
        )
    return head
