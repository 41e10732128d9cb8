"""Runs the programs under test: writes their configuration, calls them, watches their memory."""

import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import process

MIB = 1 << 20


def program(name):
    """Path of `mailferry` or `mailferryd`; the runner says where the build is."""
    return Path(os.environ["MAILFERRY_BUILD"]).resolve() / "bin" / name


def available():
    return "MAILFERRY_BUILD" in os.environ and program("mailferry").exists()


@dataclass
class Side:
    """How one tenant is reached: a server, the way of TLS and of signing in."""

    server: object
    tls: str = "none"        # none | starttls | implicit
    auth: str = "plain"      # plain | login-master | user
    host: str = "localhost"
    port: int = 0            # 0: the server's own for this way of TLS
    ca_file: object = None   # default: the server's CA where TLS is used
    max_sessions: int = 8
    passwords: dict = field(default_factory=dict)  # admin or mailbox -> a wrong one, say
    more: str = ""           # further lines of the tenant


@dataclass
class Outcome:
    status: int
    stdout: str
    stderr: str
    report: dict = None

    def items(self, name, migration=0, pass_number=-1):
        return self.report["migrations"][migration]["passes"][pass_number]["items"][name]

    def failures(self):
        return [one for migration in self.report["migrations"] for one in migration["failures"]]

    def mailboxes(self):
        """source address -> entry; the last pass's entry stands."""
        return {entry["source"]: entry for migration in self.report["migrations"]
                for entry in migration["mailboxes"]}

    def text(self):
        return f"status {self.status}\n{self.stdout[-3000:]}\n{self.stderr[-3000:]}"


class Job:
    """One configuration with its folder; call write() again after changing a field."""

    def __init__(self, folder, source, target, pairs, passes=('name = "final"',), state_dir=None,
                 memory_max="64MiB", spool="", migration="", daemon=""):
        """pairs: (source address, target address) each; passes: TOML lines of each pass."""
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.source, self.target, self.pairs, self.passes = source, target, list(pairs), passes
        self.state_dir = Path(state_dir or self.folder / "state")
        self.socket = self.folder / "control.sock"
        self.metrics_port = process.free_ports(1)[0]
        self.memory_max, self.spool = memory_max, spool
        self.migration, self.daemon_lines = migration, daemon
        self.config = self.folder / "ferry.toml"
        self.write()

    def write(self):
        self.config.write_text("\n".join([
            "[daemon]", f'state_dir = "{self.state_dir}"', f'control_socket = "{self.socket}"',
            f'metrics_listen = "127.0.0.1:{self.metrics_port}"',
            f'memory_max = "{self.memory_max}"', self.daemon_lines,
            "[spool]", self.spool, self._tenant("fabrikam", self.source),
            self._tenant("contoso", self.target),
            "[migration.merger]", 'source = "fabrikam"', 'target = "contoso"',
            'mapping = "merger.csv"', self.migration,
            *(f"[[migration.merger.pass]]\n{lines}" for lines in self.passes)]) + "\n")
        self._write_mapping()
        return self

    def _write_mapping(self):
        columns = ["source", "target"]
        columns += ["source_password_file"] * (self.source.auth == "user")
        columns += ["target_password_file"] * (self.target.auth == "user")
        rows = [",".join(columns)]
        for source, target in self.pairs:
            cells = [source, target]
            for side, user in ((self.source, source), (self.target, target)):
                if side.auth == "user":
                    secret = side.passwords.get(user) or side.server.users.get(user, "none")
                    cells.append(self.secret(f"{side.server.folder.name}-{user}", secret).name)
            rows.append(",".join(f'"{cell}"' for cell in cells))
        (self.folder / "merger.csv").write_text("\n".join(rows) + "\n")

    def secret(self, name, value):
        path = self.folder / f"{name}.password"
        path.touch(0o600)
        path.write_text(value + "\n")
        return path

    def _tenant(self, name, side):
        server = side.server
        port = side.port or (server.tls_port if side.tls == "implicit" else server.port)
        lines = [f"[tenant.{name}]", 'protocol = "imap"', f'host = "{side.host}"',
                 f"port = {port}", f'tls = "{side.tls}"', side.more]
        ca_file = side.ca_file or (server.certs.ca if server and server.certs else None)
        if side.tls != "none" and ca_file:
            lines.append(f'ca_file = "{ca_file}"')
        if side.auth == "user":
            lines += [f"[[tenant.{name}.admin]]", 'auth = "user"',
                      f"max_sessions = {side.max_sessions}"]
        for admin, secret in (server.admins.items() if side.auth != "user" else ()):
            path = self.secret(f"{name}-{admin}", side.passwords.get(admin, secret))
            lines += [f"[[tenant.{name}.admin]]", f'user = "{admin}"', f'auth = "{side.auth}"',
                      f'password_file = "{path.name}"', f"max_sessions = {side.max_sessions}"]
        return "\n".join(lines)

    def copy(self, timeout=300):
        """`mailferry copy --json`, to its end."""
        with self.start_copy() as run:
            return run.wait(timeout)

    def start_copy(self):
        return Run([program("mailferry"), "copy", "--config", self.config, "--json"], self.folder)

    def check(self):
        return call([program("mailferryd"), "--config", self.config, "--check"], self.folder)

    def verb(self, *words, timeout=60):
        """A verb of `mailferry` over the control socket; --json answers are parsed."""
        return call([program("mailferry"), "--socket", self.socket, *words], self.folder, timeout)

    def spool_bytes(self):
        """What the spool takes on disk: allocated blocks, not the files' apparent sizes."""
        total = 0
        for path in (self.state_dir / "spool").rglob("*"):
            try:
                total += path.stat().st_blocks * 512
            except OSError:
                pass
        return total


