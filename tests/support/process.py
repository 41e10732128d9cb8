"""Processes that a test starts: found, stopped and ended by pid only, never by name."""

import os
import signal
import socket
import time
from pathlib import Path


def children_of(pid):
    """All descendants of `pid`, parents first. A process that ends meanwhile is left out."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue
        parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        for child in parents.get(queue.pop(0), []):
            found.append(child)
            queue.append(child)
    return found


def signal_tree(pid, number):
    """Sends a signal to `pid` and its descendants; twice, for those born in between."""
    for _ in range(2):
        for each in [pid, *children_of(pid)]:
            try:
                os.kill(each, number)
            except ProcessLookupError:
                pass


def end(process, seconds=10):
    """Ends a Popen child: a polite SIGTERM, then SIGKILL for it and its descendants."""
    if process.poll() is not None:
        return process.returncode
    signal_tree(process.pid, signal.SIGCONT)
    offspring = children_of(process.pid)
    process.terminate()
    try:
        process.wait(seconds)
    except Exception:  # TimeoutExpired: it had its chance.
        signal_tree(process.pid, signal.SIGKILL)
        process.wait(10)
    until = time.monotonic() + 1
    for pid in offspring:
        wait_gone(pid, max(0, until - time.monotonic()))
    return process.returncode


def wait_gone(pid, seconds):
    """Waits for a descendant that its parent was told to end; then kills it."""
    started = start_time(pid)
    until = time.monotonic() + seconds
    while started is not None and start_time(pid) == started:
        if time.monotonic() > until:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            return
        time.sleep(0.02)


def start_time(pid):
    """The kernel's start time of a live process; None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def memory_kib(pid):
    """(VmRSS, VmHWM) in KiB, or None when the process is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    values = {}
    for line in status.splitlines():
        name, _, rest = line.partition(":")
        if name in ("VmRSS", "VmHWM"):
            values[name] = int(rest.split()[0])
    return (values["VmRSS"], values["VmHWM"]) if len(values) == 2 else None


def free_ports(count):
    """Ports on loopback that were free a moment ago. A server that loses the race is retried."""
    sockets = []
    for _ in range(count):
        one = socket.socket()
        one.bind(("127.0.0.1", 0))
        sockets.append(one)
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_until(condition, seconds, what, pause=0.05):
    """Polls `condition` until it is true; raises TimeoutError naming `what`."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(pause)
