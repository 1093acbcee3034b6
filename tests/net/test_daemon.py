# SPDX-License-Identifier: ISC
"""What an operator and his scripts rely on: checks, exit codes, signals, the
admin port, the control socket."""

import os
import re
import signal
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from prim import Refused  # noqa: E402
from servers import Primd, wait_until  # noqa: E402

ALICE, BOB = "alice@localhost", "bob@localhost"


class Daemon(unittest.TestCase):
    def setUp(self):
        self.primd = Primd()
        self.addCleanup(self.primd.clean)
        self.primd.account(ALICE)
        self.primd.account(BOB)

    def get(self, path):
        url = f"http://127.0.0.1:{self.primd.admin}{path}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()

    def run_primd(self, *args):
        return subprocess.run(
            [os.path.join(self.primd.bin, "primd"), *args], timeout=30,
            capture_output=True, text=True, cwd=self.primd.folder, check=False)

    def append(self, text):
        with open(self.primd.config, "a", encoding="utf-8") as file:
            file.write(text)

    def test_a_good_configuration_is_found_good(self):
        done = self.run_primd("-c", self.primd.config, "--check")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_example_is_a_good_configuration(self):
        example = os.path.join(os.path.dirname(__file__), "..", "..",
                               "contrib", "examples", "primd.yaml")
        ran = self.run_primd("-c", os.path.abspath(example), "--check")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))

    def test_a_bad_one_is_one_line_with_its_place_and_exit_code_2(self):
        place = re.escape(self.primd.config) + r":\d+:\d+: ."
        for text in ("colour: blue\n", "limits: { body: many }\n",
                     "adapters:\n  - { name: echo, plugin: echo, options: "
                     "{ domain: echo.localhost, volume: 11 } }\n"):
            with self.subTest(text):
                with open(self.primd.config, encoding="utf-8") as file:
                    good = file.read()
                self.append(text)
                for args in (("--check",), ()):
                    done = self.run_primd("-c", self.primd.config, *args)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertRegex(done.stderr, place)
                with open(self.primd.config, "w", encoding="utf-8") as file:
                    file.write(good)

    def test_health_and_metrics_are_served(self):
        self.primd.start()
        self.assertEqual(self.get("/healthz")[0], 200)
        client = self.primd.client(ALICE)
        status, text = self.get("/metrics")
        self.assertEqual(status, 200)
        self.assertRegex(text, r"(?m)^primd_connections 1$")
        client.close()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.primd.process.pid}/fd"))

    def test_a_scrape_leaves_nothing_behind(self):
        """A descriptor that is closed while somebody listens to it would be
        heard by him when it is a client's."""
        self.primd.start()
        self.get("/metrics")
        wait_until(lambda: self.descriptors() > 0)
        open_before = self.descriptors()
        for _ in range(30):
            self.get("/metrics")
            self.primd.client(ALICE).close()
        wait_until(lambda: self.descriptors() <= open_before)
        self.assertNotIn("libevent", self.primd.log())

    def test_requests_are_counted_and_so_are_bad_ones(self):
        self.primd.start()
        client = self.primd.client(ALICE)  # a LOGIN in two steps
        self.assertEqual(client.ask("PING", []).result(5).code, 200)
        self.assertEqual(client.ask("LISTEN", []).result(5).code, 400)
        self.assertEqual(client.ask("SEND", [], b"x" * (1 << 20) + b"x")
                         .result(5).code, 400)
        text = self.get("/metrics")[1]
        self.assertRegex(text, r"(?m)^primd_requests_total 5$")
        self.assertRegex(text, r"(?m)^primd_bad_requests_total 2$")
        client.close()

    def test_a_reload_with_a_bad_file_changes_nothing(self):
        self.primd.start()
        bob = self.primd.client(BOB, listen=True)
        start = self.primd.log_size()
        self.append("colour: blue\n")
        self.primd.process.send_signal(signal.SIGHUP)
        self.assertTrue(wait_until(lambda: "colour" in self.primd.log(start), 5))
        self.assertEqual(self.primd.client(ALICE).say(BOB, "still here"), 200)
        self.assertTrue(bob.wait(1))
        self.assertTrue(self.primd.is_running())

    def test_two_never_share_a_data_folder(self):
        self.primd.start()
        done = self.run_primd("-c", self.primd.config)
        # Not 2: the configuration is good, and may work a moment later.
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(str(self.primd.process.pid), done.stderr)
        self.assertTrue(self.primd.is_running())

    def ends_at_start(self, part):
        """It says why, in a line of its log, and that is the last one."""
        done = self.run_primd("-c", self.primd.config)
        self.assertEqual(done.returncode, 1, done.stderr)
        for line in done.stderr.splitlines():
            self.assertRegex(line, r"\A\d{4}-\d\d-\d\dT[0-9:.]+Z "
                             r"(error|warn|info) primd(/\S+)?: .")
        self.assertIn(" error primd: cannot start: ", line)
        self.assertIn(part, line)

    def test_why_it_does_not_start_is_a_line_of_the_log(self):
        for text, part in (("user: nobody-of-this-name\n", "no user"),
                           ("admin: { listen: 192.0.2.1:7780 }\n",
                            "admin.listen: cannot listen on 192.0.2.1")):
            with open(self.primd.config, encoding="utf-8") as file:
                good = file.read()
            with open(self.primd.config, "w", encoding="utf-8") as file:
                file.write(re.sub(r"(?m)^admin:.*\n", "", good) + text)
            self.ends_at_start(part)
            with open(self.primd.config, "w", encoding="utf-8") as file:
                file.write(good)
        with open(os.path.join(self.primd.data, "primd.db"), "r+b") as file:
            file.write(b"no file\n of SQLite\n")
        self.ends_at_start("primd.db is damaged: file is not a database")

    def test_without_standard_descriptors_nothing_is_written_elsewhere(self):
        for name in ("primd", "primctl"):
            program = os.path.join(self.primd.bin, name)
            last = "--check" if name == "primd" else "account list"
            done = subprocess.run(
                f"exec {program} -c {self.primd.config} {last} <&- >&- 2>&-",
                shell=True, timeout=30, cwd=self.primd.folder, check=False)
            self.assertEqual(done.returncode, 0, name)
        daemon = subprocess.Popen(
            f"exec {os.path.join(self.primd.bin, 'primd')} "
            f"-c {self.primd.config} <&- >&- 2>&-",
            shell=True, cwd=self.primd.folder)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        self.assertTrue(wait_until(lambda: self.primd.status()["running"], 10))
        with open(os.path.join(self.primd.data, "lock"), "rb") as file:
            self.assertEqual(file.read(), b"%d\n" % daemon.pid)

    def test_accounts_change_while_it_runs(self):
        self.primd.start()
        self.primd.ctl("account", "passwd", ALICE, stdin="another\n")
        with self.assertRaises(Refused):
            self.primd.client(ALICE)
        self.primd.passwords[ALICE] = "another"
        self.primd.client(ALICE).close()
        self.primd.ctl("account", "remove", ALICE)
        with self.assertRaises(Refused):
            self.primd.client(ALICE)
        self.assertNotIn(ALICE, self.primd.ctl("account", "list"))

    def test_the_story_of_a_message_is_told(self):
        self.primd.start()
        alice = self.primd.client(ALICE)
        self.assertEqual(alice.say(BOB, "for later", message_id="story-1"), 101)
        bob = self.primd.client(BOB, listen=True)
        self.assertTrue(bob.wait_text("for later"))
        self.assertTrue(wait_until(lambda: re.search(
            r"(?s)accepted.*delivered", self.primd.ctl("trace", "story-1")), 5),
            self.primd.ctl("trace", "story-1"))
        self.assertRegex(self.primd.log(),
                         r"message end code=200 id=story-1 from=alice@localhost "
                         r"to=bob@localhost via=inbox delay_ms=\d+")


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
