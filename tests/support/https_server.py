#!/usr/bin/env python3
"""A server with a certificate that nobody has signed but itself, made anew, on a free port of
loopback, which it prints; it ends when its input does, and then says whether a request came."""
import http.server
import ssl
import subprocess
import sys
import tempfile
import threading

came = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        came.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.handle_error = lambda *arguments: None
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", f"{folder}/key", "-out", f"{folder}/certificate"],
                   check=True, stderr=subprocess.DEVNULL)
    context.load_cert_chain(f"{folder}/certificate", f"{folder}/key")
# The handshake is the handler's thread's: the server goes on beside one that fails.
server.socket = context.wrap_socket(server.socket, server_side=True,
                                    do_handshake_on_connect=False)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
print(len(came), flush=True)
