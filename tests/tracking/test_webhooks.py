"""A promotion is news: a real MLflow server tells a real listener when the alias `champion` moves."""

import base64
import hashlib
import hmac
import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography.fernet import Fernet

from pipeline.tracking import ledger
from pipeline.tracking.store import open_store

MODEL = "heartbeat-interpatient"
SECRET = "between the two of us"

pytestmark = pytest.mark.slow


@pytest.fixture
def listener():
    """A server on loopback; what it is sent waits in its queue `news`."""
    news = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()
            news.put((dict(self.headers), body))

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.news = news
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_listener_hears_of_the_new_champion(set_up_database, mlflow_server, listener, monkeypatch, tmp_path):
    database = tmp_path / "served.db"
    database.write_bytes(set_up_database.read_bytes())
    address = mlflow_server(
        f"sqlite:///{database}",
        MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY=Fernet.generate_key().decode(),
        MLFLOW_WEBHOOK_ALLOWED_SCHEMES="http",
        MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS="true",
    )
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_WEBHOOK_ALLOWED_SCHEMES", "http")
    monkeypatch.setenv("MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS", "true")
    store = open_store(tmp_path)
    store.client.create_webhook(
        "champion",
        f"http://127.0.0.1:{listener.server_port}/news",
        events=["model_version_alias.created"],
        secret=SECRET,
    )
    store.client.create_registered_model(MODEL)
    store.client.create_model_version(MODEL, "s3://bucket/model")
    ledger.append(store, MODEL, "promote", None, 1, "passed", "")
    ledger.settle(store, MODEL)

    headers, body = listener.news.get(timeout=60)
    told = json.loads(body)["data"]
    assert (told["name"], told["alias"], told["version"]) == (MODEL, "champion", "1")
    signed = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.{body.decode()}".encode()
    digest = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["X-MLflow-Signature"] == f"v1,{digest}"
