"""Names that params.yaml and the command line share; light to import, as `heartbeat --help` must be quick."""

from typing import Literal

Protocol = Literal["kaggle", "interpatient"]
Architecture = Literal["reference", "context"]
