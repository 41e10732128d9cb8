#!/usr/bin/env python3
"""Runs the integration tests against a build.

    tests/integration/run.py --build build/release [--filter REGEX] [--jobs N] [--list]

One line per test, the output of those that failed at the end, and a last line
'N passed, N failed'. Each class of tests has a process of its own, two at a time; classes that
measure run alone. MAILFERRY_KEEP=1 keeps their folders.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
import traceback
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
CLASS_SECONDS_MAX = 3600


def tests_of(suite):
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from tests_of(one)
        else:
            yield one


def discover(pattern):
    loaded = unittest.TestLoader().discover(str(HERE), "test_*.py", str(HERE))
    classes = {}
    for test in tests_of(loaded):
        if isinstance(test, unittest.loader._FailedTest):
            raise SystemExit(str(test._exception))
        if re.search(pattern, test.id()):
            classes.setdefault(type(test), []).append(test.id())
    return classes


class LineResult(unittest.TestResult):
    """One JSON line per finished test on stdout, for the parent."""

    def startTest(self, test):
        super().startTest(test)
        self._started = time.monotonic()
        self._outcome, self._text = "ok", ""

    def stopTest(self, test):
        super().stopTest(test)
        self._say(test.id(), self._outcome, self._text, time.monotonic() - self._started)

    def addError(self, test, err):
        text = "".join(traceback.format_exception(*err))
        if not isinstance(test, unittest.TestCase):  # setUpClass: every test of it has failed.
            self._say(str(test), "FAILED", text, 0)
            return
        self._outcome, self._text = "FAILED", self._text + text

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.addError(test, err)
            self._text = f"{subtest}\n{self._text}"

    def addSkip(self, test, reason):
        if not isinstance(test, unittest.TestCase):
            self._say(str(test), "skipped", reason, 0)
            return
        self._outcome, self._text = "skipped", reason

    @staticmethod
    def _say(name, outcome, text, seconds):
        print(json.dumps([name, outcome, text, seconds]), flush=True)


def run_worker(names):
    unittest.TestLoader().loadTestsFromNames(names).run(LineResult())


class Summary:
    def __init__(self):
        self.lock, self.passed, self.skipped, self.failures = threading.Lock(), 0, 0, []

    def line(self, name, outcome, text, seconds):
        with self.lock:
            if outcome == "FAILED":
                self.failures.append((name, text))
            elif outcome == "skipped":
                self.skipped += 1
            else:
                self.passed += 1
            reason = f"  {text}" if outcome == "skipped" else ""
            print(f"{outcome:8}{seconds:7.1f} s  {name}{reason}", flush=True)


def run_class(names, build, summary):
    environment = {**os.environ, "MAILFERRY_BUILD": str(build)}
    command = [sys.executable, str(Path(__file__)), "--build", str(build), "--worker", *names]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=environment, cwd=HERE)
    guard = threading.Timer(CLASS_SECONDS_MAX, worker.kill)
    guard.start()
    seen, errors = set(), []
    reader = threading.Thread(target=lambda: errors.append(worker.stderr.read()))
    reader.start()
    for line in worker.stdout:
        name, outcome, text, seconds = json.loads(line)
        seen.add(name)
        summary.line(name, outcome, text, seconds)
    worker.wait()
    guard.cancel()
    reader.join()
    for name in names if not any(one.startswith("setUpClass") for one in seen) else ():
        if name not in seen:
            summary.line(name, "FAILED", f"the test's process ended\n{''.join(errors)}", 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build", default=str(HERE.parent.parent / "build/release"))
    parser.add_argument("--filter", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return run_worker(arguments.worker)
    classes = discover(arguments.filter)
    if arguments.list:
        print("\n".join(name for names in classes.values() for name in names))
        return 0
    build = Path(arguments.build).resolve()
    summary, started = Summary(), time.monotonic()
    together = [names for kind, names in classes.items() if not getattr(kind, "alone", False)]
    alone = [names for kind, names in classes.items() if getattr(kind, "alone", False)]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        list(pool.map(lambda names: run_class(names, build, summary), together))
    for names in alone:
        run_class(names, build, summary)
    for name, text in summary.failures:
        print(f"\n==== {name}\n{text}")
    skipped = f", {summary.skipped} skipped" if summary.skipped else ""
    print(f"\n{time.monotonic() - started:.0f} s{skipped}")
    print(f"{summary.passed} passed, {len(summary.failures)} failed")
    return 1 if summary.failures or not summary.passed else 0


if __name__ == "__main__":
    sys.exit(main())
