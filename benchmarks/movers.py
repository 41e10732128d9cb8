"""The programs that are measured, each started as its user would, all mailboxes in one go."""

import os
import re
import resource
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.mailferry import Job, Side, program

AT_ONCE = 8  # Processes of the movers that know one mailbox at a time; sessions of the others.


class Figures:
    """Wall seconds, CPU seconds of all the mover's processes, what they wrote to disk (nothing where
    the disk is memory), and the largest of them in KiB."""

    def __init__(self):
        self.wall = self.cpu = 0.0
        self.resident_kib = self.disk_bytes = 0
        self._lock = threading.Lock()

    def run(self, command, log, **more):
        """One process; raises if it fails."""
        with open(log, "ab") as out:
            child = subprocess.Popen(list(map(str, command)), stdout=out, stderr=out, **more)
            watch = threading.Thread(target=self._watch_memory, args=(child.pid,))
            watch.start()
            _, status, usage = os.wait4(child.pid, 0)
        watch.join()
        child.returncode = os.waitstatus_to_exitcode(status)
        with self._lock:
            self.cpu += usage.ru_utime + usage.ru_stime
            self.disk_bytes += usage.ru_oublock * 512
        if child.returncode != 0:
            text = Path(log).read_text(errors="replace")[-2_000:]
            raise ChildProcessError(f"{command[0]} ended with {child.returncode}: {text}")


    def _watch_memory(self, pid):
        """rusage would tell our own size, too, from before the child's exec()."""
        while True:
            try:
                peak = int(re.search(r"VmHWM:\s+(\d+)",
                                     Path(f"/proc/{pid}/status").read_text())[1])
                name = Path(f"/proc/{pid}/comm").read_text()
            except (OSError, TypeError):
                return
            if not name.startswith("python"):
                with self._lock:
                    self.resident_kib = max(self.resident_kib, peak)
            time.sleep(0.02)


class Mover:
    """`available` answers why it can't be measured here, or None; `remembers`: a second run finds
    that nothing has changed."""

    remembers = True

    def available(self):
        return None

    def prepare(self, folder, source, target, pairs):
        self.folder, self.source, self.target, self.pairs = folder, source, target, pairs
        self.log = folder / "mover.log"

    def measure(self):
        figures = Figures()
        begun = time.monotonic()
        self.move(figures)
        figures.wall = time.monotonic() - begun
        return figures


    def each_mailbox(self, figures, command):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda pair: figures.run(command(*pair), self.log), self.pairs))


class Mailferry(Mover):
    name = "mailferry"

    def prepare(self, *arguments):
        super().prepare(*arguments)
        sides = [Side(server, max_sessions=AT_ONCE) for server in (self.source, self.target)]
        self.job = Job(self.folder / "job", *sides, self.pairs)
        # The others sign in as fast as they can.
        limit = f"max_sessions = {AT_ONCE}\n"
        text = self.job.config.read_text()
        self.job.config.write_text(text.replace(limit, limit + "logins_per_second = 1000\n"))

    def move(self, figures):
        figures.run([program("mailferry"), "copy", "--config", self.job.config, "--json"], self.log)


class Floor(Mover):
    """Not a tool: the least that has to be done."""

    name = "floor"
    remembers = False

    def move(self, figures):
        lines = [f"{one} {self.source.users[one]} {other} {self.target.users[other]}\n"
                 for one, other in self.pairs]
        path = self.folder / "pairs"
        path.write_text("".join(lines))
        with open(path, "rb") as pairs:
            figures.run([program("floor"), self.source.port, self.target.port, AT_ONCE], self.log, stdin=pairs)


class Mbsync(Mover):
    name = "mbsync"

    def available(self):
        return None if shutil.which("mbsync") else "mbsync isn't installed (Debian: isync)"

    def prepare(self, *arguments):
        super().prepare(*arguments)
        state = self.folder / "state"
        state.mkdir()
        parts = [f"SyncState {state}/\n"]
        for number, pair in enumerate(self.pairs):
            for side, server, user in zip("st", (self.source, self.target), pair):
                parts.append(f"IMAPAccount {side}{number}\nHost 127.0.0.1\nPort {server.port}\n"
                             f"User {user}\nPass {server.users[user]}\nSSLType None\n\n"
                             f"IMAPStore {side}{number}\nAccount {side}{number}\n")
            parts.append(f"Channel c{number}\nFar :s{number}:\nNear :t{number}:\nSync Pull New\n"
                         f"CopyArrivalDate yes\n")
        self.config = self.folder / "mbsyncrc"
        self.config.write_text("\n".join(parts))
        self.channels = {pair: f"c{number}" for number, pair in enumerate(self.pairs)}

    def move(self, figures):
        self.each_mailbox(figures, lambda *pair: ["mbsync", "-q", "-c", self.config,
                                                  self.channels[pair]])


class Dsync(Mover):
    """`doveadm backup` at the target, which reads the source over IMAP (imapc)."""

    name = "dsync"

    def move(self, figures):
        self.each_mailbox(figures, lambda one, other: [
            "doveadm", "-c", self.target.folder / "dovecot.conf", "-o", "imapc_host=127.0.0.1",
            "-o", f"imapc_port={self.source.port}", "-o", f"imapc_user={one}",
            "-o", f"imapc_password={self.source.users[one]}",
            "-o", "imapc_features=fetch-headers rfc822.size", "backup", "-R", "-u", other,
            "imapc:"])


class Imapsync(Mover):
    name = "imapsync"

    def available(self):
        return None if shutil.which("imapsync") else "imapsync isn't installed"

    def move(self, figures):
        self.each_mailbox(figures, lambda one, other: [
            "imapsync", "--host1", "127.0.0.1", "--port1", self.source.port, "--user1", one,
            "--password1", self.source.users[one], "--host2", "127.0.0.1", "--port2",
            self.target.port, "--user2", other, "--password2", self.target.users[other],
            "--nossl1", "--nossl2", "--notls1", "--notls2", "--nolog"])


def movers():
    return [Floor(), Mailferry(), Mbsync(), Dsync(), Imapsync()]


def raise_limits():
    """Eight children and their servers hold many descriptors."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
