"""Process tests: training, the server, stores and image contexts in processes of their own, which are killed, stopped,
watched and started again; no engine.

Libraries report nothing, as in the training process itself.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
