#!/bin/bash
# embed_webhook.sh WEBHOOK - the example delivers to a server that is down twice, gives one that
# refuses up at once and one that stays down after five attempts; each request is signed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"; [ -z "${server:-}" ] || kill "$server"' EXIT
cd "$work"
cat >server.py <<'END'
import hashlib, hmac, http.server, os

class Receiver(http.server.BaseHTTPRequestHandler):
    seen = {}

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        seconds, _, code = self.headers["Leat-Signature"][2:].partition(",v1=")
        signed = f"{seconds}.{self.headers['Leat-Job']}.".encode() + body
        right = hmac.new(b"secret", signed, hashlib.sha256).hexdigest() == code
        right = right and self.headers["X-Event-Type"] == "user.registered"
        count = self.seen[self.path] = self.seen.get(self.path, 0) + 1
        status = {"/good": 204, "/gone": 410, "/down": 500}.get(self.path, 0)
        status = status or (500 if count < 3 else 200)
        self.send_response(status if right else 400)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
with open("port.new", "w") as file:
    file.write(str(server.server_port))
os.rename("port.new", "port")
server.serve_forever()
END
python3 server.py &
server=$!
for _ in {1..200}; do
    [ -e port ] && break
    sleep 0.05
done
at=http://127.0.0.1:$(cat port)

"$1" secret "$at/good" "$at/soon" >told
diff told - <<END
$at/good: completed, attempts 1, status 204
$at/soon: completed, attempts 3, status 200
END
status=0
"$1" secret "$at/gone" "$at/down" >told || status=$?
[ "$status" -eq 1 ]
diff told - <<END
$at/gone: dead, attempts 1, status 410
$at/down: dead, attempts 5, status 500
END
! "$1" wrong "$at/good" >told
[ "$(cat told)" = "$at/good: dead, attempts 1, status 400" ]
