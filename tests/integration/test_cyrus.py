"""Cyrus as the target: another server's rules for names, keywords and message syntax."""

from support import audit, servers
from support.case import FerryCase
from support.fill import FOLDERS
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
        self.assert_source_unchanged(before, source)
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
