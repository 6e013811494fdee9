"""What a run's manifest says of its data."""

from pipeline.stages.manifest import Manifest


def test_the_sides_are_inputs_of_the_run_by_their_context():
    counts = {side: {"N": place} for place, side in enumerate(("train", "validation", "test"))}
    inputs = Manifest("r", {}, {}, counts, "d" * 32).datasets()
    assert [(each.name, each.context, each.counts["N"]) for each in inputs] == [
        ("beats-train", "training", 0),
        ("beats-validation", "validation", 1),
        ("beats-test", "test", 2),
    ]
