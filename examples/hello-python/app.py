"""A small web app: a page, JSON, a list of posts kept in a file, uploads, ticks by server-sent events."""

import hashlib
import json
import os
import pathlib
import time

from flask import Flask, Response, abort, request

app = Flask(__name__, static_folder=None)
app.config["MAX_CONTENT_LENGTH"] = 200 * 1024 * 1024
POSTS = pathlib.Path(os.environ.get("DATA", "data")) / "posts.jsonl"


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
    lines = POSTS.read_text().splitlines() if POSTS.exists() else []
    return [json.loads(line) for line in lines]


@app.post("/api/posts")
def create():
    post = request.get_json()
    if not isinstance(post, dict) or not str(post.get("title", "")).strip():
        abort(422)
    post = {"title": str(post["title"]), "text": str(post.get("text", ""))}
    POSTS.parent.mkdir(parents=True, exist_ok=True)
    # one write in append mode: workers do not mix their lines
    with open(POSTS, "a") as file:
        file.write(json.dumps(post) + "\n")
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
