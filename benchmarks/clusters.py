"""Scoring on a Ray cluster of N nodes with one core each: `python -m benchmarks.clusters N MODEL RECORD...`."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from pipeline.guard import guarded

_STORE_BYTES = 80_000_000


def seconds(nodes: int, model: Path, records: list[Path]) -> float:
    """Time to score all records, without the start of the cluster and of its workers."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    from pipeline.scoring.cluster import RayCluster
    from pipeline.scoring.folder import score_folder
    from pipeline.scoring.labelling import BeatSource
    from pipeline.scoring.parts import Work
    from pipeline.scoring.selection import selected

    head = {"num_cpus": 0, "object_store_memory": _STORE_BYTES, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(nodes):
            cluster.add_node(num_cpus=1, object_store_memory=_STORE_BYTES)
        with tempfile.TemporaryDirectory(prefix="heartbeat-bench-") as folder:
            taken = []
            for number, chosen in enumerate((records[: 2 * nodes], records)):
                work = Work(model.read_bytes(), model, BeatSource("atr"), None, 1, Path(folder) / str(number))
                started = time.perf_counter()
                score_folder(work, selected(chosen), RayCluster(cluster.address))
                taken.append(time.perf_counter() - started)
        return taken[-1]
    finally:
        cluster.shutdown()


def main() -> None:
    """Entry point: prints the seconds."""
    nodes, model, *records = sys.argv[1:]
    guarded(lambda: print(json.dumps({"seconds": seconds(int(nodes), Path(model), [Path(each) for each in records])})))


if __name__ == "__main__":
    main()
