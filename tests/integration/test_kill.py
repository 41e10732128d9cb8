"""SIGKILL in mid-copy, of the program and of the servers: the result is exact all the same."""

import signal
import time

from support import corpus, fill
from support.case import KILLS, SEED, FerryCase
from support.mailferry import random_pauses
from support.process import wait_until


class KilledProgram(FerryCase):
    def test_ten_kills(self):
        self.with_users(12)
        source = self.server("source")
        target = self.server("target", mail_format="sdbox", sync="always")
        self.fill(source, 150)
        job = self.job(source, target)
        kills = rounds = 0
        pauses = iter(random_pauses(SEED, 100, 1.5))
        while kills < KILLS:
            with job.start_copy() as run:
                if run.kill_after(next(pauses)):
                    kills += 1
                    continue
                self.assertEqual(0, run.outcome().status, run.outcome().text())
            rounds += 1  # All was copied: mail goes on arriving.
            self.fill(source, 40, first=2000 + 500 * rounds)
        outcome = job.copy()
        self.assertEqual(0, outcome.status, outcome.text())
        self.assert_exact(source, target)
        self.assert_sums(outcome)
        again = job.copy()
        self.assert_status(0, again)
        self.assertEqual(0, again.items("stored"))

    def test_stop_by_signal_and_go_on(self):
        source = self.server("source")
        target = self.server("target", sync="always")
        self.fill(source, 250)
        job = self.job(source, target)
        stopped = 0
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            with job.start_copy() as run:
                time.sleep(0.3)
                if run.running():
                    run.signal(number)
                    outcome = run.wait(30)
                    self.assertIn(outcome.status, (0, 4), outcome.text())
                    stopped += outcome.status == 4
        self.assertGreater(stopped, 0, "no run was stopped before its end")
        self.assert_status(0, job.copy())
        self.assert_exact(source, target)


class KilledServers(FerryCase):
    def interrupted(self, name):
        self.with_users(6)
        servers = {"source": self.server("source"),
                   "target": self.server("target", mail_format="sdbox", sync="always")}
        self.fill(servers["source"], 200)
        job = self.job(servers["source"], servers["target"])
        victim = servers[name]
        with job.start_copy() as run:
            for pause in random_pauses(SEED, 3, 0.6):
                time.sleep(pause)
                victim.kill()
                time.sleep(0.3)
                victim.start()
            outcome = run.wait(300)
        self.assertEqual(0, outcome.status, outcome.text())
        self.assert_exact(servers["source"], servers["target"])

    def test_target_is_killed(self):
        self.interrupted("target")

    def test_source_is_killed(self):
        self.interrupted("source")

    def test_messages_vanish_and_arrive_during_the_copy(self):
        self.with_users(2)
        source = self.server("source")
        target = self.server("target", sync="always")
        self.fill(source, 400, folders=[("INBOX",), ("Sent",)])
        job = self.job(source, target)
        user = next(iter(self.users))
        with job.start_copy() as run:
            wait_until(lambda: "Login" in target.log() or not run.running(), 30, "target login")
            fill.fill(source, user, fill.plan(3, corpus.real_paths()[:20], [("INBOX",)]))
            with source.connect(user) as client:
                client.command(b"SELECT Sent")
                client.command(b"STORE 150:* +FLAGS (\\Deleted)")
                client.command(b"EXPUNGE")
            outcome = run.wait()
        self.assert_status(0, outcome)
        self.assertEqual(0, outcome.items("failed"))
        self.assert_status(0, job.copy())
        rest = self.snapshots(source)[user]
        there = self.snapshots(target)[self.twins[user]]
        for path in (("INBOX",), ("Sent",)):
            self.assertFalse(rest[path].counter() - there[path].counter(), path)
            self.assertLessEqual(max(there[path].counter().values()),
                                 max(rest[path].counter().values()))
