# SPDX-License-Identifier: ISC
"""A client of the presence service that understands no document: what is asked
is what is sent, and what is told is kept as it came."""

import email
import re
import time

from prim import Client, Gone, Presence

PIDF = "application/pidf+xml"


def document(address, note, basic="open"):
    """A PIDF document about `address` with one tuple."""
    return ("<?xml version='1.0' encoding='UTF-8'?>\n"
            "<presence xmlns='urn:ietf:params:xml:ns:pidf'"
            f" entity='pres:{address}'><tuple id='t'><status><basic>{basic}"
            f"</basic></status><note>{note}</note></tuple></presence>\n"
            ).encode()


def notes(body):
    """All notes of a document, as text."""
    return re.findall(r"<(?:\w+:)?note[^>]*>([^<]*)<", body.decode())


def tuples(command):
    """What a command shows: {Tuple-ID: document}."""
    kind = command.get("Content-Type")
    if not command.body:
        return {}
    if not kind.startswith("multipart/mixed"):
        return {command.get("Tuple-ID"): command.body}
    whole = email.message_from_bytes(
        f"Content-Type: {kind}\r\n\r\n".encode() + command.body)
    return {part["Tuple-ID"]: part.get_payload(decode=True)
            for part in whole.get_payload()}


def code_of(future, timeout=30):
    """The code of an answer; None: the connection went first."""
    try:
        return future.result(timeout).code
    except Gone:
        return None


class Publisher(Presence):
    """NOTIFYs and CANCELSUBSCRIPTIONs are kept in `told`, each with `at`, the
    time it came. Requests give futures."""

    def __init__(self, primd, address, **more):
        self.told = []
        super().__init__(primd.port, address, primd.passwords[address], **more)

    def put_tuple(self, kind, name, body=b"", seconds=None, content_type=PIDF):
        headers = [("From", "pres:" + self.address), ("PI-Type", kind),
                   ("Tuple-ID", name)]
        if seconds is not None:
            headers.append(("Duration", seconds))
        if body:
            headers.append(("Content-Type", content_type))
        return self.ask("PUBLISH", headers, body)

    def subscribe(self, who, seconds):
        return self.about("SUBSCRIBE", who, [("Duration", seconds)])

    def unsubscribe(self, who):
        return self.about("UNSUBSCRIBE", who)

    def look(self, who=None):
        return self.about("FETCH", who or self.address)

    def take(self, command):
        if not command.is_response and command.method in (
                "NOTIFY", "CANCELSUBSCRIPTION"):
            command.at = time.time()
            with self.lock:
                self.told.append(command)
                self.lock.notify_all()
        Client.take(self, command)

    def told_of(self, address, method="NOTIFY"):
        """What was told about `address`, in order."""
        with self.lock:
            return [c for c in self.told if c.method == method
                    and c.get("From").lower() == "pres:" + address]

    def wait_told(self, true, timeout=20):
        """Until true(told), or the connection has gone."""
        with self.lock:
            return self.lock.wait_for(
                lambda: true(self.told) or self.gone, timeout) \
                and true(self.told)

    def wait_last(self, true, timeout=20):
        """Until what was told last is so."""
        return self.wait_told(lambda told: told and true(told[-1]), timeout)
