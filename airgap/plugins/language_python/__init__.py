"""Stand-in for the official `pulumi-language-python`, used only if that one is not available.

host.py answers the engine. program.py is the process that runs one Python program, so that every run starts in a new
process. It installs no dependencies and generates no code.
"""
