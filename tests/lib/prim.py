# SPDX-License-Identifier: ISC
"""A PRIM client that hides nothing: what is asked is what is sent. It shares no
code with the programs under test."""

import base64
import hashlib
import hmac
import itertools
import os
import socket
import threading
import time
from concurrent.futures import Future

from view import CANCELLED, OFFLINE, Document, Sights, pidf


class Gone(Exception):
    """The connection ended before the answer came."""


class Refused(Exception):
    """LOGIN did not succeed."""


class Command:
    """One command as it came off the wire, request or response."""

    def __init__(self, start, headers, body):
        self.start = start
        self.headers = headers
        self.body = body
        words = start.split(" ")
        self.is_response = "/" in words[0]
        if self.is_response:
            self.id = words[1]
            self.code = int(words[3])
        else:
            self.method = words[0]
            self.id = words[2]

    def get(self, name, default=None):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return default

    def content(self):
        """The body without its message/cpim wrapping, if it has one."""
        if not (self.get("Content-Type") or "").startswith("message/cpim"):
            return self.body
        _headers, _, rest = self.body.partition(b"\r\n\r\n")
        _mime, _, content = rest.partition(b"\r\n\r\n")
        return content

    def text(self):
        return self.content().decode()

    def __repr__(self):
        return f"<{self.start} {dict(self.headers)}>"


class Reader:
    """Cuts commands off a stream."""

    def __init__(self, sock):
        self.sock = sock
        self.data = b""

    def fill(self):
        more = self.sock.recv(65536)
        if not more:
            raise Gone("closed by the server")
        self.data += more

    def next(self):
        while b"\r\n\r\n" not in self.data:
            self.fill()
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        start = lines[0]
        words = start.split(" ")
        length = int(words[2] if "/" in words[0] else words[3])
        while len(self.data) < length:
            self.fill()
        body, self.data = self.data[:length], self.data[length:]
        headers = [tuple(line.split(": ", 1)) if ": " in line
                   else (line.rstrip(":"), "") for line in lines[1:]]
        return Command(start, headers, body)


class Scram:
    """The client's half of SCRAM-SHA-256 (RFC 5802, RFC 7677)."""

    def __init__(self, user, password):
        self.password = password.encode()
        nonce = base64.b64encode(os.urandom(18)).decode()
        self.bare = f"n={user},r={nonce}"
        self.nonce = nonce

    def first(self):
        return "n,," + self.bare

    def final(self, server_first):
        parts = dict(item.split("=", 1) for item in server_first.split(","))
        if not parts["r"].startswith(self.nonce):
            raise Refused("the server's nonce does not begin with ours")
        salted = hashlib.pbkdf2_hmac("sha256", self.password,
                                     base64.b64decode(parts["s"]),
                                     int(parts["i"]))
        bare = "c=biws,r=" + parts["r"]
        message = ",".join((self.bare, server_first, bare)).encode()

        def digest(key, data):
            return hmac.new(key, data, "sha256").digest()

        client_key = digest(salted, b"Client Key")
        signature = digest(hashlib.sha256(client_key).digest(), message)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self.verifier = base64.b64encode(
            digest(digest(salted, b"Server Key"), message)).decode()
        return f"{bare},p={base64.b64encode(proof).decode()}"

    def check(self, server_final):
        if server_final != "v=" + self.verifier:
            raise Refused("the server does not know the password")


