"""`python -m sealift.sealing` is the command `sealift`."""

import runpy

runpy.run_module("sealift", run_name="__main__")
