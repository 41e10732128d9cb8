"""Later passes: only what is new or changed crosses, and what users did at the target stands."""

from support import corpus, fill
from support.case import FerryCase
from support.mailferry import call, program


class SixtyFourMailboxes(FerryCase):
    def test_second_copy_stores_nothing_and_says_so(self):
        self.with_users(64)
        source = self.server("source")
        target = self.server("target", mail_format="sdbox")
        self.assertEqual(6400, self.fill(source, 100))
        before = self.snapshots(source)
        job = self.job(source, target)
        first = job.copy(timeout=600)
        self.assert_status(0, first)
        self.assertEqual(6400, first.items("stored"))
        self.assert_exact(source, target)
        after = self.snapshots(target)
        second = job.copy()
        self.assert_status(0, second)
        self.assertEqual(0, second.items("stored"))
        self.assertEqual(6400, second.items("unchanged"))
        self.assert_unchanged(after, target)
        text = call([program("mailferry"), "copy", "--config", job.config], job.folder, 300)
        self.assertEqual(0, text.status, text.text())
        self.assertRegex(text.stdout, r"(?i)nothing|\b0 stored|stored[: ]+0\b")
        self.assert_unchanged(before, source)


class Changes(FerryCase):
    def setUp(self):
        super().setUp()
        self.source = self.server("source")
        self.target = self.server("target", mail_format="sdbox")
        self.fill(self.source, 60)
        self.ferry = self.job(self.source, self.target)
        self.assert_status(0, self.ferry.copy())
        self.user = next(iter(self.users))

    def again(self, stored):
        outcome = self.ferry.copy()
        self.assert_status(0, outcome)
        self.assertEqual(stored, outcome.items("stored"), outcome.text())
        return outcome

    def test_new_mail_and_a_new_folder(self):
        fresh = fill.plan(5, corpus.real_paths()[5000:5012], [("INBOX",), ("Neu", "Ordner")])
        fill.fill(self.source, self.user, fresh)
        self.again(12)
        self.assert_exact(self.source, self.target)
        self.again(0)

    def test_flags_follow_the_source(self):
        with self.source.connect(self.user) as client:
            client.command(b'SELECT "Sent"')
            client.command(b"STORE 1 +FLAGS (\\Flagged Later)")
            client.command(b"STORE 2 FLAGS ()")
        self.again(0)
        self.assert_exact(self.source, self.target)

    def test_the_targets_user_wins(self):
        with self.target.connect(self.twins[self.user]) as client:
            client.command(b'SELECT "Sent"')
            client.command(b"STORE 1:* +FLAGS (Mine)")
            client.command(b"STORE 1 +FLAGS (\\Deleted)")
            client.command(b"EXPUNGE")
        changed = self.snapshots(self.target)
        self.again(0)
        self.assert_unchanged(changed, self.target)

    def test_what_goes_at_the_source_stays_at_the_target(self):
        held = self.snapshots(self.target)
        for user in self.users:
            with self.source.connect(user) as client:
                client.command(b"SELECT INBOX")
                client.command(b"STORE 1:* +FLAGS (\\Deleted)")
                client.command(b"EXPUNGE")
                client.command(b'DELETE "Archive/2024"' if b"/" in client.command(
                    b'LIST "" ""')[0][2] else b'DELETE "Archive.2024"')
        self.again(0)
        for user, mailbox in self.snapshots(self.target).items():
            for path, folder in mailbox.items():
                self.assertEqual(held[user][path].items, folder.items, path)

    def test_uidvalidity_changes(self):
        """A folder made anew at the source has other numbers and the same messages."""
        with self.source.connect(self.user) as client:
            layout = fill.Layout(client)
            name = layout.name(("Crème brûlée",))
            client.command(b"CREATE Helper")
            client.command(b"SELECT ", client.quoted(name))
            client.command(b"COPY 1:* Helper")
            client.command(b"UNSELECT")
            client.command(b"DELETE ", client.quoted(name))
            client.command(b"RENAME Helper ", client.quoted(name))
        self.again(0)
        self.assert_exact(self.source, self.target)
