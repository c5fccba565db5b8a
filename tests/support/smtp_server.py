#!/usr/bin/env python3
"""A server for the tests of the type mail, on a free port of loopback, which it prints. A receiver
whose address begins with a number is refused by it; it answers QUIT like any, and each mail that it
took is printed: sender, receivers, and the text with \\n for the end of a line."""
import re
import socketserver
import sys
import threading


class Handler(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def mail(self):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            assert line.endswith(b"\r\n")
            lines.append(line[:-2].decode())
        return "\\n".join(lines)

    def handle(self):
        sender, receivers = "", []
        self.say("220 test")
        while line := self.rfile.readline().decode().strip():
            address = (re.findall("<(.*)>", line) or [""])[0]
            if line.startswith("RCPT") and address[:3].isdigit():
                self.say(address[:3] + " no")
            elif line.startswith("RCPT"):
                receivers.append(address)
                self.say("250 ok")
            elif line.startswith("MAIL"):
                sender = address
                self.say("250 ok")
            elif line == "DATA":
                self.say("354 go on")
                print(sender, ",".join(receivers), self.mail(), flush=True)
                self.say("250 ok")
            elif line == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
