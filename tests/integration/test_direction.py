"""Source and target swapped: nothing is written before somebody says that it is meant."""

from support.case import FerryCase
from support.mailferry import Daemon
from support.process import wait_until


class SwappedPair(FerryCase):
    def setUp(self):
        super().setUp()
        self.source = self.server("source")
        self.target = self.server("target")
        # The old house has moved out already; the new one is full.
        for user in self.target.users:
            with self.target.connect(user) as client:
                client.append(b"INBOX", [((), b"01-Jan-2024 00:00:00 +0000",
                                          b"Subject: %d\r\n\r\n" % number)
                                         for number in range(130)])
        self.fill(self.source, 4)

    def test_a_swapped_pair_is_refused_before_the_first_write(self):
        before = self.snapshots(self.target)
        outcome = self.job(self.source, self.target).copy()
        self.assertEqual(2, outcome.status, outcome.text())
        self.assertRegex(outcome.stderr, "swapped")
        self.assertRegex(outcome.stderr, "allow_fuller_target")
        self.assert_unchanged(before, self.target)

    def test_a_fuller_target_can_be_meant(self):
        job = self.job(self.source, self.target, migration="allow_fuller_target = true")
        self.assert_status(0, job.copy())

    def test_the_service_holds_the_migration_back_until_it_is_told(self):
        job = self.job(self.source, self.target)

        def state():
            return job.verb("passes", "--json").report["passes"][0]["state"]
        with Daemon(job):
            wait_until(lambda: state() == "paused", 30, "the migration is held back")
            self.assertIn("swapped", " ".join(job.verb("status", "--json").report["warnings"]))
            job.migration = "allow_fuller_target = true"
            job.write()
            self.assertEqual(0, job.verb("reload").status)
            wait_until(lambda: state() == "done", 60, "the pass after the reload")
