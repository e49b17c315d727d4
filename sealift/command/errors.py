"""Errors of the command itself. Those of sealing and of stores have the same two parts.

CommandError            a sentence, then a hint line; exit code 1
└── WrongUsage          the command line says what cannot be done; exit code 2
"""


class CommandError(Exception):
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class WrongUsage(CommandError): ...
