# SPDX-License-Identifier: ISC
"""An adapter that was taken over: what its process may still do, and what not.
The fault adapter tries it, in programs as they are shipped."""

import errno
import os
import re
import sys
import unittest
from urllib.parse import quote

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from servers import BUILD, Primd, wait_until  # noqa: E402

ALICE = "alice@localhost"

CONFIG = """routes:
  - { domain: fault.localhost, via: fault, queue: false }
adapters:
  - name: fault
    plugin: fault
    options: { domain: fault.localhost, some_file: known.txt }
delivery: { answer_within: 2s }
"""


def is_sanitized():
    with open(os.path.join(BUILD, "bin", "primd-adapter"), "rb") as file:
        return b"__asan_init" in file.read()


@unittest.skipIf(is_sanitized(), "this build has sanitizers, which do not run "
                                 "in the sandbox; another one tests it")
class Sandbox(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.primd = primd = Primd(CONFIG)
        cls.addClassCleanup(primd.clean)
        for name in ("known.txt", "other.txt"):
            with open(os.path.join(primd.folder, name), "w",
                      encoding="ascii") as file:
                file.write("secret\n")
        primd.account(ALICE)
        primd.start(level="debug")
        cls.alice = primd.client(ALICE)
        cls.addClassCleanup(cls.alice.close)
        wait_until(cls.is_up, 10)
        log = primd.log()
        files = re.search(r"fault: sandbox landlock=(\d+)", log)
        cls.has_files = int(files.group(1)) if files else 0
        cls.has_calls = "fault: sandbox seccomp=on" in log
        if not (cls.has_files or "no Landlock" in log):
            raise AssertionError("no word of Landlock:\n" + log)
        if not (cls.has_calls or "no seccomp" in log):
            raise AssertionError("no word of seccomp:\n" + log)

    @classmethod
    def is_up(cls):
        return any(a["name"] == "fault" and a["state"] == "up"
                   for a in cls.primd.status()["adapters"])

    def say(self, what):
        return self.alice.say(f"try+{quote(what, safe='')}@fault.localhost",
                              "x", timeout=20)

    def attempt(self, what):
        """The errno of it; 0: it could be done."""
        start = self.primd.log_size()
        code = self.say(what)
        found = wait_until(lambda: re.search(r"tried what=\S+ errno=(\d+)",
                                             self.primd.log(start)), 5)
        self.assertTrue(found, f"{what}: {code}\n{self.primd.log()[-3000:]}")
        self.assertEqual(code, 403 if int(found.group(1)) else 200, what)
        return int(found.group(1))

    def attempts(self, expected):
        for what, error in expected.items():
            with self.subTest(what=what):
                self.assertEqual(errno.errorcode.get(self.attempt(what), "0"),
                                 errno.errorcode.get(error, "0"))

    def need_files(self):
        if not self.has_files:
            self.skipTest("this kernel has no Landlock")

    def need_calls(self):
        if not self.has_calls:
            self.skipTest("this kernel has no seccomp")

    def test_it_can_do_what_adapters_do(self):
        can = {f"connect:{self.primd.port}": 0, "thread": 0,
               "read:known.txt": 0,
               f"read:{self.primd.folder}/known.txt": 0}
        # The barest of Debians has none.
        if os.path.exists("/etc/hosts"):
            can.update({"read:/etc/hosts": 0, "resolve:localhost": 0})
        self.attempts(can)

    def test_it_reads_no_file_that_is_not_its_own(self):
        self.need_files()
        folder = self.primd.folder
        self.attempts({what: errno.EACCES for what in (
            "read:other.txt", "read:.", "read:primd.yaml", "read:/etc/passwd",
            f"read:{folder}/primd.yaml", f"read:{self.primd.data}/primd.db",
            f"read:/proc/{self.primd.process.pid}/environ",
            "read:/proc/self/maps")})

    def test_it_opens_no_port(self):
        self.need_calls()
        self.attempts({"listen": errno.EPERM})
        if self.has_files >= 4:
            self.attempts({"bind": errno.EACCES})

    def test_it_writes_nothing(self):
        self.need_calls()
        folder = self.primd.folder
        self.attempts({what: errno.EPERM for what in (
            "write:new.txt", "write:known.txt", f"write:{folder}/other.txt",
            "unlink:known.txt", "unlink:other.txt")})
        self.assertFalse(os.path.exists(os.path.join(folder, "new.txt")))

    def test_it_has_no_way_to_other_processes(self):
        self.need_calls()
        control = os.path.join(self.primd.data, "control")
        self.attempts({what: errno.EPERM for what in (
            "fork", "signal", f"unix:{control}")})

    def test_what_only_an_intruder_does_ends_it(self):
        self.need_calls()
        for what in ("exec:/bin/true", "trace", "packet"):
            with self.subTest(what=what):
                start = self.primd.log_size()
                pid = self.primd.host_pid("fault")
                self.assertEqual(self.say(what), 407)
                self.assertTrue(wait_until(
                    lambda: self.primd.host_pid("fault") not in (None, pid)
                    and self.is_up(), 10))
                log = self.primd.log(start)
                self.assertRegex(log, "fault: killed by the sandbox: ")
                self.assertRegex(log, "fault: died signal=31 why=sandbox ")
                self.assertNotIn("tried what=", log)
        self.assertEqual(self.attempt("thread"), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
