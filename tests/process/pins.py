"""Imported before any library: the server that runs are forked from loads these once, as a cold process would."""

import os

from training.recipe.processor import pin

pins = pin(os.environ, bf16=False)
for name in os.environ.keys() - pins.keys():
    del os.environ[name]
os.environ.update(pins)
