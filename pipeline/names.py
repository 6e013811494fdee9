"""Names that params.yaml and the command line share; light to import, as `heartbeat --help` must be quick."""

from typing import Final, Literal

Protocol = Literal["kaggle", "interpatient"]
Architecture = Literal["reference", "residual", "context"]
ROW_ARCHITECTURES: Final = ("reference", "residual")
"""Those that read the rows of single beats; the other one reads recordings."""
