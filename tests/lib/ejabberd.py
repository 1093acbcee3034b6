# SPDX-License-Identifier: ISC
"""ejabberd for a test: a private folder, ports picked by the kernel. The Erlang
node has no name, so it needs no epmd and nobody can reach it."""

import os
import re
import shutil
import socket
import time

from servers import ROOT, Server, free_ports, listens, wait_until

EXAMPLE = os.path.join(ROOT, "contrib", "examples", "ejabberd.yml")

# What the example stands beside: what Debian's ejabberd has switched on, as far
# as it is about messages and presence. Clients speak without TLS. Who resumes no
# session (XEP-0198) has lost what was sent to it, and that is bounced.
CONFIG = """
hosts: [{hosts}]
loglevel: info
log_rotate_count: 0
log_burst_limit_count: 1000000
acme: {{ auto: false }}
shaper_rules:
  max_user_offline_messages: {offline_max}
  max_user_sessions: 10
modules:
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_client_state: {{}}
  mod_disco: {{}}
  mod_last: {{}}
  mod_offline: {{ access_max_user_messages: max_user_offline_messages }}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_pubsub: {{ plugins: [flat, pep] }}
  mod_register: {{}}
  mod_roster: {{ versioning: true }}
  mod_stream_mgmt: {{ resend_on_timeout: false, resume_timeout: 8 }}
  mod_vcard: {{ search: false }}
  mod_vcard_xupdate: {{}}
registration_timeout: infinity
{example}
  - port: {c2s}
    ip: "127.0.0.1"
    module: ejabberd_c2s
"""

STREAM = ("<stream:stream xmlns='jabber:client' version='1.0' to='{host}' "
          "xmlns:stream='http://etherx.jabber.org/streams'>"
          "<iq type='set' id='r'><query xmlns='jabber:iq:register'>"
          "<username>{local}</username><password>{password}</password>"
          "</query></iq>")


def example(port, components, secret):
    """contrib's example, with the names of a test."""
    with open(EXAMPLE, encoding="utf-8") as file:
        text = file.read()
    entry = re.search(r'^( +)"prim\.example\.org":\n +password: .*\n', text, re.M)
    indent = entry.group(1)
    hosts = "".join(f'{indent}"{name}":\n{indent}  password: "{secret}"\n'
                    for name in components)
    return text.replace(entry.group(0), hosts).replace("5347", str(port))


class Ejabberd(Server):
    """An ejabberd with `hosts` for users and `components`, as Prosody in
    servers.py. `offline_max`: how many messages wait for an absent user."""

    SECRET = "sesame"
    LINKED = "external component handshake authentication for"
    SCRIPT = shutil.which("ejabberdctl",
                          path=os.environ.get("PATH", "") + ":/usr/sbin")

    def __init__(self, hosts, components, users, offline_max=1000):
        super().__init__("ejabberd")
        self.c2s, self.component = free_ports(2)
        self.passwords = dict(users)
        self.config = self.put("ejabberd.yml", CONFIG.format(
            hosts=", ".join(f'"{host}"' for host in hosts), c2s=self.c2s,
            offline_max=offline_max,
            example=example(self.component, components, self.SECRET)))
        # No DNS: it asks for the component while that is away.
        self.inetrc = self.put("inetrc", '{resolv_conf, ""}.\n{lookup, [file]}.\n'
                               '{host, {127,0,0,1}, ["localhost"]}.\n')

    def put(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def libraries(self):
        """Where this system keeps ejabberd's own half of Erlang."""
        with open(self.SCRIPT, encoding="utf-8") as file:
            found = re.search(r"^ *ERL_LIBS='?([^'\n]*)'?$", file.read(), re.M)
        return found.group(1) if found else ""

    def start(self, timeout=60):
        start = self.log_size()
        env = dict(os.environ, EJABBERD_CONFIG_PATH=self.config,
                   EJABBERD_LOG_PATH=os.path.join(self.folder, "own.log"),
                   ERL_CRASH_DUMP=os.path.join(self.folder, "erl_crash.dump"),
                   ERL_INETRC=self.inetrc, ERL_LIBS=self.libraries(), HOME=self.folder)
        spool = os.path.join(self.folder, "spool")
        # No busy waiting: the cores are needed elsewhere.
        self.launch(["erl", "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio",
                     "none", "-noinput", "-mnesia", "dir", f'"{spool}"',
                     "-s", "ejabberd"], cwd=self.folder, env=env)
        ok = wait_until(lambda: listens(self.component) and listens(self.c2s)
                        or not self.is_running(), timeout)
        if not (ok and self.is_running()):
            raise RuntimeError("ejabberd did not start:\n"
                               + self.log(start)[-3000:])
        for address, password in self.passwords.items():
            self.register(address, password)
        return self

    def kill(self):
        """kill -9, but what is for the disk may go there first: ejabberd writes
        two seconds late, and would come back with rosters older than what their
        owners, and the bridge, have been told."""
        log, begun = os.path.join(self.folder, "spool", "LATEST.LOG"), time.time()
        wait_until(lambda: os.stat(log).st_mtime > begun, 3)
        super().kill()

    def register(self, address, password):
        """Makes an account, as a new user would (XEP-0077), unless it is
        there."""
        local, host = address.split("@")
        self.passwords[address] = password
        text = STREAM.format(host=host, local=local, password=password)
        answer = ""
        with socket.create_connection(("127.0.0.1", self.c2s), 30) as sock:
            sock.sendall(text.encode())
            while not re.search(r"<iq [^>]*/>|</iq>", answer):
                more = sock.recv(65536).decode()
                if not more:
                    break
                answer += more
        if "type='result'" not in answer and "conflict" not in answer:
            raise RuntimeError(f"{address} cannot register: {answer}")

    def client(self, address, **more):
        from xmpp import Client
        return Client(address, self.passwords[address], self.c2s, **more)
