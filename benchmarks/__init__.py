"""Measurements beside other projects, in one run on one machine. No test asserts them.

`python -m benchmarks.NAME` prints a table, and with `--json` one object on standard output.
"""
