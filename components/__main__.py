"""What a language host runs for PulumiPlugin.yaml: the plugin, with the checkout's rooms in reach."""

import runpy
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)
runpy.run_module("components.plugin", run_name="__main__")
