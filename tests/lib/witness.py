# SPDX-License-Identifier: ISC
"""Writes down what fault adapters (option `record`) get and send, beside what
clients do (recorder.py): they are the far ends of a network, which recognise
what comes twice and lose what dies in their hands."""

import json
import selectors
import socket
import threading

# Says nothing at once, and takes it.
SLOW = "late"


class Witness:
    """`port` is for the option. One thread, which reads what an older process
    said before what a newer one says: so the order is that of the network.
    `wrapped`: on its way to them a message gets another wrapping."""

    def __init__(self, recorder, wrapped=False):
        self.recorder = recorder
        self.wrapped = wrapped
        self.notices = []   # all that adapters were told, as they wrote it
        self.gots = 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.setblocking(False)
        self.port = self.server.getsockname()[1]
        self.links = []     # (socket, bytearray), the oldest first
        self.lock = threading.Lock()
        self.is_over = False
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.server, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def use(self, recorder):
        """From now on it is written there."""
        with self.lock:
            self.recorder = recorder

    def run(self):
        while not self.is_over:
            self.selector.select(0.2)
            with self.lock:
                self.accept()
                for link in list(self.links):
                    self.read(link)
        for sock, _ in self.links:
            sock.close()
        self.server.close()

    def accept(self):
        while True:
            try:
                sock, _ = self.server.accept()
            except OSError:
                return
            sock.setblocking(False)
            self.links.append((sock, bytearray()))
            self.selector.register(sock, selectors.EVENT_READ)

    def read(self, link):
        sock, data = link
        while True:
            try:
                more = sock.recv(65536)
            except BlockingIOError:
                break
            except OSError:
                more = b""
            if not more:
                self.selector.unregister(sock)
                sock.close()
                self.links.remove(link)
                break
            data += more
        # What ends without a LF was cut off by a death.
        *lines, rest = data.split(b"\n")
        data[:] = rest
        for line in lines:
            self.take(json.loads(line))

    def take(self, line):
        event, who = line.pop("event"), line.pop("who")
        line.pop("t")
        if event == "notice":
            self.notices.append(dict(line, who=who))
        if event != "got":
            self.recorder.write(event, who, **line)
            return
        self.gots += 1
        if self.wrapped:
            del line["hash"]
        if line["answer"] is None and who.startswith(SLOW):
            line["answer"] = 200
        self.recorder.got(who, line.pop("from"), line.pop("id"), dedup=True,
                          **line)

    def close(self):
        self.is_over = True
        self.thread.join(5)

