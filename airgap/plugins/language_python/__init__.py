"""A stand-in for the official `pulumi-language-python`, used only where that one cannot be had.

host.py answers the engine; program.py is the process that runs one Python program, so that every run starts from
nothing. It runs what is there: it installs no dependencies and generates no code.
"""
