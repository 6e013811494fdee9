"""The search for settings: trials that see the validation side alone, each a run in MLflow."""
