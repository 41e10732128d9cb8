"""What the demonstrations of tools/quickstart share."""

import subprocess
import tempfile
import time
from pathlib import Path

from .mailferry import program


def heading(text):
    print(f"\n== {text}", flush=True)


def copy(job):
    """`mailferry copy`, as an operator sees it; returns its exit status."""
    started = time.monotonic()
    status = subprocess.run([program("mailferry"), "copy", "--config", job.config]).returncode
    print(f"exit status {status}, {time.monotonic() - started:.1f} s", flush=True)
    return status


def run_in_folder(run):
    """What `run` answers; its folder is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mf-") as folder:
        Path(folder).chmod(0o755)  # The servers' own accounts have to get through.
        return run(Path(folder))
