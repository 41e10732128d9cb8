"""kill -9, again and again, while the service misbehaves: each item arrives once.

Short in CI. Long, with its figures, from this folder: MAILFERRY_BUILD=../../build/release
MAILFERRY_TEST_GRAPH_KILLS=200 MAILFERRY_TEST_GRAPH_KILL_MAILBOXES=50
MAILFERRY_TEST_GRAPH_KILL_ITEMS=200 PYTHONPATH=.. python3 -m unittest test_graph_kills.Kills
"""

import os
import random
import sys
import time

from support.case import SEED
from support.process import wait_until

from test_graph import GraphCase

KILLS = int(os.environ.get("MAILFERRY_TEST_GRAPH_KILLS", "6"))
MAILBOXES = int(os.environ.get("MAILFERRY_TEST_GRAPH_KILL_MAILBOXES", "6"))
ITEMS = int(os.environ.get("MAILFERRY_TEST_GRAPH_KILL_ITEMS", "60"))
SORTS = {"IPM.Note", "IPM.Appointment", "IPM.Contact", "IPM.DistList", "IPM.Task"}


class Kills(GraphCase):
    def test_each_item_arrives_once(self):
        self.houses(mailboxes=MAILBOXES, items=ITEMS)
        self.assertLessEqual(SORTS, self.sorts())
        # Tokens of 30 s and sessions of 20 s, at ten times the speed.
        self.sim.set_options(token_seconds=30, session_seconds=20, latency_ms=4)
        self.sim.set_clock(rate=10)
        job = self.job()
        choose = random.Random(SEED)
        begun = time.monotonic()
        kills = rounds = expiries = 0
        faults = {}
        while kills < KILLS:
            self.sim.random_faults(0.02, seed=choose.randrange(1 << 30))
            # At any moment: just after the start, or so that the kills spread over the copy.
            gap = max(2, 2 * MAILBOXES * ITEMS // KILLS)
            imports = self.imports() + choose.choice((0, choose.randrange(1, gap),
                                                      choose.randrange(1, gap)))
            with job.start_copy() as run:
                wait_until(lambda: self.imports() >= imports or not run.running(), 120,
                           "the moment of the kill", 0.002)
                killed = run.kill_after(choose.uniform(0, 0.1))
                if not killed:
                    self.assertEqual(0, run.outcome().status, run.outcome().text())
            for name, count in self.sim.counters()["faults"].items():
                faults[name] = max(faults.get(name, 0), count)
            if killed:
                kills += 1
                if kills % 5 == 2:
                    self.sim.expire("delta")
                    expiries += 1
                continue
            rounds += 1  # All was copied: mail goes on arriving and changing.
            self.sim.mutate(self.source.mailboxes(), 0, seed=rounds, now=20 * MAILBOXES,
                            kinds=["deliver", "edit"])
        self.sim.clear_faults()
        self.assert_status(0, job.copy())
        self.assert_equal_mailboxes()
        again = job.copy()
        self.assert_status(0, again)
        self.assertEqual(0, again.items("stored"), again.text())
        # The next process can't know of a pause that the killed one was asked for.
        self.assertLessEqual(set(self.sim.violations()), {"sent inside Retry-After"})
        self.assertEqual([], self.sim.outgoing_mail())
        self.assert_no_secret(job)
        self.assertGreater(expiries, 0)
        items = sum(sum(self.sim.crossing(mailbox).values()) for mailbox in self.source.mailboxes())
        print(f"seed {SEED}: {kills} kills, {rounds} whole copies between them, {items} items in "
              f"{MAILBOXES} mailboxes, faults {faults}, {expiries} expiries of the delta state, "
              f"{self.imports()} uploads, {time.monotonic() - begun:.0f} s: 0 missing, 0 too many",
              file=sys.stderr)

    def imports(self):
        return self.sim.counters()["by_route"].get("importItem", 0)

    def sorts(self):
        return {item["class"] for mailbox in self.source.mailboxes()
                for item in self.sim.items_of(mailbox)}
