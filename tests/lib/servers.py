# SPDX-License-Identifier: ISC
"""primd and Prosody for a test: private folders, ports picked by the kernel,
ended by the process we started and no other."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("PRIM_BUILD", os.path.join(ROOT, "build"))
LONG = bool(os.environ.get("PRIM_LONG"))


def times(few, many):
    """How often something is done: in the long form `many` times, and with
    PRIM_TIMES=n in the environment n times."""
    return int(os.environ.get("PRIM_TIMES", many if LONG else few))


def is_sanitized():
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as file:
        return "SANITIZE:BOOL=ON" in file.read()


def wait_until(true, timeout=20, step=0.02):
    """Polls; the last value of true()."""
    end = time.monotonic() + timeout
    while True:
        value = true()
        if value or time.monotonic() > end:
            return value
        time.sleep(step)


def free_ports(count):
    socks = [socket.socket() for _ in range(count)]
    try:
        for sock in socks:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in socks]
    finally:
        for sock in socks:
            sock.close()


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Server:
    """A child process with a log."""

    def __init__(self, name):
        self.name = name
        self.folder = tempfile.mkdtemp(prefix=f"primbridge-{name}-")
        self.log_file = os.path.join(self.folder, name + ".log")
        self.process = None

    def launch(self, command, **more):
        log = open(self.log_file, "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=log, stderr=log, **more)
        log.close()

    def log(self, start=0):
        try:
            with open(self.log_file, "rb") as file:
                file.seek(start)
                return file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    def log_size(self):
        try:
            return os.path.getsize(self.log_file)
        except FileNotFoundError:
            return 0

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self, timeout=15):
        """SIGTERM; the exit code. What does not end is killed."""
        if not self.is_running():
            return None if self.process is None else self.process.returncode
        self.process.terminate()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return "did not end"

    def clean(self, keep=False):
        self.stop()
        if keep:
            print(f"kept: {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


class Primd(Server):
    """`config`: the YAML below domains, data_dir, listen and admin."""

    def __init__(self, config="", domains=("localhost",), top=""):
        super().__init__("primd")
        self.bin = os.path.join(BUILD, "bin")
        self.data = os.path.join(self.folder, "data")
        os.mkdir(self.data, 0o700)
        self.config = os.path.join(self.folder, "primd.yaml")
        self.port = self.admin = None
        self.passwords = {}
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"domains: [{', '.join(domains)}]\n"
                       f"data_dir: {self.data}\n"
                       "listen:\n  - address: 127.0.0.1:0\n"
                       "admin: { listen: '127.0.0.1:0' }\n" + top + config)

    def start(self, timeout=20, level="info"):
        start = self.log_size()
        env = dict(os.environ)
        env.setdefault("ASAN_OPTIONS", "detect_leaks=0")
        self.launch([os.path.join(self.bin, "primd"), "-c", self.config,
                     "--log-level", level],
                    cwd=self.folder, env=env)

        def ports():
            text = self.log(start)
            self.port = self.find(r"(?<!admin )listening address=\S*:(\d+)", text)
            self.admin = self.find(r"admin listening address=\S*:(\d+)", text)
            return (self.port and self.admin) or not self.is_running()

        wait_until(ports, timeout)
        if not (self.port and self.is_running()):
            raise RuntimeError("primd did not start:\n" + self.log(start)[-3000:])
        return self

    @staticmethod
    def find(pattern, text):
        match = re.search(pattern, text)
        return int(match.group(1)) if match else None

    def ctl(self, *args, stdin="", check=True):
        done = subprocess.run(
            [os.path.join(self.bin, "primctl"), "-c", self.config, *args],
            input=stdin, capture_output=True, text=True, timeout=30,
            cwd=self.folder, check=False)
        if check and done.returncode:
            raise RuntimeError(f"primctl {args}: {done.returncode} "
                               f"{done.stdout}{done.stderr}")
        return done.stdout

    def account(self, address, password="secret"):
        self.ctl("account", "add", address, stdin=password + "\n")
        self.passwords[address] = password

    def status(self):
        return json.loads(self.ctl("status", "--json"))

    def host_pid(self, name):
        """The process of the adapter `name`: a child of ours that says so."""
        for pid in self.children():
            if name in self.cmdline(pid):
                return pid
        return None

    def children(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    @staticmethod
    def cmdline(pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return file.read().decode().split("\0")
        except OSError:
            return []

    def kill_host(self, name):
        """kill -9 of an adapter's process; its pid."""
        pid = self.host_pid(name)
        if pid is None:
            raise RuntimeError(f"no process of adapter {name}")
        os.kill(pid, signal.SIGKILL)
        return pid

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def client(self, address, listen=False, **more):
        from prim import Client
        client = Client(self.port, address, self.passwords[address], **more)
        return client.listen() if listen else client


PROSODY = """
run_as_root = {as_root}
prosody_user = "{user}"
prosody_group = "{group}"
data_path = "{folder}/data"
pidfile = "{folder}/own.pid"
log = {{ debug = "*console" }}
interfaces = {{ "127.0.0.1" }}
local_interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {c2s} }}
component_interfaces = {{ "127.0.0.1" }}
component_ports = {{ {component} }}
modules_enabled = {{ "roster", "saslauth", "disco", "ping", "offline", "carbons" }}
modules_disabled = {{ "s2s", "tls" }}
authentication = "internal_plain"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
limits = {{}}
"""


class Prosody(Server):
    """A Prosody with `hosts` for users and `components` (each with the secret
    "sesame"). Plain text: it never leaves the loopback interface."""

    SECRET = "sesame"
    LINKED = "component successfully authenticated"

    def __init__(self, hosts, components, users, extra=""):
        super().__init__("prosody")
        self.c2s, self.component = free_ports(2)
        self.config = os.path.join(self.folder, "prosody.cfg.lua")
        self.passwords = users
        text = PROSODY.format(
            as_root="true" if os.getuid() == 0 else "false",
            user=self.id("-un"), group=self.id("-gn"), folder=self.folder,
            c2s=self.c2s, component=self.component)
        for host in hosts:
            text += f'VirtualHost "{host}"\n'
        for component in components:
            text += (f'Component "{component}"\n'
                     f'  component_secret = "{self.SECRET}"\n'
                     '  component_conflict_resolve = "kick_old"\n')
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text + extra)
        for address, password in users.items():
            local, host = address.split("@")
            accounts = os.path.join(self.folder, "data", self.escape(host),
                                    "accounts")
            os.makedirs(accounts, exist_ok=True)
            with open(os.path.join(accounts, self.escape(local) + ".dat"), "w",
                      encoding="utf-8") as file:
                file.write(f'return {{ ["password"] = "{password}"; }};\n')

    @staticmethod
    def id(flag):
        return subprocess.run(["id", flag], capture_output=True, text=True,
                              check=True).stdout.strip()

    @staticmethod
    def escape(name):
        return "".join(c if c.isalnum() and c.isascii() else f"%{ord(c):02x}"
                       for c in name)

    def start(self, timeout=20):
        self.launch(["prosody", "-F", "--config", self.config], cwd=self.folder)
        ok = wait_until(lambda: listens(self.component) and listens(self.c2s)
                        or not self.is_running(), timeout)
        if not (ok and self.is_running()):
            raise RuntimeError("Prosody did not start:\n" + self.log()[-3000:])
        return self

    def client(self, address, **more):
        from xmpp import Client
        return Client(address, self.passwords[address], self.c2s, **more)
