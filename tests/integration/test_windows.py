"""Passes with date windows: half open, by received instant, their union the whole mailbox."""

import datetime

from support import audit, fill
from support.case import FerryCase

HOUR = datetime.timedelta(hours=1)
SECOND = datetime.timedelta(seconds=1)
UTC = datetime.timezone.utc
EDGES = [datetime.datetime(2024, 7, 1, tzinfo=UTC), datetime.datetime(2025, 1, 1, tzinfo=UTC)]
NEWEST = 'name = "newest"\nmail_since = "2025-01-01T00:00:00Z"'
MIDDLE = ('name = "middle"\nmail_since = "2024-07-01T00:00:00Z"\n'
          'mail_before = "2025-01-01T00:00:00Z"')
OLDEST = 'name = "oldest"\nmail_before = "2024-07-01T00:00:00Z"'
EVERYTHING = 'name = "final"'


def instants(edges):
    return [int(edge.timestamp()) for edge in edges]


class Windows(FerryCase):
    def setUp(self):
        super().setUp()
        self.with_users(2)
        self.source, self.target = self.server("source"), self.server("target")
        self.fill(self.source, 100)
        zones = [datetime.timezone(HOUR * hours) for hours in (0, -12, 14)]
        for user in self.users:
            fill.fill(self.source, user, [
                fill.Message(("INBOX",), f"Subject: {edge} {zone} {step}\r\n\r\nx\r\n".encode(),
                             [], (edge + step * SECOND).astimezone(zone))
                for edge in EDGES for zone in zones for step in (-1, 0, 1)])

    def run_passes(self, *passes):
        outcome = self.job(self.source, self.target, passes=passes).copy()
        self.assert_status(0, outcome)
        return outcome

    def test_each_pass_brings_its_window_and_no_more(self):
        middle, newest = instants(EDGES)
        # All with one state: each job goes on where the one before ended.
        self.run_passes(NEWEST)
        self.assert_exact(self.source, self.target, audit.Rules(since=newest))
        self.run_passes(NEWEST, MIDDLE)
        self.assert_exact(self.source, self.target, audit.Rules(since=middle))
        self.run_passes(NEWEST, MIDDLE, OLDEST)
        self.assert_exact(self.source, self.target)
        last = self.run_passes(NEWEST, MIDDLE, OLDEST, EVERYTHING)
        self.assertEqual(0, last.items("stored"))
        self.assert_exact(self.source, self.target)

    def test_several_passes_in_one_run(self):
        outcome = self.run_passes(NEWEST, MIDDLE, OLDEST)
        stored = [outcome.items("stored", pass_number=number) for number in range(3)]
        self.assertEqual(2 * 118, sum(stored))
        self.assertTrue(all(stored), stored)
        self.assert_exact(self.source, self.target)


class Ages(FerryCase):
    def test_last_seven_days(self):
        source, target = self.server("source"), self.server("target")
        now = datetime.datetime.now(UTC).replace(microsecond=0)
        for user in self.users:
            fill.fill(source, user, [
                fill.Message(("INBOX",), f"Subject: {hours}\r\n\r\nx\r\n".encode(), [],
                             now - hours * HOUR) for hours in (1, 24, 160, 167, 169, 300, 9000)])
        outcome = self.job(source, target, passes=('name = "week"\nmail_since = "7d"',)).copy()
        self.assert_status(0, outcome)
        rules = audit.Rules(since=int((now - 168 * HOUR).timestamp()))
        self.assert_exact(source, target, rules)
        self.assertEqual(4 * 4, outcome.items("stored"))
