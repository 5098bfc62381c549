"""A small web app: a page, JSON, a list of posts kept in Postgres, uploads, ticks by server-sent events."""

import hashlib
import os
import time

from flask import Flask, Response, abort, request
from psycopg_pool import ConnectionPool

app = Flask(__name__, static_folder=None)
app.config["MAX_CONTENT_LENGTH"] = 200 * 1024 * 1024


def make(connection):
    """More than one worker may make the table at the same time: the lock lets them do it in turn."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(1)")
        connection.execute("CREATE TABLE IF NOT EXISTS posts (id bigserial PRIMARY KEY, title text NOT NULL, text text NOT NULL)")


# it connects beside what the app does, so that the app starts at once
database = ConnectionPool(os.environ.get("DATABASE_URL", ""), min_size=1, max_size=8, configure=make, open=True)


@app.get("/healthz")
def healthz():
    return "ok"


@app.get("/hello")
def page():
    return '<!doctype html><title>Hello</title><h1>Hello from Python</h1><p><a href="/">The front</a>'


@app.get("/api/hello")
def hello():
    return {"hello": request.args.get("name", "world"), "from": "python", "instance": os.getpid()}


@app.get("/api/posts")
def posts():
    with database.connection() as connection:
        rows = connection.execute("SELECT title, text FROM posts ORDER BY id").fetchall()
    return [{"title": title, "text": text} for title, text in rows]


@app.post("/api/posts")
def create():
    post = request.get_json()
    if not isinstance(post, dict) or not str(post.get("title", "")).strip():
        abort(422)
    post = {"title": str(post["title"]), "text": str(post.get("text", ""))}
    with database.connection() as connection:
        connection.execute("INSERT INTO posts (title, text) VALUES (%(title)s, %(text)s)", post)
    return post, 201


def digest(stream):
    """The size and SHA-256 of a stream, hashed as it comes; nothing is kept."""
    hashed, size = hashlib.sha256(), 0
    while chunk := stream.read(256 * 1024):
        hashed.update(chunk)
        size += len(chunk)
    return {"size": size, "sha256": hashed.hexdigest()}


@app.route("/api/upload", methods=["POST", "PUT"])
def upload():
    return digest(request.stream)


@app.post("/api/upload/form")
def form():
    return {"files": [{"name": file.filename, **digest(file.stream)} for file in request.files.values()]}


@app.get("/api/ticks")
def ticks():
    def tell():
        for number in range(3000):
            yield f"event: tick\ndata: {number}\n\n"
            time.sleep(0.2)

    return Response(tell(), mimetype="text/event-stream", headers={"cache-control": "no-cache"})
