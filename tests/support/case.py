"""What the integration tests share: a folder, certificates, servers that end with the test."""

import os
import shutil
import tempfile
import unittest
from pathlib import Path

from . import audit, corpus, fill, servers
from .certificates import Certificates
from .mailferry import Job, Side

KILLS = int(os.environ.get("MAILFERRY_TEST_KILLS", "10"))
SEED = int(os.environ.get("MAILFERRY_TEST_SEED", "20250630"))
ADMINS = {"migrate1": "first admin", "migrate2": 'second"\\admin'}


def addresses(domain, count):
    """user000@domain -> password; each password has a character that breaks careless quoting."""
    marks = ' "\\$;!%*{}(é§'
    return {f"user{n:03d}@{domain}": f"pass{marks[n % len(marks)]}{n}" for n in range(count)}


class FolderCase(unittest.TestCase):
    """A folder of its own for each test, and certificates for all of a class.

    `alone` classes measure something and are run with nothing beside them.
    """

    alone = False
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.class_folder = Path(tempfile.mkdtemp(prefix="mf-"))
        cls.class_folder.chmod(0o755)  # The servers' own accounts have to get through.
        cls.certs = Certificates(cls.class_folder / "tls")
        cls.number = 0

    @classmethod
    def tearDownClass(cls):
        if not os.environ.get("MAILFERRY_KEEP"):
            shutil.rmtree(cls.class_folder, ignore_errors=True)

    def setUp(self):
        type(self).number += 1
        self.folder = self.class_folder / str(self.number)
        self.folder.mkdir()

    def assert_sums(self, outcome):
        """seen = stored + unchanged + left out + gone + failed + waiting, in every pass."""
        passes = [one for migration in outcome.report["migrations"] for one in migration["passes"]]
        self.assertTrue(passes, outcome.text())
        for one in passes:
            items = dict(one["items"])
            seen = items.pop("seen")
            self.assertEqual(seen, sum(items.values()), one)

    def assert_status(self, expected, outcome):
        self.assertEqual(expected, outcome.status, outcome.text())
        self.assertIsNotNone(outcome.report, f"no JSON report: {outcome.text()}")
        self.assertEqual(expected, outcome.report["exit_status"])
        self.assert_sums(outcome)

    def assert_failed_mailbox(self, outcome, user, pattern):
        entry = outcome.mailboxes().get(user)
        self.assertIsNotNone(entry, outcome.text())
        self.assertNotEqual("done", entry["state"], entry)
        self.assertRegex(entry["error"], pattern)


class FerryCase(FolderCase):
    """IMAP servers with four mailboxes, from one tenant to another."""

    def setUp(self):
        super().setUp()
        self.users = addresses("fabrikam.example", 4)
        self.twins = {user: user.replace("fabrikam", "contoso") for user in self.users}

    def server(self, name, users=None, kind=servers.Dovecot, **options):
        """A started server; target servers are the ones with contoso's addresses."""
        if users is None:
            users = self.users if name.startswith("source") else {
                self.twins[user]: password for user, password in self.users.items()}
        one = kind(self.folder / name, users, ADMINS, self.certs, **options)
        self.addCleanup(one.stop)
        return one.start()

    def with_users(self, count):
        self.users = addresses("fabrikam.example", count)
        self.twins = {user: user.replace("fabrikam", "contoso") for user in self.users}

    def fill(self, server, each, folders=None, deleted_share=0.0, first=0):
        """`each` real messages for every user of the server."""
        paths = corpus.real_paths()
        plans = {}
        for number, user in enumerate(server.users):
            start = first + number * each
            chosen = [paths[(start + n) % len(paths)] for n in range(each)]
            plans[user] = fill.plan(start + 1, chosen, folders, deleted_share)
        return fill.fill_all(server, plans, folders=[("Leer", "Unterordner")])

    def job(self, source, target, pairs=None, **options):
        source = source if isinstance(source, Side) else Side(source)
        target = target if isinstance(target, Side) else Side(target)
        return Job(self.folder / "job", source, target, pairs or self.twins.items(), **options)

    def snapshots(self, server, alter=None):
        result = {}
        for user in server.users:
            with server.connect(user) as client:
                result[user] = audit.snapshot(client, alter)
        return result

    def assert_exact(self, source, target, rules=None, alter=None, users=None):
        """Every mailbox of the source is at the target, item by item."""
        items = 0
        for user in users or source.users:
            with source.connect(user) as client:
                before = audit.snapshot(client, alter)
            items += sum(len(folder.items) for folder in before.values())
            with target.connect(self.twins[user]) as client:
                verdict = audit.compare(before, audit.snapshot(client), rules)
            self.assertTrue(verdict.exact, f"{user}: {verdict}")
        self.assertGreater(items, 0, "nothing was compared")

    def assert_unchanged(self, before, server):
        for user, mailbox in self.snapshots(server).items():
            self.assertEqual([], audit.source_changes(before[user], mailbox), user)
