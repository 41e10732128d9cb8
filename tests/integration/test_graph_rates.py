"""How much of the published limits is used, sixteen mailboxes at once, and that none is overstepped.

The limits are scaled down; their windows are as long as the service's. Here the first window is
looked at: its budget is spent at once, then everybody waits. Longer, with the figures of so many
minutes, from this folder: MAILFERRY_BUILD=../../build/release MAILFERRY_TEST_GRAPH_RATE_MINUTES=16
PYTHONPATH=.. python3 -m unittest test_graph_rates.Rates
"""

import os
import signal
import sys
import time

from support.process import wait_until

from test_graph import GraphCase

MINUTES = int(os.environ.get("MAILFERRY_TEST_GRAPH_RATE_MINUTES", "0"))
MAILBOXES = 16
REQUESTS, REQUESTS_WINDOW = 10_000, 600
UPLOAD, UPLOAD_WINDOW = 150_000_000, 300


class Rates(GraphCase):
    options = {"gzip_bytes_max": 0}

    def copy_until_all_wait(self, name, limit, window, items, item_bytes, scale=100, apps=1,
                            mailboxes=MAILBOXES):
        """What the target's mailboxes were asked to take, by `name`, over all apps."""
        limit //= scale
        windows = 1 + MINUTES * 60 // window
        self.sim.set_options(throttle_scale=scale)
        self.houses(mailboxes=mailboxes, items=0, apps=apps)
        for mailbox in self.source.mailboxes():
            self.sim.add_items(mailbox, items * windows * apps, kind="mail", bytes=item_bytes,
                               folder="inbox")
        job = self.job(tenant_lines=f"throttle_scale = {1 / scale}", max_sessions=4 * mailboxes)

        def used():
            sums = dict.fromkeys(self.target.mailboxes(), 0)
            for limiter in self.sim.counters()["limiters"]:
                if limiter["scope"] in sums:
                    sums[limiter["scope"]] += limiter[name]
                    self.assertEqual(0, limiter["refused"], limiter)
            return sums

        begun = time.monotonic()
        with job.start_copy() as run:
            wait_until(lambda: min(used().values()) >= 0.95 * limit * apps or not run.running(),
                       180, f"95 % of {limit} {name} in each mailbox")
            if MINUTES:
                time.sleep(max(0, MINUTES * 60 - (time.monotonic() - begun)))
            took = time.monotonic() - begun
            result = used()
            run.signal(signal.SIGINT)
            self.assertEqual(4, run.wait(60).status)
        self.assertEqual({}, self.sim.violations())
        allowed = limit * (1 + int(took // window))
        self.assertLessEqual(max(result.values()), allowed * apps)
        share = sum(result.values()) / (mailboxes * allowed * apps)
        print(f"{name}: {share:.1%} of what {apps} app(s) may on {mailboxes} mailboxes in "
              f"{took:.0f} s, none refused", file=sys.stderr)
        self.assertGreaterEqual(share, 0.95)
        return sum(result.values())

    def test_requests(self):
        self.copy_until_all_wait("requests", REQUESTS, REQUESTS_WINDOW, 150, 500)

    def test_bytes(self):
        self.copy_until_all_wait("upload_bytes", UPLOAD, UPLOAD_WINDOW, 60, 30_000)

    def test_two_apps_carry_twice_as_much(self):
        # More than what one session takes on at once: the rest is the other app's.
        load = {"items": 200, "item_bytes": 250_000, "scale": 10, "mailboxes": 4}
        one = self.copy_until_all_wait("upload_bytes", UPLOAD, UPLOAD_WINDOW, **load)
        self.sim.stop()
        self.sim.start()
        self.folder = self.folder / "two"
        self.folder.mkdir()
        two = self.copy_until_all_wait("upload_bytes", UPLOAD, UPLOAD_WINDOW, **load, apps=2)
        self.assertGreaterEqual(two, 1.9 * one)
