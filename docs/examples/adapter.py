#!/usr/bin/env python3
"""An adapter: lets Parlance drive your chat client. One JSON object a line, in on stdin, out on stdout.

Put `driver: { command: ["./adapter.py"] }` into target.yaml, and make YourClient call your program.
What a method returns becomes the result; what you do not write is answered `unsupported`, and scenarios
that need it are skipped. Log to stderr: stdout is for responses only.
"""
import json
import sys
import threading


class Refused(Exception):
    def __init__(self, code, message="", status=None):
        self.error = {"code": code, "message": message, **({"status": status} if status else {})}


class YourClient:
    """One object a user. Every parameter of the request arrives by name; ignore those you do not need."""

    def sign_in(self, uri, server, transport="tls", ca=None, **more):
        raise Refused("unsupported", "connect to `server`, dial, ask for server information")
        # return {"server_uri": "sip:chat01@example.com", "display_name": "Chat"}

    def join(self, rooms, active=True, **more):
        raise Refused("unsupported")
        # return {"rooms": [{"uri": r, "name": "…", "description": "", "participants": []} for r in rooms], "failed": []}


def serve():
    users, writing = {}, threading.Lock()

    def answer(request):
        number, verb = request.pop("id"), request.pop("do")
        user = users.setdefault(request.pop("user", None), YourClient())
        try:
            method = getattr(user, verb, None) or (lambda **_: (_ for _ in ()).throw(Refused("unsupported", verb)))
            response = {"id": number, "ok": True, "result": method(**request) or {}}
        except Refused as refused:
            response = {"id": number, "ok": False, "error": refused.error}
        except Exception as error:  # a bug of the adapter is no verdict on the client
            response = {"id": number, "ok": False, "error": {"code": "failed", "message": repr(error)}}
        with writing:
            print(json.dumps(response), flush=True)

    for line in sys.stdin:  # requests may overlap: `cancel` comes while another waits
        if line.strip():
            threading.Thread(target=answer, args=(json.loads(line),)).start()


if __name__ == "__main__":
    serve()
