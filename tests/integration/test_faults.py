"""Each fault is named in the report, the others go on, and the exit status is 1."""

import os
import subprocess
import threading
import unittest

from support import audit
from support.case import FerryCase
from support.corpus import large_message
from support.fill import Message, fill
from support.mailferry import Side

TLS = {"tls": "implicit"}


class Logins(FerryCase):
    def setUp(self):
        super().setUp()
        self.victim = list(self.users)[1]
        self.others = [user for user in self.users if user != self.victim]

    def test_wrong_password_of_one_user_is_tried_once(self):
        source, target = self.server("source"), self.server("target")
        self.fill(source, 20)
        side = Side(source, auth="user", passwords={self.victim: "wrong"})
        outcome = self.job(side, Side(target)).copy()
        self.assert_status(1, outcome)
        self.assert_failed_mailbox(outcome, self.victim, "(?i)login|password|credential")
        self.assert_exact(source, target, users=self.others)
        self.assertEqual(1, len(source.failed_logins()), "\n".join(source.failed_logins()))
        self.assertNotIn("wrong", outcome.stdout + outcome.stderr)

    def test_wrong_password_of_the_only_admin(self):
        source, target = self.server("source"), self.server("target")
        target.admins = {"migrate1": target.admins["migrate1"]}
        self.fill(source, 5)
        side = Side(target, passwords={"migrate1": "not this one"})
        outcome = self.job(Side(source), side).copy()
        self.assert_status(1, outcome)
        for user in self.users:
            self.assert_failed_mailbox(outcome, user, "(?i)login|password|credential")
        # However many rows wait.
        self.assertEqual(1, len(target.failed_logins()), "\n".join(target.failed_logins()))
        self.assertNotIn("not this one", outcome.stdout + outcome.stderr)

    def test_one_admin_of_two_has_a_wrong_password(self):
        source, target = self.server("source"), self.server("target")
        self.fill(source, 20)
        outcome = self.job(Side(source, passwords={"migrate2": "wrong"}), Side(target)).copy()
        self.assertIn(outcome.status, (0, 1), outcome.text())
        self.assert_exact(source, target)
        self.assertIn("migrate2", outcome.stdout + outcome.stderr)
        self.assertLessEqual(len(source.failed_logins()), 1, "\n".join(source.failed_logins()))

    def test_mailbox_unknown_at_the_target(self):
        source = self.server("source")
        known = {self.twins[user]: self.users[user] for user in self.others}
        target = self.server("target", known)
        self.fill(source, 20)
        outcome = self.job(source, target).copy()
        self.assert_status(1, outcome)
        self.assert_failed_mailbox(outcome, self.victim, "(?i)mailbox|login|authori")
        self.assert_exact(source, target, users=self.others)
        self.assertFalse((target.folder / "mail" / self.twins[self.victim]).exists())

    def first_row_unknown(self, **way):
        """The password is right: the other rows go on, by the only admin there is."""
        source = self.server("source")
        victim, *others = self.users
        known = {self.twins[user]: self.users[user] for user in others}
        target = self.server("target", known, **way.pop("options", {}))
        target.admins = {"migrate1": target.admins["migrate1"]}
        self.fill(source, 10)
        outcome = self.job(Side(source), Side(target, **way)).copy()
        self.assert_status(1, outcome)
        self.assert_failed_mailbox(outcome, victim, "mailbox_refused")
        self.assert_exact(source, target, users=others)
        self.assertEqual([], target.failed_logins())

    def test_the_first_row_is_unknown_by_authzid(self):
        self.first_row_unknown()

    def test_the_first_row_is_unknown_by_master_login(self):
        self.first_row_unknown(auth="login-master")

    def test_the_first_row_is_unknown_and_the_server_says_unavailable(self):
        """Dovecot without `result_success = continue` takes it for an error of its own."""
        self.first_row_unknown(options={"master_alone": True})


