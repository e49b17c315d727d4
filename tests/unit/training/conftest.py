"""What holds for all tests of training: libraries report nothing, as in the training process itself."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
