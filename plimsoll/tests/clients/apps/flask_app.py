"""Flask with limits by Flask-Limiter, counted in Redis by each of its strategies."""

import os

from flask import Flask, request
from flask_limiter import Limiter

app = Flask(__name__)


def limited(name, strategy):
    limiter = Limiter(lambda: request.headers["x-user"], app=app, storage_uri=os.environ["REDIS_URL"], strategy=strategy, headers_enabled=True, key_prefix=name)

    @app.get(f"/{name}", endpoint=name)
    @limiter.limit("10 per hour")
    def answer():
        return {"instance": os.getpid()}


limited("fixed", "fixed-window")
limited("moving", "moving-window")
limited("sliding", "sliding-window-counter")
