"""A small web app: / tells VERSION and the pid, /env the environment, /healthz is well unless SICK is set."""
import http.server
import json
import os
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        sick = self.path == "/healthz" and "SICK" in os.environ
        body = json.dumps(dict(os.environ)) if self.path == "/env" else f"{os.environ.get('VERSION')} {os.getpid()}"
        self.send_response(500 if sick else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


print("serving", sys.argv[1:], flush=True)
http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
