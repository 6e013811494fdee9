"""The service's addresses: POST /beats, /health, /ready, /metrics, /openapi.json."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from pipeline.errors import UserError
from pipeline.scoring.strips import label_strip
from pipeline.serving.limits import LIMITS, RETRY_AFTER_S, Desk, Limits, Refused, read_body
from pipeline.serving.measures import CONTENT_TYPE, Measures
from pipeline.serving.messages import Labelled, Model, Problem, Recording, read_recording, write_labelled
from pipeline.serving.served import POLL_S, Newer, Served, ServedModel

_log = logging.getLogger(__name__)

_RECORDING = Recording.model_json_schema()
_REFUSALS = {
    400: "The body did not arrive whole.",
    408: "The body took too long to arrive.",
    413: "The body is too large.",
    422: "The recording cannot be labelled; one sentence names the field.",
    503: "All places are taken; Retry-After says when to come back.",
    504: "Labelling took too long.",
}


def create_app(newer: Newer, limits: Limits = LIMITS, poll_s: float = POLL_S) -> FastAPI:
    """The service, with its first model loaded.

    Args:
        newer: Where models come from.
        limits: What it takes at once.
        poll_s: How often it looks for a newer model.

    Raises:
        UserError: there is no model to serve.
    """
    measures = Measures()
    model = ServedModel(newer, measures.serves, measures.watch_failed, poll_s)
    desk = Desk(limits, measures.inside)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        model.start()
        yield
        model.stop()
        desk.close()

    app = FastAPI(
        title="heartbeat",
        summary="ECG in, beats labelled N, S, V, F or Q out. Research software, not a medical device.",
        version=metadata.version("heartbeat"),
        lifespan=lifespan,
        docs_url=None,  # Both pages load scripts from elsewhere.
        redoc_url=None,
    )

    @app.get("/health")
    async def health() -> dict[str, str]:
        """The process answers."""
        return {"status": "alive"}

    @app.get("/ready")
    async def ready() -> Model:
        """The model that answers."""
        return Model(name=model.current.name, version=model.current.version)

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Prometheus's text format."""
        return Response(measures.text(), media_type=CONTENT_TYPE)

    @app.post(
        "/beats",
        response_model=Labelled,
        responses={status: {"model": Problem, "description": about} for status, about in _REFUSALS.items()},
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _RECORDING}}}},
    )
    async def beats(request: Request) -> Response:
        """Label the beats of a recording."""
        began = time.perf_counter()
        response = await _answer(request, desk, limits, model.current, measures)
        measures.answered(response.status_code, time.perf_counter() - began)
        return response

    return app


async def _answer(request: Request, desk: Desk, limits: Limits, model: Served, measures: Measures) -> Response:
    try:
        desk.enter()
        try:
            body = await read_body(request, limits)
        except BaseException:
            desk.leave()
            raise
        return Response(await desk.run(lambda: _labelled(body, model, measures)), media_type="application/json")
    except Refused as refused:
        headers = {"Retry-After": str(RETRY_AFTER_S)} if refused.status == 503 else None
        return JSONResponse({"detail": refused.detail}, refused.status, headers)
    except UserError as error:
        return JSONResponse({"detail": str(error)}, 422)
    except Exception:
        _log.exception("a request failed")
        return JSONResponse({"detail": "the service failed; its log says why"}, 500)


def _labelled(body: bytes, model: Served, measures: Measures) -> bytes:
    strip = read_recording(body)
    beats = label_strip(model.network, strip.record, strip.fs_hz, strip.signal_mv, strip.beats)
    measures.labelled(beats["predicted"])
    return write_labelled(beats, strip.record, model)
