"""The model server inside the image: opens one sealed artifact into memory and answers the Open Inference Protocol v2.

`__main__.py` starts it: model.py (artifact → session) → protocol.py over numbers.py (JSON ↔ arrays, pure) → app.py
(routes) over body.py (what arrives) → server.py (connections and their graceful end). It knows neither Pulumi nor
torch, and writes no file.
"""

import os

# Before onnxruntime is loaded: it would send its makers a model's name and hashes of its weights, and keep a database
# of what is not sent yet in the home folder (its Privacy.md, "Disabling Telemetry"). Later calls cannot stop all of it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# Before numpy is loaded: its OpenBLAS, which has nothing to do here, would start a thread for each of the node's cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
