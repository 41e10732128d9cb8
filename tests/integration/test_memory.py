"""Memory and spool stay within their limits, whatever the size of the mail.

MAILFERRY_TEST_BYTES sets how much mail (default 1 GiB); the largest message is 150 MB always.
"""

import os
import time

from support import fill
from support.case import FerryCase
from support.corpus import large_message
from support.mailferry import MIB
from support.process import wait_until

TOTAL = int(os.environ.get("MAILFERRY_TEST_BYTES", str(1 << 30)))
LARGEST = 150_000_000
RESIDENT_MAX_KIB = 160 * 1024


class Memory(FerryCase):
    alone = True

    def fill_with(self, server, sizes):
        users = list(server.users)
        plans = {user: [] for user in users}
        for number, size in enumerate(sizes):
            plans[users[number % len(users)]].append(
                fill.Message(("Große Post",), large_message(size, number), ["\\Seen"]))
        fill.fill_all(server, plans, workers=2)

    def test_one_gigabyte_and_a_message_of_150_megabytes(self):
        source = self.server("source", mail_format="sdbox", plugins=())
        target = self.server("target", mail_format="sdbox", plugins=())
        sizes, left = [LARGEST], TOTAL - LARGEST
        for size in (30_000_000, 10_000_000, 1_000_000, 100_000):
            count = max(0, left // 4 // size)
            sizes += [size] * count
            left -= size * count
        self.fill_with(source, sizes)
        job = self.job(source, target, memory_max="64MiB")
        with job.start_copy() as run:
            outcome = run.wait(1800)
            peak = run.peak_kib
        self.assert_status(0, outcome)
        self.assertLess(peak, RESIDENT_MAX_KIB, f"{peak} KiB resident")
        self.assertGreater(peak, 0)
        self.assert_exact(source, target)

    def test_a_frozen_target_fills_the_spool_to_its_high_water(self):
        high_water, segment = 96 * MIB, 8 * MIB
        source = self.server("source", mail_format="sdbox", plugins=())
        target = self.server("target", mail_format="sdbox", plugins=())
        self.fill_with(source, [2_000_000] * 150)
        job = self.job(source, target, memory_max="64MiB", spool=(
            f'max_bytes = "{high_water // MIB}MiB"\nsegment_bytes = "{segment // MIB}MiB"'))
        with job.start_copy() as run:
            wait_until(lambda: "Login:" in target.log(), 30, "a session at the target")
            target.freeze()
            try:
                highest = self.watch_until_still(job, run, seconds=60)
            finally:
                target.thaw()
            outcome = run.wait(600)
            peak = run.peak_kib
        # A segment is laid out in advance and one item may be under way: one segment of grace.
        self.assertLessEqual(highest, high_water + segment)
        self.assertGreater(highest, high_water // 2, "the spool hasn't taken what it could")
        self.assert_status(0, outcome)
        self.assert_exact(source, target)
        self.assertLess(peak, RESIDENT_MAX_KIB, f"{peak} KiB resident")
        self.assertLess(job.spool_bytes(), 3 * segment, "the spool hasn't drained")

    def watch_until_still(self, job, run, seconds):
        """The most that the spool took, once it hasn't grown for five seconds."""
        highest, changed, until = 0, time.monotonic(), time.monotonic() + seconds
        while time.monotonic() < until:
            self.assertTrue(run.running(), run.outcome().text())
            size = job.spool_bytes()
            if size > highest:
                highest, changed = size, time.monotonic()
            if highest and time.monotonic() - changed > 5:
                return highest
            time.sleep(0.1)
        self.fail(f"the spool still grows after {seconds} s: {highest} bytes")
