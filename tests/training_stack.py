"""A small program of ours: a store and a training run, with the config's settings."""

from pathlib import Path

from tests.stack import PROJECT_ROOT, Stack

PROGRAM = """
import pulumi
from components import EncryptedArtifactStore, TrainingRun

config = pulumi.Config()
store = EncryptedArtifactStore("store", {"url": config.require("storeUrl"),
                                         "retention": config.get("retention") or "delete",
                                         "keysUrl": config.get("keysUrl"),
                                         **({"key": config.get("key")} if config.get("key") else {}),
                                         **({"reseal": config.get("reseal")} if config.get("reseal") else {}),
                                         "retainCount": config.get_int("retainCount"),
                                         "rotation": config.get("rotation") or "",
                                         "recipients": config.get_object("recipients") or []})
wiring = {"storeUrl": store.url, "keysUrl": store.keys_url, "storeKey": store.store_key, "recipients": store.recipients,
          "openingKeys": store.opening_keys, "retention": store.retention, "reseal": store.reseal,
          "retainCount": store.retain_count}
run = TrainingRun("training", {**wiring, **(config.get_object("run") or {})})
for name in ("artifact_id", "content_id", "stop_reason", "epochs_run", "metrics", "manifest", "payload_digest",
             "data_key"):
    pulumi.export(name, getattr(run, name))
pulumi.export("opening_keys", store.opening_keys)
"""

PROJECT = """
name: engine-test
runtime:
  name: python
  options: {virtualenv: %s}
plugins:
  providers:
    - name: sealift
      path: %s
"""


def make_training_stack(home: Path, *, project_root: Path = PROJECT_ROOT, **run: object) -> Stack:
    """Makes a stack of a store and a training run below `home`. Keyword arguments are inputs of the run."""
    folder = home / "program"
    folder.mkdir(exist_ok=True)
    (folder / "__main__.py").write_text(f"import sys\nsys.path.insert(0, {str(project_root)!r})\n{PROGRAM}")
    (folder / "Pulumi.yaml").write_text(PROJECT % (Stack.virtualenv(), project_root / "components" / "plugin"))
    stack = Stack(folder, name="dev", home=home)
    stack.init()
    stack.set_config("storeUrl", f"file://{home / 'store'}")
    stack.set_run(**run)
    return stack
