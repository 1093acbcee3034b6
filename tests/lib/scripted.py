# SPDX-License-Identifier: ISC
"""A PRIM server for one client under test: it knows LOGIN and PING, and says
what the test tells it to say."""

import base64
import hashlib
import hmac
import itertools
import os
import socket
import threading

from prim import Gone, Reader

ITERATIONS = 4096


class ScramServer:
    """The server's half of SCRAM-SHA-256."""

    def __init__(self, password):
        self.salt = os.urandom(16)
        self.salted = hashlib.pbkdf2_hmac("sha256", password.encode(),
                                          self.salt, ITERATIONS)

    def challenge(self, first):
        self.bare = first.split(",", 2)[2]
        nonce = dict(part.split("=", 1) for part in self.bare.split(","))["r"]
        self.first = (f"r={nonce}{os.urandom(12).hex()},"
                      f"s={base64.b64encode(self.salt).decode()},"
                      f"i={ITERATIONS}")
        return self.first

    def verdict(self, final):
        """The last word, or None."""
        bare, _, proof = final.rpartition(",p=")
        message = ",".join((self.bare, self.first, bare)).encode()

        def digest(key, data):
            return hmac.new(key, data, "sha256").digest()

        client_key = digest(self.salted, b"Client Key")
        signature = digest(hashlib.sha256(client_key).digest(), message)
        expected = bytes(a ^ b for a, b in zip(client_key, signature))
        if base64.b64decode(proof) != expected:
            return None
        verifier = digest(digest(self.salted, b"Server Key"), message)
        return "v=" + base64.b64encode(verifier).decode()


class ScriptedServer:
    """`answer` is called with each request that is not LOGIN or PING and gives
    (code, headers, body), or None for silence. Requests are kept in `asked`,
    answers to us in `answers`."""

    def __init__(self, password, answer):
        self.password = password
        self.answer = answer
        self.asked = []
        self.answers = []
        self.logins = []
        self.numbers = itertools.count(1)
        self.changed = threading.Condition()
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.close()
        self.drop()

    def drop(self):
        """Ends the connections."""
        with self.changed:
            for connection in self.connections:
                connection.close()
            self.connections.clear()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            connection = Connection(self, sock)
            with self.changed:
                self.connections.append(connection)
            threading.Thread(target=connection.run, daemon=True).start()

    def note(self, kept, what):
        with self.changed:
            kept.append(what)
            self.changed.notify_all()

    def wait(self, true, timeout=20):
        with self.changed:
            return self.changed.wait_for(true, timeout)

    def wait_asked(self, method, count=1, timeout=20):
        """The requests of that method, when there are so many."""
        def them():
            return [c for c in self.asked if c.method == method]
        if not self.wait(lambda: len(them()) >= count, timeout):
            raise AssertionError(f"no {count} {method} but {self.asked}")
        return them()

    def ask(self, method, headers, body=b"", rid=None, version="PRIM-PR/1.0"):
        """Sends a request to who came last; waits for its code, unless `rid` is "-"."""
        rid = rid or f"s{next(self.numbers)}"
        self.connections[-1].put(f"{method} {version} {rid} {len(body)}",
                                 headers, body)
        if rid == "-":
            return None
        if not self.wait(lambda: any(c.id == rid for c in self.answers)):
            raise AssertionError(f"{method} was not answered")
        return next(c.code for c in self.answers if c.id == rid)


class Connection:
    def __init__(self, server, sock):
        self.server = server
        self.sock = sock
        self.scram = ScramServer(server.password)

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def put(self, start, headers, body=b""):
        lines = [start] + [f"{name}: {value}" for name, value in headers]
        head = "\r\n".join(lines) + "\r\n\r\n"
        self.sock.sendall(head.encode() + body)

    def respond(self, command, code, headers=(), body=b""):
        version = command.start.split(" ")[1]
        self.put(f"{version} {command.id} {len(body)} {code} Because", headers,
                 body)

    def login(self, command):
        text = command.body.decode()
        self.server.note(self.server.logins, command)
        if command.get("Auth-State") == "init":
            self.respond(command, 100, [("SASL-Mech", "SCRAM-SHA-256")],
                         self.scram.challenge(text).encode())
            return
        verdict = self.scram.verdict(text)
        if verdict:
            self.respond(command, 200, (), verdict.encode())
        else:
            self.respond(command, 406)

    def take(self, command):
        if command.is_response:
            self.server.note(self.server.answers, command)
        elif command.method == "LOGIN":
            self.login(command)
        elif command.method == "PING":
            self.respond(command, 200)
        else:
            answer = self.server.answer(command)
            self.server.note(self.server.asked, command)
            if answer:
                self.respond(command, *answer)

    def run(self):
        reader = Reader(self.sock)
        try:
            while True:
                self.take(reader.next())
        except (OSError, Gone):
            self.close()
