# SPDX-License-Identifier: ISC
"""The user's client and the server log in to each other over real TLS."""

import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from prim import Client, Reader, Refused  # noqa: E402
from servers import Primd  # noqa: E402

ALICE = "alice@localhost"
IM = Client.FAMILY
PLUS, SCRAM = "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"


class Login(unittest.TestCase):
    def begin(self, mechanisms=None):
        more = f"auth: {{ mechanisms: [{mechanisms}] }}\n" if mechanisms else ""
        self.primd = Primd(more)
        self.addCleanup(self.primd.clean)
        self.primd.account(ALICE)
        self.primd.start()

    def prim(self, *args, port=None, password="secret"):
        """Sends alice a message from herself; it waits for her: code 0."""
        secret = os.path.join(self.primd.folder, "password")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(password + "\n")
        os.chmod(secret, 0o600)
        return subprocess.run(
            [os.path.join(self.primd.bin, "prim"), "--server",
             f"127.0.0.1:{port or self.primd.port}", "--user", ALICE,
             "--password-file", secret, *args, "send", ALICE, "hello"],
            capture_output=True, text=True, timeout=30, check=False)

    def mechanism(self):
        """Of the one who logged in."""
        found = re.findall(r"login user=alice@localhost mechanism=(\S+) ",
                           self.primd.log())
        self.assertEqual(len(found), 1, self.primd.log())
        return found[0]

    def test_in_tls_the_login_is_bound_to_the_connection(self):
        self.begin()
        done = self.prim()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.mechanism(), PLUS)

    def test_a_wrong_password_is_told(self):
        self.begin()
        done = self.prim(password="wrong")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("wrong address or password", done.stderr)
        self.assertRegex(self.primd.log(), "login failed user=alice@localhost "
                         f"mechanism={PLUS} ")

    def test_a_server_that_does_not_bind_will_do(self):
        self.begin(SCRAM)
        done = self.prim()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.mechanism(), SCRAM)

    def test_in_clear_there_is_nothing_to_bind_to(self):
        self.begin()
        done = self.prim("--plain")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.mechanism(), SCRAM)

    def test_who_stands_in_between_gets_nowhere(self):
        """He has TLS with both sides, and hands on what they say."""
        self.begin()
        for hide in (False, True):
            with self.subTest(hide=hide):
                between = Between(self.primd, hide)
                done = self.prim(port=between.port)
                between.join()
                self.assertNotEqual(done.returncode, 0)
                self.assertEqual(between.error, None)
                self.assertIn(b"y,," if hide else b"p=tls-exporter,,",
                              between.said)
                self.assertNotIn("login user=", self.primd.log())

    def test_cram_md5_is_there_when_listed_and_its_secrets_are_not_kept(self):
        self.primd = Primd("auth: { mechanisms: [CRAM-MD5, PLAIN], "
                           "allow_plaintext: true }\n")
        self.addCleanup(self.primd.clean)
        self.primd.account(ALICE, "hi there!")
        self.primd.start()
        self.primd.client(ALICE, mechanism="CRAM-MD5").close()
        self.assertEqual(self.mechanism(), "CRAM-MD5")
        self.primd.ctl("account", "passwd", ALICE, stdin="open sesame\n")
        self.primd.passwords[ALICE] = "open sesame"
        self.primd.client(ALICE, mechanism="CRAM-MD5").close()
        self.assertTrue(self.holds(b"open sesame"))

        self.primd.stop()
        with open(self.primd.config, encoding="utf-8") as file:
            text = file.read()
        with open(self.primd.config, "w", encoding="utf-8") as file:
            file.write(text.replace("CRAM-MD5, ", ""))
        start = self.primd.log_size()
        self.primd.start()
        self.primd.client(ALICE, mechanism="PLAIN").close()
        self.assertRegex(self.primd.log(start),
                         "secrets purged mechanism=CRAM-MD5 accounts=1 ")
        with self.assertRaises(Refused):
            self.primd.client(ALICE, mechanism="CRAM-MD5")
        self.primd.stop()
        self.assertFalse(self.holds(b"open sesame"))
        self.assertFalse(self.holds(b"hi there!"))
        start = self.primd.log_size()
        self.primd.start()
        self.primd.client(ALICE, mechanism="PLAIN").close()
        self.assertNotIn("purged", self.primd.log(start))

    def holds(self, octets):
        """Are these octets in any file of the server?"""
        for name in os.listdir(self.primd.data):
            path = os.path.join(self.primd.data, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    if octets in file.read():
                        return True
        return False


class Between(threading.Thread):
    """Takes one client, whose TLS ends here, and begins TLS with the server. With
    `hide` the server never learns that the client would bind."""

    def __init__(self, primd, hide):
        super().__init__(daemon=True)
        self.primd = primd
        self.hide = hide
        self.said = b""  # by the client, in TLS
        self.error = None
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        self.start()

    def run(self):
        try:
            self.serve()
        except (ssl.SSLError, AssertionError) as error:
            self.error = error
        except OSError:
            pass
        finally:
            self.door.close()

    def serve(self):
        near = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        near.load_cert_chain(os.path.join(self.primd.data, "self-signed.pem"),
                             os.path.join(self.primd.data, "self-signed.key"))
        far = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        far.check_hostname = False
        far.verify_mode = ssl.CERT_NONE
        self.door.settimeout(20)
        client = self.door.accept()[0]
        server = socket.create_connection(("127.0.0.1", self.primd.port), 20)
        asked = Reader(client).next()
        assert asked.method == "STARTTLS", asked
        client.sendall(f"{IM} {asked.id} 0 200 OK\r\n\r\n".encode())
        server.sendall(f"STARTTLS {IM} t 0\r\n\r\n".encode())
        assert Reader(server).next().code == 200
        with near.wrap_socket(client, server_side=True) as one, \
                far.wrap_socket(server) as other:
            other.settimeout(20)
            while data := one.recv(65536):
                self.said += data
                if self.hide:
                    data = data.replace(f"{PLUS} {SCRAM}".encode(),
                                        SCRAM.encode())
                other.sendall(data)
                one.sendall(other.recv(65536))


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