def _environment():
    """A zone and a locale that no result may depend on."""
    return {**os.environ, "TZ": "<-0330>3:30", "LC_ALL": "C.UTF-8"}


def call(command, folder, timeout=60):
    done = subprocess.run(list(map(str, command)), cwd=folder, env=_environment(), text=True,
                          capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL)
    return Outcome(done.returncode, done.stdout, done.stderr, _json(done.stdout))


def _json(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


class Run:
    """A running program whose memory is sampled; ends with the block."""

    def __init__(self, command, folder, environment=None):
        self._out = open(Path(folder) / "stdout.log", "w+b")
        self._err = open(Path(folder) / "stderr.log", "w+b")
        self.process = subprocess.Popen(list(map(str, command)), cwd=folder, stdout=self._out,
                                        stderr=self._err, stdin=subprocess.DEVNULL,
                                        env={**_environment(), **(environment or {})})
        self.pid = self.process.pid
        self.peak_kib = 0  # the kernel's own high-water mark, read until the end
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        process.end(self.process)
        self._out.close()
        self._err.close()

    def _sample(self):
        while self.process.returncode is None:
            values = process.memory_kib(self.pid)
            if values:
                self.peak_kib = max(self.peak_kib, values[1])
            time.sleep(0.05)

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def kill_after(self, seconds):
        """SIGKILL after so long; False when the program had ended by itself before."""
        try:
            self.process.wait(seconds)
            return False
        except subprocess.TimeoutExpired:
            self.kill()
            return True

    def wait(self, timeout=300):
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not done within {timeout} s: {self.outcome().text()}") from None
        return self.outcome()

    def outcome(self):
        texts = []
        for file in (self._out, self._err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
        return Outcome(self.process.poll(), *texts, _json(texts[0]))


class Daemon(Run):
    """`mailferryd` as systemd would start it: the constructor returns when it says READY=1."""

    def __init__(self, job, ready_seconds=30):
        path = job.folder / "notify.sock"
        path.unlink(missing_ok=True)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(path))
        self.messages = []
        super().__init__([program("mailferryd"), "--config", job.config], job.folder,
                         {"NOTIFY_SOCKET": str(path)})
        try:
            process.wait_until(lambda: self.told("READY=1") or not self.running(), ready_seconds,
                               "READY=1 from mailferryd")
            if not self.running():
                raise AssertionError(f"mailferryd ended at its start: {self.outcome().text()}")
        except BaseException:
            self.__exit__()
            raise

    def told(self, message):
        """Has the daemon sent this line to the service manager?"""
        while True:
            try:
                text = self._notify.recv(4096, socket.MSG_DONTWAIT).decode()
            except BlockingIOError:
                return message in self.messages
            self.messages += text.splitlines()

    def stop(self, timeout=30):
        if self.running():
            self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def __exit__(self, *details):
        super().__exit__(*details)
        self._notify.close()


def random_pauses(seed, count, longest):
    choose = random.Random(seed)
    return [choose.uniform(0.02, longest) for _ in range(count)]
