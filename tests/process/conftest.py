"""Process tests: training in processes of its own, which are killed, cancelled and started again; no engine.

Libraries report nothing, as in the training process itself.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