class Tokens(FerryCase):
    """XOAUTH2 with a token from a file that somebody else renews."""

    def setUp(self):
        super().setUp()
        self.source = self.server("source", oauth=True)
        self.source.admins = {}
        self.target = self.server("target")
        self.token_file = self.folder / "app.token"

    def write_token(self, seconds, domain="fabrikam.example"):
        fresh = self.token_file.with_suffix(".new")
        fresh.touch(0o600)
        fresh.write_text(self.source.token(domain, seconds) + "\n")
        fresh.rename(self.token_file)

    def job_by_token(self, **options):
        admin = f'[[tenant.fabrikam.admin]]\nuser = "app"\nauth = "xoauth2"\n' \
                f'token_file = "{self.token_file}"'
        return self.job(Side(self.source, more=admin), Side(self.target), **options)

    def test_a_whole_copy(self):
        self.fill(self.source, 60)
        self.write_token(3600)
        self.assert_status(0, self.job_by_token().copy())
        self.assert_exact(self.source, self.target)
        self.assertIn("method=XOAUTH2", self.source.log())

    def test_an_expired_token(self):
        self.fill(self.source, 3)
        self.write_token(-300)
        job = self.job_by_token()
        outcome = job.copy()
        self.assert_status(1, outcome)
        for user in self.users:
            self.assert_failed_mailbox(outcome, user, r"app\.token .*expired 5 min ago")
        self.assertEqual(1, len(self.source.failed_logins()))
        self.assertNotIn(self.token_file.read_text().strip(), outcome.stdout + outcome.stderr)
        self.write_token(3600)
        self.assert_status(0, job.copy())
        self.assert_exact(self.source, self.target)

    def test_a_token_that_is_renewed_from_outside(self):
        """A token ends in mid-copy and is renewed some seconds later: nobody fails."""
        self.with_users(30)
        self.source.users = self.users
        self.target.users = {self.twins[user]: secret for user, secret in self.users.items()}
        self.source.restart()
        self.target.restart()
        self.fill(self.source, 5)
        job = self.job_by_token()
        job.source.more += "\nmax_sessions = 2\nlogins_per_second = 3"
        self.write_token(5)
        renewal = threading.Timer(9, self.write_token, [3600])
        renewal.start()
        try:
            outcome = job.write().copy()
        finally:
            renewal.cancel()
        self.assert_status(0, outcome)
        self.assert_exact(self.source, self.target)
        refused = len(self.source.failed_logins())
        self.assertIn(refused, range(1, 5), "each session once, and a look at a good mailbox")


class Certificates(FerryCase):
    def refused(self, pattern, certificate="good", **side):
        source = self.server("source")
        target = self.server("target", certificate=certificate)
        self.fill(source, 3)
        outcome = self.job(Side(source, **TLS), Side(target, **{**TLS, **side})).copy()
        self.assert_status(1, outcome)
        for user in self.users:
            self.assert_failed_mailbox(outcome, user, pattern)
        self.assertNotIn("Login:", target.log())
        self.assertNotIn("auth failed", target.log())

    def test_expired(self):
        self.refused("(?i)expired", "expired")

    def test_expired_under_starttls(self):
        self.refused("(?i)expired", "expired", tls="starttls")

    def test_other_host(self):
        self.refused("(?i)host ?name|elsewhere.example|mismatch", "wrong-host")

    def test_unknown_authority(self):
        self.refused("(?i)self.signed|issuer|verify|trust|authority", "self-signed")

    def test_unknown_host(self):
        self.refused(r"(?i)no-such-host\.invalid", host="no-such-host.invalid")

    def test_nobody_listens(self):
        self.refused(r"(?i)refused|unreachable", port=1)

    def test_tls_asked_of_a_plain_port(self):
        source, target = self.server("source"), self.server("target")
        self.fill(source, 3)
        outcome = self.job(Side(source), Side(target, tls="implicit", port=target.port)).copy()
        self.assert_status(1, outcome)
        self.assertNotIn("auth failed", target.log())


