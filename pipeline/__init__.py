"""ECG heartbeat classification, from raw recordings to a registered model."""

import os

# TensorFlow reads this when it is first imported; without it every command begins with a page of its own notes.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
