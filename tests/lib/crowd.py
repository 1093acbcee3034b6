# SPDX-License-Identifier: ISC
"""Thousands of clients of the presence service in one thread: one who publishes,
and a crowd that watches. Shares no code with the programs under test."""

import select
import socket
import time
from collections import deque

PR = "PRIM-PR/1.0"
LOGINS_AT_ONCE = 16


class Wrong(Exception):
    """The server did what it must not do."""


class Person:
    """A connection that logs in with PLAIN, then does what its class says."""

    def __init__(self, crowd, address, password):
        self.crowd = crowd
        self.address = address
        self.sock = socket.create_connection(("127.0.0.1", crowd.port))
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""
        self.out = b""
        self.on_answer = self.come_in
        self.is_ready = False
        crowd.add(self)
        self.put("LOGIN", "login", [("From", "pres:" + address),
                                    ("Auth-State", "init"),
                                    ("SASL-Mech", "PLAIN"),
                                    ("Content-Type", "application/octet-stream")],
                 f"{address}\r\n{password}".encode())

    def put(self, method, rid, headers, body=b""):
        head = f"{method} {PR} {rid} {len(body)}\r\n"
        head += "".join(f"{k}: {v}\r\n" for k, v in headers)
        self.write(head.encode() + b"\r\n" + body)

    def write(self, octets):
        self.out += octets
        try:
            self.out = self.out[self.sock.send(self.out):]
        except BlockingIOError:
            pass
        self.crowd.mind(self)

    def read(self):
        try:
            more = self.sock.recv(262144)
        except BlockingIOError:
            return
        if not more:
            raise Wrong(f"{self.address}: closed by the server")
        self.data += more
        while self.take():
            pass

    def take(self):
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = self.data[:end].decode()
        words = head.split("\r\n", 1)[0].split(" ")
        is_answer = words[0] == PR
        end += 4 + int(words[2] if is_answer else words[3])
        if len(self.data) < end:
            return False
        command, self.data = self.data[:end], self.data[end:]
        if is_answer:
            self.on_answer(words[1], int(words[3]), command)
        elif words[0] == "NOTIFY":
            self.write(f"{PR} {words[2]} 0 200 OK\r\nFrom: {self.header(head, 'From')}"
                       f"\r\nTo: {self.header(head, 'To')}\r\n\r\n".encode())
            self.notified(command)
        return True

    @staticmethod
    def header(head, name):
        return head.split(f"\r\n{name}: ", 1)[1].split("\r\n", 1)[0]

    def come_in(self, rid, code, command):
        if code != 200:
            raise Wrong(f"{self.address}: {rid}: {code}")
        self.is_ready = True

    def notified(self, command):
        raise Wrong(f"{self.address}: not watching: {command[:200]}")


class Watcher(Person):
    """Watches `presentity`, and remembers the number in the last document."""

    def __init__(self, crowd, address, password, presentity):
        self.presentity = presentity
        self.number = 0
        self.notifies = 0
        super().__init__(crowd, address, password)

    def come_in(self, rid, code, command):
        if code != 200:
            raise Wrong(f"{self.address}: {rid}: {code}")
        if rid == "login":
            self.put("SUBSCRIBE", "watch", [("From", "pres:" + self.address),
                                            ("To", "pres:" + self.presentity),
                                            ("Duration", "3600")])
            return
        self.see(command)
        self.is_ready = True

    def notified(self, command):
        self.notifies += 1
        self.see(command)

    def see(self, command):
        begin = command.find(b"<note>")
        if begin < 0:
            return  # nothing was published yet
        number = int(command[begin + 6:command.find(b" ", begin)])
        if number < self.number:
            raise Wrong(f"{self.address}: {number} after {self.number}")
        self.number = number


class Publisher(Person):
    """Publishes numbers; `filler` octets make the documents larger."""

    def __init__(self, crowd, address, password, filler=0):
        self.filler = "x" * filler
        self.number = 0
        self.answers = deque()  # to come
        self.codes = {}
        super().__init__(crowd, address, password)

    def publish(self):
        self.number += 1
        body = ('<presence xmlns="urn:ietf:params:xml:ns:pidf" '
                f'entity="pres:{self.address}"><tuple id="desk"><status><basic>open'
                f"</basic></status><note>{self.number} {self.filler}</note></tuple>"
                "</presence>")
        self.on_answer = self.answered
        self.answers.append(str(self.number))
        self.put("PUBLISH", str(self.number),
                 [("From", "pres:" + self.address), ("PI-Type", "leased"),
                  ("Tuple-ID", "desk"), ("Duration", "3600"),
                  ("Content-Type", "application/pidf+xml")], body.encode())

    def answered(self, rid, code, _command):
        self.answers.remove(rid)
        self.codes[code] = self.codes.get(code, 0) + 1


class Crowd:
    """All of them."""

    def __init__(self, port):
        self.port = port
        self.epoll = select.epoll()
        self.people = {}
        self.minded = {}

    def add(self, person):
        self.people[person.sock.fileno()] = person
        self.minded[person.sock.fileno()] = select.EPOLLIN
        self.epoll.register(person.sock.fileno(), select.EPOLLIN)

    def mind(self, person):
        """Waits for room to write while there is something to write."""
        fd = person.sock.fileno()
        want = select.EPOLLIN | (select.EPOLLOUT if person.out else 0)
        if fd in self.minded and self.minded[fd] != want:
            self.minded[fd] = want
            self.epoll.modify(fd, want)

    def deafen(self, person):
        """It reads no more."""
        del self.minded[person.sock.fileno()]
        self.epoll.unregister(person.sock.fileno())

    def cure(self, person):
        self.minded[person.sock.fileno()] = select.EPOLLIN
        self.epoll.register(person.sock.fileno(), select.EPOLLIN)
        self.mind(person)

    def turn(self, seconds=0.01):
        for fd, event in self.epoll.poll(seconds):
            person = self.people[fd]
            if event & select.EPOLLOUT:
                person.write(b"")
            if event & ~select.EPOLLOUT:
                person.read()

    def until(self, true, seconds):
        """Turns until true(); its last value."""
        end = time.monotonic() + seconds
        while not true() and time.monotonic() < end:
            self.turn()
        return true()

    def gather(self, makers, seconds=60):
        """Calls each maker; all that come of it are ready."""
        made = []
        coming = []
        for maker in makers:
            person = maker()
            made.append(person)
            coming.append(person)
            while len(coming) >= LOGINS_AT_ONCE:
                if not self.until(lambda: any(p.is_ready for p in coming), seconds):
                    raise Wrong("nobody can log in")
                coming = [p for p in coming if not p.is_ready]
        if not self.until(lambda: all(p.is_ready for p in coming), seconds):
            raise Wrong("somebody cannot log in")
        return made

    def close(self):
        for person in self.people.values():
            person.sock.close()
        self.epoll.close()
