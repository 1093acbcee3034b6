# SPDX-License-Identifier: ISC
"""Doors that a test opens for others to come to, on ports the kernel picks."""

import json
import socket
import threading


class Door:
    """Whoever comes to `port` is served on a thread of his own."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                link, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(link,),
                             daemon=True).start()

    def serve(self, link):
        raise NotImplementedError

    def close(self):
        """Nobody comes any more; who is there stays."""
        self.socket.close()


class RecordDoor(Door):
    """For fault adapters with the option `record` (adapters/fault/README.md):
    take() gets each line that they write, in all their lives."""

    def serve(self, link):
        with link, link.makefile("r", encoding="utf-8") as file:
            for line in file:
                self.take(json.loads(line))

    def take(self, record):
        raise NotImplementedError
