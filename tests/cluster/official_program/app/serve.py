"""Answers every GET with 200, as the recorded image did."""

import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
