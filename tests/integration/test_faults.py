"""Each fault is named in the report, the others go on, and the exit status is 1."""

import os
import subprocess
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
        failures = [line for line in source.log().splitlines() if "auth failed" in line]
        self.assertEqual(1, len(failures), "\n".join(failures))
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
        # One try, and one with the admin's own mailbox: only that tells a wrong password from an
        # unknown mailbox. However many rows wait.
        failures = [line for line in target.log().splitlines() if "auth failed" in line]
        self.assertIn(len(failures), (1, 2), "\n".join(failures))
        self.assertNotIn("not this one", outcome.stdout + outcome.stderr)

    def test_one_admin_of_two_has_a_wrong_password(self):
        source, target = self.server("source"), self.server("target")
        self.fill(source, 20)
        outcome = self.job(Side(source, passwords={"migrate2": "wrong"}), Side(target)).copy()
        self.assertIn(outcome.status, (0, 1), outcome.text())
        self.assert_exact(source, target)
        self.assertIn("migrate2", outcome.stdout + outcome.stderr)

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
        for path in (job.state_dir / "quarantine").glob("item-*.eml"):
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
