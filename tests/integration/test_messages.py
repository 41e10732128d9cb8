"""Messages of every awkward shape arrive, or are reported with the reason and exported."""

from support import audit, corpus, servers
from support.case import FerryCase
from support.fill import LAST_DATE, Message, fill
from support.raw_source import RawSource


class OddMessages(FerryCase):
    def copy(self, source, target, alter=None):
        job = self.job(source, target)
        outcome = job.copy()
        failures = outcome.failures()
        self.assert_status(1 if failures else 0, outcome)
        for failure in failures:
            self.assertTrue(failure["reason"] and failure["text"], failure)
        exported = audit.quarantined(job.state_dir)
        self.assertEqual(len(failures), sum(exported.values()), outcome.text())
        self.assert_exact(source, target, audit.Rules(reported=exported), alter)
        return failures

    def store(self, source):
        for user in source.users:
            fill(source, user, [Message(("Seltsames",), content, ["\\Seen"], LAST_DATE)
                                for content in corpus.odd_messages().values()])

    def test_dovecot_maildir_to_sdbox(self):
        source, target = self.server("source"), self.server("target", mail_format="sdbox")
        self.store(source)
        self.assertEqual([], self.copy(source, target))

    def test_dovecot_to_cyrus(self):
        source = self.server("source", mail_format="sdbox")
        target = self.server("target", kind=servers.Cyrus)
        self.store(source)
        failures = self.copy(source, target, audit.cyrus_keeps)
        self.assertTrue(failures, "Cyrus refuses messages without a header")

    def test_bytes_that_no_ordinary_source_hands_out(self):
        """NUL, bare LF and CR as they are, from a source that alters nothing."""
        self.with_users(1)
        source = RawSource(self.users, [Message(("INBOX",), content, ["\\Seen", "Eins"], LAST_DATE)
                                        for content in corpus.odd_messages().values()])
        self.addCleanup(source.stop)
        source.start()
        target = self.server("target", mail_format="sdbox")
        self.copy_raw(source, target, lambda data: data)

    def test_the_same_to_cyrus(self):
        self.with_users(1)
        source = RawSource(self.users, [Message(("INBOX",), content, ["\\Seen"], LAST_DATE)
                                        for content in corpus.odd_messages().values()])
        self.addCleanup(source.stop)
        source.start()
        self.copy_raw(source, self.server("target", kind=servers.Cyrus), audit.cyrus_keeps)

    def copy_raw(self, source, target, alter):
        job = self.job(source, target)
        outcome = job.copy()
        self.assert_status(1 if outcome.failures() else 0, outcome)
        exported = audit.quarantined(job.state_dir)
        user, = self.users
        with source.connect(user) as one, target.connect(self.twins[user]) as other:
            sent = audit.snapshot(one, alter)[("INBOX",)].counter()
            there = audit.snapshot(other, dovecot_nul)[("INBOX",)].counter()
            also = audit.snapshot(one, lambda data: dovecot_nul(alter(data)))[("INBOX",)].counter()
        for item, count in (also - there).items():
            self.assertGreaterEqual(exported[item.digest] + exported_of(sent, exported), count,
                                    f"{item} is neither there nor exported: {outcome.text()}")
        self.assertEqual(sum(sent.values()), sum(there.values()) + len(outcome.failures()))
        self.assertEqual(len(outcome.failures()), sum(exported.values()))


def exported_of(sent, exported):
    return sum(exported[item.digest] for item in sent)


def dovecot_nul(data):
    """Dovecot shows a stored NUL as 0x80, drops a last CR, and makes CR CR LF one line end."""
    data = data.replace(b"\0", b"\x80")
    while b"\r\r\n" in data:
        data = data.replace(b"\r\r\n", b"\r\n")
    return data[:-1] if data.endswith(b"\r") else data
