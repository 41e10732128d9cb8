"""Cyrus at either end: another server's rules for names, keywords and message syntax."""

from support import audit, servers
from support.case import FerryCase
from support.fill import FOLDERS
from support.imap_client import Imap
from support.mailferry import Side

PLAIN_NAMES = [path for path in FOLDERS if not any('"' in part for part in path)]


class ToCyrus(FerryCase):
    def copy(self, cyrus_options, way):
        source = self.server("source")
        target = self.server("target", kind=servers.Cyrus, **cyrus_options)
        self.fill(source, 80, folders=PLAIN_NAMES)
        before = self.snapshots(source)
        job = self.job(Side(source), Side(target, **way))
        outcome = job.copy()
        self.assert_status(1 if outcome.failures() else 0, outcome)
        rules = audit.Rules(reported=audit.quarantined(job.state_dir))
        self.assert_exact(source, target, rules, audit.cyrus_keeps)
        self.assert_unchanged(before, source)
        self.assertEqual(0, job.copy().items("stored"))
        self.assert_exact(source, target, rules, audit.cyrus_keeps)

    def test_by_authzid_over_starttls(self):
        self.copy({}, {"auth": "plain", "tls": "starttls"})

    def test_inbox_prefix_and_dots(self):
        self.copy({"altnamespace": False, "unixhierarchysep": False}, {"auth": "plain"})

    def test_users_own_passwords_over_implicit_tls(self):
        self.copy({}, {"auth": "user", "tls": "implicit"})

    def test_a_name_that_cyrus_refuses(self):
        """The folder comes under another, visible name, or is reported; nothing is lost quietly."""
        source = self.server("source")
        target = self.server("target", kind=servers.Cyrus)
        self.fill(source, 20, folders=[("INBOX",), ('Say "when"',)])
        outcome = self.job(source, target).copy()
        self.assert_status(outcome.status, outcome)
        if outcome.status == 1:
            self.assertIn("when", outcome.stdout)
            return
        for user in self.users:
            with source.connect(user) as one, target.connect(self.twins[user]) as other:
                before = audit.snapshot(one, audit.cyrus_keeps)
                after = audit.snapshot(other)
            held = [folder.counter() for folder in after.values()]
            self.assertIn(before[('Say "when"',)].counter(), held)

    def test_a_mailbox_that_cyrus_does_not_know(self):
        """It lets the admin sign in for it and then lists no folder."""
        source = self.server("source")
        victim, *others = self.users
        known = {self.twins[user]: self.users[user] for user in others}
        target = self.server("target", known, kind=servers.Cyrus)
        self.fill(source, 20, folders=PLAIN_NAMES)
        job = self.job(source, target)
        outcome = job.copy()
        self.assert_status(1, outcome)
        self.assert_failed_mailbox(outcome, victim, "mailbox_refused")
        rules = audit.Rules(reported=audit.quarantined(job.state_dir))
        self.assert_exact(source, target, rules, audit.cyrus_keeps, users=others)


class FromCyrus(FerryCase):
    def test_by_authzid(self):
        source = self.server("source", kind=servers.Cyrus)
        target = self.server("target", mail_format="sdbox")
        self.fill(source, 80, folders=PLAIN_NAMES)
        before = self.snapshots(source)
        job = self.job(Side(source), Side(target))
        self.assert_status(0, job.copy())
        self.assert_exact(source, target)
        self.assert_unchanged(before, source)
        self.assertEqual(0, job.copy().items("stored"))

    def test_with_dots_and_prefix_over_tls(self):
        source = self.server("source", kind=servers.Cyrus, altnamespace=False,
                             unixhierarchysep=False)
        target = self.server("target")
        self.fill(source, 40, folders=PLAIN_NAMES)
        self.assert_status(0, self.job(Side(source, tls="implicit"), Side(target)).copy())
        self.assert_exact(source, target)

    def test_unauthenticate_is_not_offered_to_who_acts_for_a_mailbox(self):
        """Cyrus offers it to its admin alone: each mailbox takes a connection of its own."""
        source = self.server("source", kind=servers.Cyrus)
        user = next(iter(self.users))
        admin, password = next(iter(source.admins.items()))
        for authorize, offered in ((user, False), ("", True)):
            with Imap("127.0.0.1", source.port) as client:
                client.login_plain(authorize, admin, password)
                capability, = client.command(b"CAPABILITY")
                self.assertEqual(offered, b"UNAUTHENTICATE" in capability)
