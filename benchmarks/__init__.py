"""Figures side by side with peers, taken within one run on one machine. Never asserted in tests.

Each is `python -m benchmarks.NAME`: a table, and with `--json` one object on standard output.
"""
