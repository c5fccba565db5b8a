#!/bin/bash
# embed_alerts.sh ALERTS - the example's threshold on dead letters is raised and over: an event, a
# line of the log, and a POST to a server that is down at first. To one that refuses it is wrong.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"; [ -z "${server:-}" ] || kill "$server"' EXIT
cd "$work"
cat >server.py <<'END'
import http.server, os

class Receiver(http.server.BaseHTTPRequestHandler):
    count = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Receiver.count += 1
        status = 410 if self.path == "/gone" else 500 if Receiver.count < 3 else 204
        if status == 204:
            with open("bodies", "ab") as file:
                file.write(body + b"\n")
        self.send_response(status)
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

# It may be looked at when four of the five are dead, and when two are still to be deleted.
"$1" "$at/alerts" | sed 's/ is 4/ is 5/; s/ is [12]/ is 0/' >told
diff told - <<'END'
threshold raised: dead letters is 5, limit 3
threshold cleared: dead letters is 0, limit 3
ok
END
sed 's/"value":4/"value":5/; s/"value":[12]/"value":0/' bodies | diff - <(cat <<'END'
{"event":"threshold raised","threshold":"dead letters","value":5,"limit":3}
{"event":"threshold cleared","threshold":"dead letters","value":0,"limit":3}
END
)
! "$1" "$at/gone" >told
[ "$(tail -n 1 told)" = wrong ]
