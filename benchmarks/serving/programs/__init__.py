"""Peers of our server, one file each: `python -m benchmarks.serving.programs.NAME MODEL PORT`.

They run with their own packages, and import no other package of ours.
"""
