"""Whole copies between two real servers, compared item by item."""

from support import audit, corpus, fill
from support.case import FerryCase
from support.mailferry import Side


class Ways(FerryCase):
    """Storage formats, ways of TLS and of signing in."""

    def copy(self, source_options, target_options, source_way, target_way):
        source = self.server("source", **source_options)
        target = self.server("target", **target_options)
        self.fill(source, 60, deleted_share=0.05)
        before = self.snapshots(source)
        job = self.job(Side(source, **source_way), Side(target, **target_way))
        outcome = job.copy()
        self.assert_status(0, outcome)
        self.assert_exact(source, target)
        self.assert_unchanged(before, source)
        wanted = sum(1 for mailbox in before.values() for folder in mailbox.values()
                     for item in folder.items.values() if "\\deleted" not in item.flags)
        self.assertEqual(wanted, outcome.items("stored"))
        self.assertEqual(240 - wanted, outcome.items("left_out"))
        self.assertEqual([], outcome.failures())
        return job

    def test_maildir_to_sdbox_in_the_clear_by_authzid(self):
        self.copy({"mail_format": "maildir"}, {"mail_format": "sdbox"},
                  {"auth": "plain"}, {"auth": "plain"})

    def test_sdbox_to_maildir_by_implicit_tls(self):
        self.copy({"mail_format": "sdbox"}, {"mail_format": "maildir"},
                  {"tls": "implicit", "auth": "plain"}, {"tls": "implicit", "auth": "plain"})

    def test_prefixed_maildir_to_sdbox_by_starttls_and_master_login(self):
        self.copy({"mail_format": "maildir", "prefix": "INBOX.", "separator": "."},
                  {"mail_format": "sdbox"},
                  {"tls": "starttls", "auth": "login-master"},
                  {"tls": "starttls", "auth": "login-master"})

    def test_sdbox_to_prefixed_maildir_by_the_users_own_passwords(self):
        self.copy({"mail_format": "sdbox"},
                  {"mail_format": "maildir", "prefix": "INBOX.", "separator": "."},
                  {"tls": "starttls", "auth": "user"}, {"tls": "implicit", "auth": "user"})

    def test_maildir_to_maildir_with_separator_slash(self):
        self.copy({"mail_format": "maildir", "separator": "/"},
                  {"mail_format": "maildir", "separator": "."},
                  {"tls": "implicit", "auth": "user"}, {"auth": "login-master"})

    def test_compressed(self):
        self.copy({"mail_format": "sdbox"}, {"mail_format": "sdbox"},
                  {"tls": "implicit", "more": "compress = true"}, {"more": "compress = true"})


class Rules(FerryCase):
    def test_special_uses_decide_not_names(self):
        names = {"Gesendete Elemente": "\\Sent", "Entwürfe": "\\Drafts", "Papierkorb": "\\Trash",
                 "Spam": "\\Junk", "Ablage": "\\Archive"}
        source, target = self.server("source"), self.server("target", special_use=names)
        for user in target.users:
            fill.fill(target, user, [], [(name,) for name in names])
        self.fill(source, 60)
        self.assert_status(0, self.job(source, target).copy())
        self.assert_exact(source, target)

    def test_excluded_folders_stay_behind(self):
        source, target = self.server("source"), self.server("target")
        self.fill(source, 60)
        outcome = self.job(source, target,
                           migration='exclude_folders = ["Junk", "Trash", "Archive/2024"]').copy()
        self.assert_status(0, outcome)
        self.assert_exact(source, target, audit.Rules(exclude=("Junk", "Trash", "Archive/2024")))

    def test_deleted_messages_cross_without_their_mark(self):
        source, target = self.server("source"), self.server("target")
        self.fill(source, 60, deleted_share=0.3)
        self.assert_status(0, self.job(source, target, migration="copy_deleted = true").copy())
        self.assert_exact(source, target, audit.Rules(copy_deleted=True))

    def test_what_the_target_already_held_stays(self):
        source, target = self.server("source"), self.server("target")
        self.fill(source, 60)
        user = next(iter(self.users))
        fill.fill(target, self.twins[user], fill.plan(99, corpus.real_paths()[-5:], [("Eigenes",)]))
        self.assert_status(0, self.job(source, target).copy())
        with target.connect(self.twins[user]) as client:
            after = audit.snapshot(client)
        self.assertEqual(5, len(after.pop(("Eigenes",)).items))
        with source.connect(user) as client:
            verdict = audit.compare(audit.snapshot(client), after)
        self.assertTrue(verdict.exact, str(verdict))

    def test_a_separator_inside_a_name(self):
        """`chess.com` at a source with `/` can't keep its name where `.` separates."""
        source = self.server("source", mail_format="sdbox")
        target = self.server("target", mail_format="maildir", separator=".")
        self.fill(source, 40, folders=[("INBOX",), ("chess.com",), ("Spiele", "go.org")])
        self.assert_status(0, self.job(source, target).copy())
        for user in self.users:
            with source.connect(user) as one, target.connect(self.twins[user]) as other:
                before, after = audit.snapshot(one), audit.snapshot(other)
            self.assertNotIn(("chess", "com"), after)
            rest = {path: folder.counter() for path, folder in after.items()}
            for path, folder in before.items():
                self.assertIn(folder.counter(), rest.values(), path)


class Sessions(FerryCase):
    def test_a_target_that_allows_three_sessions(self):
        source = self.server("source")
        target = self.server("target", sessions_per_user=3)
        self.fill(source, 60)
        self.assert_status(0, self.job(Side(source), Side(target, max_sessions=8)).copy())
        self.assert_exact(source, target)

    def test_one_huge_folder_is_split_over_sessions(self):
        self.with_users(1)
        source, target = self.server("source"), self.server("target", mail_format="sdbox")
        self.fill(source, 3000, folders=[("INBOX",)])
        before = source.log().count("Login: user=<user000@fabrikam.example>")
        self.assert_status(0, self.job(source, target).copy())
        logins = source.log().count("Login: user=<user000@fabrikam.example>") - before
        self.assertGreater(logins, 1, "one session read it all")
        self.assert_exact(source, target)

    def test_hundred_mailboxes(self):
        self.with_users(100)
        source, target = self.server("source"), self.server("target")
        self.fill(source, 5, folders=[("INBOX",), ("Sent",)])
        self.assert_status(0, self.job(source, target).copy())
        self.assert_exact(source, target)


class Passwords(FerryCase):
    def test_hostile_passwords(self):
        secrets = ['"', "\\", "a b", " trailing ", "*", "%d", "$HOME", "`id`", "(x", "{5}",
                   "{5+}", ":",
                   "ü§€😀", "'", "a,b;c", "=cmd", "x" * 200, "NIL", "]", "\\\"", "über alles"]
        self.users = {f"p{n}@fabrikam.example": secret for n, secret in enumerate(secrets)}
        self.twins = {user: user.replace("fabrikam", "contoso") for user in self.users}
        source, target = self.server("source"), self.server("target")
        self.fill(source, 2, folders=[("INBOX",)])
        for user in self.users:
            source.connect(user).close()  # The servers know these passwords.
        outcome = self.job(Side(source, auth="user"), Side(target, auth="user")).copy()
        self.assert_status(0, outcome)
        self.assert_exact(source, target)
