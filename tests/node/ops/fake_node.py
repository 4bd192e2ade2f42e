"""A stand-in for a node in the tests of the supervisor: ready file, control socket, stops with its input.

It needs the standard library and the leash only, so that it starts at once. How it behaves comes from the file
HOME/../behaviour: "" for a good node, "crash", "deaf" (ignores SIGTERM) or "slow" (is never ready).
"""

import json
import os
import signal
import socketserver
import sys
import time
from pathlib import Path

from quorate.node.leash import hold_leash

HOME = Path(sys.argv[1])


class Control(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline()
        peers = [json.loads(path.read_text()) for path in HOME.parent.glob("node*/ready.json")]
        self.wfile.write(json.dumps({"result": peers}).encode() + b"\n")


def main():
    behaviour = HOME.parent / "behaviour"
    how = behaviour.read_text() if behaviour.exists() else ""
    hold_leash(grace_seconds=1)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if how == "deaf" else lambda *_: os._exit(0))
    if how == "crash":
        sys.exit("the fake node crashes as it was told to")
    if how == "slow":
        time.sleep(60)
    peer_id = json.loads((HOME / "keys" / "identity.json").read_text())["public"]["ed25519"]
    socket = HOME / "control.sock"
    socket.unlink(missing_ok=True)
    with socketserver.ThreadingUnixStreamServer(str(socket), Control) as server:
        address = "/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
        ready = {"peer_id": peer_id, "addresses": [address], "pid": os.getpid(), "api": None}
        (HOME / "ready.json").write_text(json.dumps(ready))
        server.serve_forever()


if __name__ == "__main__":
    main()
