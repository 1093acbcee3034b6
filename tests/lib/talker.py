# SPDX-License-Identifier: ISC
"""Somebody who writes and writes, whatever happens to the server: what had no
answer goes again with its old Message-ID."""

import random
from collections import Counter, deque

from prim import Gone

CPIM = """From: <im:{sender}>\r
To: <im:{to}>\r
DateTime: 2026-01-01T00:00:00Z\r
NS: imdn <urn:ietf:params:imdn>\r
imdn.Message-ID: {mid}\r
imdn.Disposition-Notification: positive-delivery, negative-delivery\r
\r
Content-Type: text/plain; charset=utf-8\r
\r
{text}"""


class Letter:
    def __init__(self, mid, to, conversation, body, kind):
        self.mid = mid
        self.to = to
        self.conversation = conversation
        self.body = body
        self.kind = kind
        self.future = None


class Talker:
    """`pick()` says to whom the next one goes. `asks`: for notices of what is
    delivered."""

    def __init__(self, address, pick, asks=False, window=16, conversations=2):
        self.address = address
        self.pick = pick
        self.asks = asks
        self.window = window
        self.conversations = conversations
        self.client = None
        self.number = 0
        self.flying = []       # in the order they were sent in
        self.again = deque()   # had no answer
        self.codes = Counter()
        self.cut_off = 0

    def letter(self):
        return self.letter_to(self.pick())

    def letter_to(self, to):
        self.number += 1
        mid = f"{self.address.partition('@')[0]}-{self.number}"
        text = f"{mid} to {to}"
        kind = "text/plain; charset=UTF-8"
        if self.asks:
            kind = "message/cpim"
            text = CPIM.format(sender=self.address, to=to, mid="imdn-" + mid,
                               text=text)
        return Letter(mid, to, f"c{random.randrange(self.conversations)}", text,
                      kind)

    def put(self, letter):
        letter.future = self.client.send(
            letter.to, letter.body, message_id=letter.mid,
            conversation=letter.conversation, content_type=letter.kind)
        self.flying.append(letter)

    def repeat(self):
        """What had no answer goes again; is that all?"""
        self.collect()
        while self.again and not self.is_full():
            self.put(self.again.popleft())
        return not self.again

    def pump(self, count):
        """As many as the window lets, the old ones first."""
        if not self.repeat():
            return
        for _ in range(count):
            if self.is_full():
                return
            self.put(self.letter())

    def is_full(self):
        return len(self.flying) >= self.window or self.client.gone

    def is_done(self):
        return not self.flying and not self.again

    def collect(self, is_over=False):
        """`is_over`: no more answers come."""
        left = []
        for letter in self.flying:
            if not letter.future.done() and not is_over:
                left.append(letter)
                continue
            try:
                self.codes[letter.future.result(10).code] += 1
            except (Gone, TimeoutError):
                self.again.append(letter)
                self.cut_off += 1
        self.flying = left
