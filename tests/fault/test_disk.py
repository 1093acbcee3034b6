# SPDX-License-Identifier: ISC
"""The disk is full, or has errors, at any moment. Nobody is told that something is
stored which is not; what was accepted is delivered or its sender told; and when
there is room again, primd works again, alone."""

import os
import random
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from servers import LONG, times, wait_until  # noqa: E402
from traffic import ALICE, BOB, CAROL, World  # noqa: E402

FILLINGS = times(3, 54)
FAULTS = times(10, 200)
DISK = 160 << 20
LOW = DISK // 16     # what primd keeps free (bridge/outbox_quota.c)
RECOVERS_IN = 5      # seconds
STORED = (BOB, CAROL)
# What SQLite calls to write, to make durable, and to read.
CALLS = ("pwrite64", "fdatasync", "fsync", "pwrite64,fdatasync", "pread64",
         "pwrite64,fdatasync,fsync,ftruncate,openat,pread64")
ERRORS = ("EIO", "EIO", "ENOSPC", "EINTR")


def reseed(name):
    seed = int(os.environ.get("PRIM_RANDOM", time.time_ns() % 10**9))
    random.seed(seed)
    print(f"{name}: PRIM_RANDOM={seed}", flush=True)


class Disk:
    """A small file system."""

    def __init__(self, folder):
        self.folder = folder
        subprocess.run(["mount", "-t", "tmpfs", "-o",
                        f"size={DISK},mode=0700", "tmpfs", folder],
                       check=True, capture_output=True)
        self.filler = os.path.join(folder, "filler")

    def free(self):
        info = os.statvfs(self.folder)
        return info.f_bavail * info.f_frsize

    def fill(self, left):
        """Until so many octets are left; whoever writes meanwhile gets less."""
        fd = os.open(self.filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while self.free() > left:
                os.posix_fallocate(fd, os.fstat(fd).st_size,
                                   min(self.free() - left, 8 << 20))
        except OSError:
            pass
        finally:
            os.close(fd)

    def clear(self):
        try:
            os.unlink(self.filler)
        except FileNotFoundError:
            pass

    def close(self):
        subprocess.run(["umount", "-l", self.folder], check=False,
                       capture_output=True)


class Trouble(unittest.TestCase):
    def begin(self, **more):
        self.world = World(**more)
        self.failed = True
        self.addCleanup(lambda: self.world.close(keep=self.failed))
        return self.world

    def errors(self):
        return self.world.primd.log().count(" ERROR ")

    def recover(self):
        """How long it takes until somebody's message is stored again."""
        begun = time.monotonic()
        ok = wait_until(lambda: 101 in self.world.codes(begun, CAROL), 30)
        self.assertTrue(ok, "it did not recover:\n" +
                        self.world.primd.log()[-3000:])
        return time.monotonic() - begun

    def end(self, **more):
        world = self.world
        world.end_sending()
        begun = time.monotonic()
        left = world.drain()
        print(f"drained in {time.monotonic() - begun:.1f} s, {left} left")
        self.assertEqual(left, 0)
        report = world.judge(**more)
        print(report.text(), flush=True)
        self.assertTrue(report.ok)
        self.assertTrue(world.primd.is_running())
        self.assertEqual(world.primd.stop(), 0)
        self.failed = False


class Full(Trouble):
    def begin(self, **more):
        super().begin(**more)
        try:
            self.disk = Disk(self.world.primd.data)
        except (OSError, subprocess.CalledProcessError) as error:
            self.failed = False
            self.skipTest(f"no small disk here: {error}")
        self.addCleanup(self.disk.close)
        return self.world

    def refuses(self):
        """Waits until new messages are refused; from then on none is stored."""
        world = self.world
        begun = time.monotonic()
        self.assertTrue(wait_until(
            lambda: 500 in world.codes(begun, CAROL), 30),
            "nothing was refused on a full disk")
        begun = time.monotonic()
        self.assertTrue(wait_until(lambda: len(
            [c for who in STORED for c in world.codes(begun, who)]) > 10, 30))
        return begun

    def test_new_messages_are_refused_before_it_is_full(self):
        world = self.begin()
        world.start()
        world.send()
        self.assertLess(self.recover(), RECOVERS_IN)
        self.disk.fill(LOW - (512 << 10))
        since = self.refuses()
        # Nothing that was accepted is in need of more than is left.
        bob = world.listen(BOB)
        self.assertTrue(bob.wait(50))
        self.assertTrue(wait_until(lambda: 200 in world.codes(since), 30))
        self.assertNotIn(101, world.codes(since, CAROL))
        self.assertTrue("disk nearly full" in world.primd.log())
        self.assertFalse("writing fails" in world.primd.log())
        self.disk.clear()
        self.assertLess(self.recover(), RECOVERS_IN)
        self.end()

    def fill_once(self, number):
        world = self.world
        time.sleep(random.uniform(0.1, 0.8))
        left = random.choice((0, 0, 4096, random.randrange(LOW)))
        self.disk.fill(left)
        if number % 3 == 2:
            self.kill_on_a_full_disk()
        else:
            since = self.refuses()
            # Some of these ends cannot be written, nor their notices.
            bob = world.listen(BOB)
            self.assertTrue(bob.wait(20), "nothing is delivered")
            if left == 0:
                self.disk.fill(0)
            time.sleep(random.uniform(0, 1))
            self.assertTrue(wait_until(lambda: 200 in world.codes(since), 30))
            world.hush(BOB)
        self.disk.clear()
        if not world.primd.is_running():
            world.primd.start()
        took = self.recover()
        print(f"filling {number}, {left} octets left: works again after "
              f"{took:.2f} s", flush=True)
        self.assertLess(took, RECOVERS_IN)

    def kill_on_a_full_disk(self):
        """It may start there, or say why it does not."""
        world = self.world
        world.primd.kill()
        start = world.primd.log_size()
        try:
            world.primd.start()
        except RuntimeError:
            self.assertNotEqual(world.primd.process.wait(10), 0)
            self.assertRegex(world.primd.log(start),
                             r"full|disk I/O|No space left|cannot")
            self.assertNotIn("ERROR: AddressSanitizer",
                             world.primd.log(start))

    def test_it_is_filled_under_load(self):
        reseed("full")
        world = self.begin()
        world.start()
        world.send()
        for number in range(FILLINGS):
            self.fill_once(number)
        self.end()


class Damaged(Trouble):
    """Somebody else was in the files while primd was away."""

    def file(self, name):
        return os.path.join(self.world.primd.data, name)

    def flip(self, name, text, bit=0):
        """One bit in the first octet of `text`, wherever it is."""
        with open(self.file(name), "r+b") as file:
            octets = bytearray(file.read())
            places = [at for at in range(len(octets))
                      if octets.startswith(text, at)]
            for at in places:
                octets[at] ^= 1 << bit
            file.seek(0)
            file.write(octets)
        return len(places)

    def refused(self, *sentences):
        """It does not start, says why, and says so by its code."""
        primd = self.world.primd
        start = primd.log_size()
        with self.assertRaises(RuntimeError):
            primd.start()
        self.assertNotIn(primd.process.wait(10), (0, -6, -11))
        last = primd.log(start).splitlines()[-1]
        for sentence in sentences:
            self.assertIn(sentence, last)

    def test_what_is_damaged_is_told_and_the_rest_delivered(self):
        world = self.begin()
        world.start()
        alice = world.client(ALICE)
        texts = [f"{n:04} number " + "x" * 50 for n in range(40)]
        for n, text in enumerate(texts):
            self.assertEqual(alice.say(BOB, text, message_id=f"d{n}-"), 101)
        alice.close()
        world.primd.stop()
        bad = random.sample(range(len(texts)), 8)
        for n in bad:
            self.assertEqual(self.flip("queue.db", texts[n].encode(), n % 8), 1)
        world.primd.start()
        alice = world.client(ALICE)
        bob = world.listen(BOB)
        self.addCleanup(alice.close)
        left = [t for n, t in enumerate(texts) if n not in bad]
        self.assertTrue(bob.wait(len(left)))
        self.assertTrue(alice.wait(len(bad)))
        time.sleep(0.3)
        self.assertEqual(bob.texts(), left)
        about = b" ".join(c.body for c in alice.heard)
        for n in bad:
            self.assertEqual(about.count(b"<message-id>d%d-<" % n), 1, about)
        self.assertEqual(len(alice.heard), len(bad))
        self.assertEqual(world.primd.status()["quarantined"], len(bad))
        self.end(need=("I1", "I6"), settled=True)

    def test_files_that_are_no_longer_ours(self):
        world = self.begin()
        world.start()
        world.primd.stop()
        whole = {}
        for name in ("primd.db", "queue.db", "queue.key"):
            with open(self.file(name), "rb") as file:
                whole[name] = file.read()

        def put(name, octets):
            with open(self.file(name), "wb") as file:
                file.write(octets)

        for name in ("primd.db", "queue.db"):
            octets = whole[name]
            put(name, octets[:60] + (99).to_bytes(4, "big") + octets[64:])
            self.refused(f"{name} has schema 99", "newer version")
            put(name, octets)
        octets = whole["primd.db"]
        for damaged in (b"something else entirely" + octets[23:],
                        octets[:4096] + bytes(4096) + octets[8192:],
                        octets[:len(octets) // 2]):
            put("primd.db", damaged)
            self.refused("primd.db is damaged", "primctl restore")
        put("primd.db", octets)
        put("queue.db", b"something else entirely" * 1000)
        self.refused("queue.db is damaged", "move it away",
                     "nothing in it shows that it is one of ours")
        put("queue.db", whole["queue.db"])
        world.primd.start()
        self.assertEqual(world.primd.stop(), 0)
        self.failed = False

    def harm(self, kind):
        size = os.path.getsize(self.file("queue.db"))
        with open(self.file("queue.db"), "r+b") as file:
            if kind == "head":
                file.write(b"something else entirely")
            elif kind == "cut":
                file.truncate(size - 4096)
            else:
                file.seek(random.randrange(size // 4096) * 4096)
                file.write(bytes(4096))

    def test_a_damaged_queue_is_made_anew(self):
        """Whoever had nothing on the damaged page is delivered, who had is told,
        and primd has started by itself."""
        reseed("anew")
        world = self.begin()
        world.start()
        sent, told = [], []
        for number, kind in enumerate(("head", "page", "page", "cut")):
            alice = world.client(ALICE)
            for n in range(40):
                text = f"{number}{n:04} number " + "x" * random.choice((50, 9000))
                self.assertEqual(alice.say(BOB, text,
                                           message_id=f"a{number}-{n}-"), 101)
                sent.append(text)
            time.sleep(0.3)
            alice.close()
            told += alice.heard
            world.primd.stop()
            self.harm(kind)
            start = world.primd.log_size()
            world.primd.start()
            log = world.primd.log(start)
            if "made anew" not in log:
                self.assertNotEqual(kind, "head")
        self.assertGreater(len([n for n in os.listdir(world.primd.data)
                                if n.startswith("queue.db.damaged-")]), 0)
        alice = world.client(ALICE)
        self.addCleanup(alice.close)
        bob = world.listen(BOB)
        wait_until(lambda: len(bob.heard) + len(alice.heard) + len(told) >=
                   len(sent), 20)
        told += alice.heard
        got = bob.texts()
        self.assertEqual(got, [t for t in sent if t in set(got)])
        print(f"{len(sent)} sent, {len(got)} delivered, "
              f"{len(told)} told", flush=True)
        self.assertEqual(len(got) + len(told), len(sent))
        self.end(need=("I1", "I6"), settled=True)


class Errors(Trouble):
    def trace(self, calls, error, when):
        """From now on (`when`: as strace has it) `calls` of primd fail."""
        pid = self.world.primd.process.pid
        command = ["strace", "-f", "-q", "-o", os.devnull,
                   "-p", str(pid),
                   "-e", f"trace={calls}",
                   "-e", f"inject={calls}:error={error}:when={when}"]
        tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        self.assertTrue(wait_until(lambda: self.is_traced(pid), 30))
        return tracer

    @staticmethod
    def is_traced(pid):
        """All its threads."""
        tasks = f"/proc/{pid}/task"
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/status", encoding="ascii") as file:
                if "\nTracerPid:\t0\n" in file.read():
                    return False
        return True

    @staticmethod
    def end_trace(tracer):
        tracer.terminate()
        tracer.wait(10)

    def inject(self, number):
        """An error in some call from now on, or in one only."""
        calls, error = random.choice(CALLS), random.choice(ERRORS)
        # Whoever is always interrupted never gets on.
        how_often = ("", "+3") if error == "EINTR" else ("", "+", "+3")
        when = f"{random.randrange(1, 40)}{random.choice(how_often)}"
        killed = random.random() < 0.3
        tracer = self.trace(calls, error, when)
        try:
            time.sleep(random.uniform(0.3, 0.8))
            if random.random() < 0.4:
                self.world.listen(BOB)
                time.sleep(random.uniform(0.1, 0.4))
                self.world.hush(BOB)
            if killed:
                self.world.primd.kill()
        finally:
            self.end_trace(tracer)
        if killed:
            self.world.primd.start()
        took = self.recover()
        print(f"fault {number}, {calls} {error} {when}"
              f"{', killed' if killed else ''}: works again after {took:.2f} s",
              flush=True)
        self.assertLess(took, RECOVERS_IN)

    def test_what_comes_meanwhile_is_not_forgotten(self):
        """A message bounces while nothing can be written, and an inbox is opened
        while nothing can be read: neither is a reason to give up."""
        world = self.begin()
        world.start()
        alice = world.client(ALICE)
        self.addCleanup(alice.close)
        texts = [f"{n} " + "x" * 6000 for n in range(40)]
        for n, text in enumerate(texts):
            self.assertEqual(alice.say(BOB, text, message_id=f"m{n}-"), 101)
        world.primd.stop()   # so that nothing of it is in memory
        world.primd.start()
        world.wait_up()
        alice = world.client(ALICE)
        self.addCleanup(alice.close)
        self.assertEqual(alice.say("bounce-408-3000@far.example", "back",
                                   message_id="bounced"), 101)
        tracer = self.trace("pwrite64,pread64", "EIO", "1+")
        try:
            bob = world.listen(BOB)
            self.assertTrue(wait_until(
                lambda: "reading fails" in world.primd.log() and
                "writing fails" in world.primd.log(), 30))
            time.sleep(0.5)
        finally:
            self.end_trace(tracer)
        begun = time.monotonic()
        self.assertTrue(bob.wait(len(texts), 30))
        self.assertTrue(alice.wait(1, 30), "the bounce was forgotten")
        print(f"read and told after {time.monotonic() - begun:.2f} s")
        self.assertIn(b"bounced", alice.heard[0].body)
        self.assertEqual(world.primd.status()["quarantined"], 0)
        self.end(need=("I1", "I6", "I10"))

    @unittest.skipUnless(LONG, "random points; in the long form")
    def test_calls_fail_under_load(self):
        reseed("errors")
        world = self.begin()
        world.start()
        world.send()
        for number in range(FAULTS):
            self.inject(number)
        self.end(disk_fails=True)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
