"""The command `sealift`: keys and artifacts by hand, without Pulumi. `sealift serve` is sealift/serving.

program.py runs it. Each command has its own module with a `COMMAND`, and parser.py lists them. They share keys.py
(recipients and identities), artifact.py (where an artifact is), new_files.py, terminal.py and meter.py (what is said).
What they do is in sealift.sealing, sealift.stores and sealift.rewrapping.
"""
