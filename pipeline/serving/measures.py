"""What the service counts, as Prometheus text."""

from collections import Counter as Counts
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from pipeline.ecg.aami import CLASSES
from pipeline.serving.served import Served

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_BUCKETS_S = (0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Measures:
    """Counters of one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "heartbeat_requests", "Requests for labels, by HTTP status.", ["status"], registry=self._registry
        )
        self._seconds = Histogram(
            "heartbeat_request_seconds", "Time to a request's answer.", buckets=_BUCKETS_S, registry=self._registry
        )
        self._beats = Counter("heartbeat_beats", "Labelled beats, by class.", ["aami"], registry=self._registry)
        self._model = Gauge(
            "heartbeat_model", "1 for the model that answers.", ["name", "version"], registry=self._registry
        )
        self._failures = Counter(
            "heartbeat_model_watch_failures", "Times that the model's store could not be read.", registry=self._registry
        )
        self._inside = Gauge("heartbeat_requests_inside", "Requests in work or waiting.", registry=self._registry)
        for name in CLASSES:
            self._beats.labels(name)

    def answered(self, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(str(status)).inc()
        self._seconds.observe(seconds)

    def labelled(self, classes: Iterable[str]) -> None:
        """Count beats."""
        for name, number in Counts(classes).items():
            self._beats.labels(name).inc(number)

    def serves(self, model: Served) -> None:
        """Name the model that answers from now on."""
        self._model.clear()
        self._model.labels(model.name, model.version).set(1)

    def watch_failed(self) -> None:
        """Count a failure to look for a newer model."""
        self._failures.inc()

    def inside(self, requests: int) -> None:
        """Note how many requests are in work or waiting."""
        self._inside.set(requests)

    def text(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self._registry)
