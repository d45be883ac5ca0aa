"""A server that misbehaves as its first argument says, in JSON-RPC of its own making."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

MODE = sys.argv[1]
TOOL = {"name": "ask", "description": "Ask.", "inputSchema": {"type": "object", "properties": {}}}


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def called(number: Any) -> None:
    if MODE == "hangs":
        time.sleep(600)
    elif MODE == "dies":
        sys.stderr.write("out of paper\n")
        sys.stderr.flush()
        os._exit(3)
    elif MODE == "floods":
        while True:
            sys.stdout.write("x" * 65536)
    elif MODE == "chatters":
        while True:
            print("all is well", flush=True)
    elif MODE == "large":
        say({"id": number, "result": {"content": [{"type": "text", "text": "x" * 3_000_000}]}})
    elif MODE == "nonsense":
        say({"id": number, "result": {"content": "nothing of the kind"}})
    elif MODE == "forks":
        subprocess.Popen(["sleep", "600"])
        say({"id": number, "result": {"content": [{"type": "text", "text": "forked"}]}})
    else:
        print("this is no message", flush=True)
        print('{"neither": "is this"}', flush=True)
        say({"id": number, "result": {"content": [{"type": "text", "text": "fine"}]}})


def main() -> None:
    if MODE == "silent":
        time.sleep(600)
    if MODE == "quits":
        sys.exit("no licence found")
    for line in sys.stdin:
        message = json.loads(line)
        method, number = message.get("method"), message.get("id")
        if method == "initialize":
            version = message["params"]["protocolVersion"]
            info = {"name": "unruly", "version": "1"}
            say({"id": number, "result": {
                "protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info,
            }})  # fmt: skip
        elif method == "tools/list":
            say({"id": number, "result": {"tools": [TOOL]}})
        elif method == "tools/call":
            called(number)


if __name__ == "__main__":
    main()
