"""What goes wrong in the plugin, said so that a user can act.

PluginError          a sentence, then a hint line; the engine shows it as it is, without a traceback
└── Cancelled        the user, a timeout or the engine ended the operation; the work done so far is kept
"""


class PluginError(Exception):
    """An operation failed for a reason the user can mend."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class Cancelled(PluginError):
    """The operation was ended from outside; what was done so far is kept."""