class Client:
    """A connection, logged in as `address` ("juliet@localhost").

    `answer` is what a SEND to us gets: a code, None for silence, or a function
    of the command. Messages are kept in `heard`, in the order of arrival."""

    FAMILY = "PRIM-IM/1.0"
    SCHEME = "im:"
    numbers = itertools.count(1)

    def __init__(self, port, address, password, answer=200,
                 mechanism="SCRAM-SHA-256", host="127.0.0.1"):
        self.address = address
        self.answer = answer
        self.heard = []
        self.waiting = {}
        self.ids = itertools.count(1)
        self.lock = threading.Condition()
        self.gone = False
        self.sock = socket.create_connection((host, port), timeout=20)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader(self.sock)
        try:
            self.login(password, mechanism)
        except (OSError, Gone, Refused):
            self.sock.close()
            raise
        self.sock.settimeout(None)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    # Requests

    def put(self, method, headers, body=b"", rid=None):
        """Writes one request."""
        if rid is None:
            rid = str(next(self.ids))
        head = f"{method} {self.FAMILY} {rid} {len(body)}\r\n"
        head += "".join(f"{k}: {v}\r\n" for k, v in headers)
        self.sock.sendall(head.encode() + b"\r\n" + body)

    def ask(self, method, headers, body=b""):
        """Writes a request; its answer will be the result of the future."""
        future = Future()
        with self.lock:
            if self.gone:
                future.set_exception(Gone())
                return future
            rid = str(next(self.ids))
            self.waiting[rid] = future
            try:
                self.put(method, headers, body, rid)
            except OSError:
                self.waiting.pop(rid, None)
                future.set_exception(Gone())
        return future

    def login(self, password, mechanism):
        def step(state, text):
            self.put("LOGIN", [("From", self.SCHEME + self.address),
                               ("Auth-State", state), ("SASL-Mech", mechanism),
                               ("Content-Type", "application/octet-stream")],
                     text.encode())
            answer = self.reader.next()
            if answer.code not in (100, 200):
                raise Refused(answer.start)
            return answer

        if mechanism == "PLAIN":
            step("init", f"{self.address}\r\n{password}")
            return
        if mechanism == "CRAM-MD5":
            challenge = step("init", "").body
            digest = hmac.new(password.encode(), challenge, "md5").hexdigest()
            step("continue", f"{self.address}\r\n{digest}")
            return
        scram = Scram(self.address, password)
        challenge = step("init", scram.first())
        final = step("continue", scram.final(challenge.body.decode()))
        scram.check(final.body.decode())

    def listen(self, timeout=20):
        answer = self.ask("LISTEN", [("From", "im:" + self.address)])
        code = answer.result(timeout).code
        if code != 200:
            raise Refused(f"LISTEN: {code}")
        return self

    def send(self, to, body, message_id=None, conversation="talk", extra=(),
             sender=None, content_type="text/plain; charset=UTF-8"):
        """A SEND; the future's result is the answer."""
        if message_id is None:
            message_id = f"m{os.getpid()}-{next(self.numbers)}-{time.time_ns()}"
        if isinstance(body, str):
            body = body.encode()
        headers = [("From", "im:" + (sender or self.address)),
                   ("To", "im:" + to), ("Message-ID", message_id),
                   ("Conversation-ID", conversation), *extra,
                   ("Content-Type", content_type)]
        future = self.ask("SEND", headers, body)
        future.message_id = message_id
        return future

    def say(self, to, body, timeout=30, **more):
        """Sends and waits: the code."""
        return self.send(to, body, **more).result(timeout).code

    # What comes in

    def run(self):
        try:
            while True:
                self.take(self.reader.next())
        except (OSError, Gone, ValueError):
            pass
        with self.lock:
            self.gone = True
            left = list(self.waiting.values())
            self.waiting.clear()
            self.lock.notify_all()
        for future in left:
            future.set_exception(Gone())

    def take(self, command):
        if command.is_response:
            with self.lock:
                future = self.waiting.pop(command.id, None)
            if future:
                future.set_result(command)
        elif command.method == "SEND":
            code = self.decide(command)
            if code is not None:
                self.respond(command, code)
            with self.lock:
                self.heard.append(command)
                self.lock.notify_all()
        elif command.id != "-":
            self.respond(command, 200)

    def decide(self, command):
        return self.answer(command) if callable(self.answer) else self.answer

    def respond(self, command, code):
        echo = [(n, command.get(n)) for n in
                ("From", "To", "Message-ID", "Conversation-ID")]
        head = f"{self.FAMILY} {command.id} 0 {code} Because\r\n"
        head += "".join(f"{k}: {v}\r\n" for k, v in echo if v is not None)
        with self.lock:
            try:
                self.sock.sendall(head.encode() + b"\r\n")
            except OSError:
                pass

    def texts(self):
        with self.lock:
            return [c.text() for c in self.heard]

    def wait(self, enough, timeout=20):
        """Until enough(heard) is true, or a number of messages are there."""
        if isinstance(enough, int):
            count = enough

            def enough(heard):
                return len(heard) >= count
        with self.lock:
            return self.lock.wait_for(lambda: enough(self.heard) or self.gone,
                                      timeout) and enough(self.heard)

    def wait_text(self, text, timeout=20):
        return self.wait(lambda heard: any(c.text() == text for c in heard),
                         timeout)

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(5)
        self.sock.close()