class Refusals(FerryCase):
    def setUp(self):
        super().setUp()
        self.victim = list(self.users)[0]
        self.others = [user for user in self.users if user != self.victim]

    def failures_of(self, outcome, reason):
        found = [one for one in outcome.failures() if one["reason"] == reason]
        self.assertTrue(found, f"no failure {reason}: {outcome.text()}")
        return found

    def test_over_quota_goes_on_when_there_is_room(self):
        source = self.server("source")
        target = self.server("target", mail_format="sdbox",
                             quota_bytes={self.twins[self.victim]: 60_000})
        self.fill(source, 60)
        job = self.job(source, target)
        outcome = job.copy()
        self.assert_status(1, outcome)
        self.assert_failed_mailbox(outcome, self.victim, "(?i)quota")
        self.assert_exact(source, target, users=self.others)
        target.set_quota(self.twins[self.victim], 1 << 30)
        self.assert_status(0, job.copy())
        self.assert_exact(source, target)

    def test_message_too_large_for_the_target(self):
        source = self.server("source")
        target = self.server("target", message_bytes_max=100_000)
        self.fill(source, 20)
        fill(source, self.victim, [Message(("Groß",), large_message(size, size))
                                   for size in (90_000, 150_000, 99_000, 3_000_000, 50_000)])
        job = self.job(source, target)
        outcome = job.copy()
        self.assert_status(1, outcome)
        failures = self.failures_of(outcome, "item_too_large")
        self.assertLessEqual({150_000, 3_000_000}, {one["size"] for one in failures})
        self.assertEqual({"Groß"}, {one["folder"] for one in failures
                                    if one["size"] in (150_000, 3_000_000)})
        self.assertEqual(outcome.items("failed"), len(outcome.failures()))
        rules = audit.Rules(reported=audit.quarantined(job.state_dir))
        self.assert_exact(source, target, rules)
        exported = list((job.state_dir / "quarantine").glob("item-*.eml"))
        self.assertEqual(len(failures), len(exported))
        for path in exported:
            self.assertEqual(0o600, path.stat().st_mode & 0o777)

    def test_folder_refused_by_the_target(self):
        source = self.server("source", mail_format="sdbox")
        target = self.server("target", mail_format="sdbox")
        self.fill(source, 40, folders=[("INBOX",), ("Verboten",), ("Sent",)])
        target.refuse_folder(self.twins[self.victim], "Verboten")
        outcome = self.job(source, target).copy()
        self.assert_status(1, outcome)
        self.assertIn("Verboten", outcome.stdout)
        self.assertRegex(outcome.stdout, "folder_refused|(?i:folder.*refused)")
        self.assert_exact(source, target, users=self.others)
        with source.connect(self.victim) as one, target.connect(self.twins[self.victim]) as other:
            before, after = audit.snapshot(one), audit.snapshot(other)
        verdict = audit.compare(before, after, audit.Rules(exclude=("Verboten",)))
        self.assertTrue(verdict.exact, str(verdict))

    def test_folder_unreadable_at_the_source(self):
        source = self.server("source", mail_format="sdbox")
        target = self.server("target", mail_format="sdbox")
        self.fill(source, 40, folders=[("INBOX",), ("Kaputt",), ("Sent",)])
        source.lock_folder(self.victim, "Kaputt")
        outcome = self.job(source, target).copy()
        self.assert_status(1, outcome)
        self.assertIn("Kaputt", outcome.stdout)
        self.assert_exact(source, target, users=self.others)


class Disk(FerryCase):
    def setUp(self):
        super().setUp()
        self.state = self.folder / "small"
        self.state.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(self.state)],
                          capture_output=True).returncode != 0:
            raise unittest.SkipTest("no tmpfs can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.state)], check=True)

    def test_full_disk_is_named_and_the_next_run_goes_on(self):
        source, target = self.server("source"), self.server("target")
        self.fill(source, 60)
        fill(source, next(iter(self.users)),
             [Message(("Groß",), large_message(6_000_000, n)) for n in range(3)])
        os.chown(self.state, 0, 0)
        job = self.job(source, target, state_dir=self.state / "state")
        outcome = job.copy(timeout=120)
        self.assertEqual(1, outcome.status, outcome.text())
        self.assertRegex(outcome.stdout + outcome.stderr, "(?i)no space|disk.full|disk_full")
        subprocess.run(["mount", "-o", "remount,size=256m", str(self.state)], check=True)
        self.assert_status(0, job.copy())
        self.assert_exact(source, target)
