#!/usr/bin/env python3
"""A server for the tests of the type http, on a free port of loopback, which it prints. Each path
is a way to answer; it ends when its input does."""
import hashlib
import hmac
import http.server
import socket
import struct
import sys
import threading
import time

SECRET = b"secret"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counts = {}

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def signed(self, body):
        fields = dict(part.split("=") for part in self.headers["Leat-Signature"].split(","))
        text = f"{fields['t']}.{self.headers['Leat-Job']}.".encode() + body
        good = hmac.new(SECRET, text, hashlib.sha256).hexdigest() == fields["v1"]
        return good and abs(time.time() - int(fields["t"])) < 60

    def any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        words = self.path.strip("/").split("/")
        if words[0] == "status":
            self.answer(int(words[1]), b"", [("Retry-After", words[2])] if len(words) > 2 else [])
        elif words[0] == "once":  # a status the first time, then 200
            count = self.counts[self.path] = self.counts.get(self.path, 0) + 1
            self.answer(int(words[1]) if count == 1 else 200, b"",
                        [("Retry-After", words[2])] if len(words) > 2 and count == 1 else [])
        elif words[0] == "echo":
            self.answer(200, b"|".join([self.command.encode(), (
                self.headers.get("Content-Type") or "").encode(),
                (self.headers.get("X-Test") or "").encode(), body]))
        elif words[0] == "signed":
            self.answer(200 if self.signed(body) else 403)
        elif words[0] == "slow":
            time.sleep(float(words[1]))
            self.answer(200)
        elif words[0] == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
            self.close_connection = True
        elif words[0] == "huge":
            self.send_response(200)
            self.send_header("Content-Length", str(1 << 40))
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                self.close_connection = True
        elif words[0] == "chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (b"one ", b"two ", b"three"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        elif words[0] == "redirect":
            self.answer(302, b"", [("Location", "/" + "/".join(words[1:]))])
        elif words[0] == "file":
            self.answer(302, b"", [("Location", "file:///etc/passwd")])

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = any

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.handle_error = lambda *arguments: None
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