class Presence(Sights, Client):
    """A connection for presence, under the rules of the drafts of 2001: it
    publishes and watches. `seen` has every state that came, in order."""

    FAMILY = "PRIM-PR/1.0"
    SCHEME = "pres:"
    TYPE = "application/pidf+xml"

    def __init__(self, *args, **more):
        self.seen = []
        self.watching = {}  # id of a request -> whose state its answer has
        super().__init__(*args, **more)

    # What we say

    def publish(self, tuples, kind="leased", name="t", duration=300,
                activities=()):
        """`tuples` as for pidf(); the future's result is the answer."""
        body = b"" if tuples is None else pidf(self.address, tuples, activities)
        headers = [("From", "pres:" + self.address), ("PI-Type", kind),
                   ("Tuple-ID", name)]
        if kind in ("leased", "renew"):
            headers.append(("Duration", duration))
        if body:
            headers.append(("Content-Type", self.TYPE))
        return self.ask("PUBLISH", headers, body)

    def renew(self, name="t", duration=300):
        return self.publish(None, "renew", name, duration)

    def revert(self, name="t"):
        return self.publish(None, "revert", name)

    def remove(self, name="t"):
        return self.ask("REMOVE", [("From", "pres:" + self.address),
                                   ("Tuple-ID", name)])

    # What we ask

    def about(self, method, who, extra=()):
        return self.ask(method, [("From", "pres:" + self.address),
                                 ("To", "pres:" + who), *extra])

    def watch(self, who, duration=3600, timeout=20):
        """SUBSCRIBE: the code."""
        with self.lock:
            future = self.about("SUBSCRIBE", who, [("Duration", duration)])
            rid = next((r for r, f in self.waiting.items() if f is future), None)
            self.watching[rid] = who
        return future.result(timeout).code

    def unwatch(self, who, timeout=20):
        return self.about("UNSUBSCRIBE", who).result(timeout).code

    def fetch(self, who, timeout=20):
        """FETCH: the code, and the view if there is one."""
        answer = self.about("FETCH", who).result(timeout)
        return answer.code, Document(answer.body).view() if answer.body else None

    # What we are told

    def take(self, command):
        with self.lock:
            if command.is_response:
                who = self.watching.pop(command.id, None)
                # Without a body it says nothing: the state follows (ERR-83).
                if who and command.body:
                    self.note(who, command)
            elif command.method == "NOTIFY":
                self.note(command.get("From")[len("pres:"):], command)
            elif command.method == "CANCELSUBSCRIPTION":
                self.saw(command.get("From")[len("pres:"):], CANCELLED)
        super().take(command)

    def note(self, who, command):
        if not command.body:
            self.saw(who, OFFLINE)
            return
        if command.get("Content-Type") != self.TYPE:
            raise ValueError(f"not understood: {command}")
        document = Document(command.body)
        if document.entity != "pres:" + who:
            raise ValueError(f"about somebody else: {document}")
        self.saw(who, document.view(), document)
