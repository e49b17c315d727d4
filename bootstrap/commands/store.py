"""STORE: the store that a stack's config names. `pulumi` reads it from the stack's file, so `up` writes it there."""

import re
from pathlib import Path

from bootstrap.commands import stacks
from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.steps import object_store

OURS = re.compile(rf"""^ +url: *["']?s3://{object_store.BUCKET}/""", re.MULTILINE)
"""Line in a stack's file that `changes` writes."""


def demand(context: Context, stack: str) -> None:
    """Raises BootstrapError if the stack's artifacts are on our server, but the user's AWS account would be asked."""
    file = stacks.file_of(context, stack)
    if object_store.asked(context) == "file" or not _names_ours(file):
        return
    object_store.keep_accounts_apart(context)
    if not object_store.wanted(context):
        raise BootstrapError(
            f"{file.name} names a store on the S3 server of set-up, which was never started here",
            [
                f"run {stacks.make('up', stack)} STORE=s3, which starts it",
                f"or run {stacks.make('up', stack)} STORE=file, which takes the default folder",
            ],
        )


def changes(context: Context, stack: str) -> list[list[str]]:
    """Returns the words of the `pulumi` commands that give the stack the store that was asked for."""
    asked, file = object_store.asked(context), stacks.file_of(context, stack)
    if asked == "s3" and not _names_ours(file):
        url = f"s3://{object_store.BUCKET}/{stacks.short(stack)}"
        undo = f"{stacks.make('up', stack)} STORE=file"
        context.console.note(f"{file.name} gets store.url, {url}; {undo} takes it out again")
        return [["config", "set", "--path", "store.url", url]]
    if asked == "file" and _names_ours(file):
        context.console.note(f"{file.name} loses its store.url; the model is trained again, into the default folder")
        return [["config", "rm", "--path", "store.url"]]
    return []


def leave(context: Context) -> None:
    """Stops our server after STORE=file, unless a stack's file still names it. Its objects stay."""
    if object_store.asked(context) != "file" or not context.facts.object_store:
        return
    if using := sorted(file.name for file in context.layout.root.glob("Pulumi.*.yaml") if _names_ours(file)):
        context.console.note(f"the S3 server keeps running for {', '.join(using)}")
        return
    context.daemons.stop(object_store.NAME)
    context.learn(object_store="")
    kept = context.layout.object_store.relative_to(context.layout.root)
    context.console.note(f"the S3 server was stopped; its objects stay in {kept}")


def _names_ours(file: Path) -> bool:
    return file.exists() and OURS.search(file.read_text()) is not None
