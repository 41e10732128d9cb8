"""The oracle proves itself: the audit must see every kind of damage, and none where there is none.

Needs no build of the program: two servers are filled alike, then one is damaged by hand; and a
copy made by isync, another program, is judged.
"""

import re
import shutil
import subprocess
import unittest

from support import audit, fill
from support.case import FerryCase
from support.imap_client import decode_name, digest_of, encode_name


class AuditSeesDamage(FerryCase):
    def setUp(self):
        super().setUp()
        self.with_users(1)
        self.user, = self.users
        self.source = self.server("source")
        self.target = self.server("target", mail_format="sdbox")
        self.fill(self.source, 80)
        self.fill(self.target, 80)

    def kinds(self, *commands, folder="Sent"):
        with self.target.connect(self.twins[self.user]) as client:
            client.command(b"SELECT ", client.quoted(encode_name(folder)))
            for command in commands:
                command(client) if callable(command) else client.command(command)
        with self.source.connect(self.user) as source, \
                self.target.connect(self.twins[self.user]) as target:
            verdict = audit.compare(audit.snapshot(source), audit.snapshot(target))
        return verdict.kinds()

    def test_equal_mailboxes_are_exact(self):
        self.assertEqual({}, self.kinds())

    def test_lost_message(self):
        self.assertEqual({"missing": 1}, self.kinds(b"STORE 1 +FLAGS (\\Deleted)", b"EXPUNGE"))

    def test_doubled_message(self):
        def again(client):
            response, = client.command(b"FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])")
            values = dict(zip(response[2][::2], response[2][1::2]))
            flags = [flag for flag in values[b"FLAGS"] if flag != b"\\Recent"]
            client.append(b"Sent", [(flags, values[b"INTERNALDATE"], values[b"BODY[]"])])
        self.assertEqual({"duplicate": 1}, self.kinds(again))

    def test_flag_and_keyword(self):
        kinds = self.kinds(b"STORE 1 -FLAGS (\\Seen)", b"STORE 1 +FLAGS (\\Flagged Strange)")
        self.assertEqual({"date or flags altered": 1}, kinds)

    def test_one_byte_and_one_second(self):
        def replace(change_bytes, second):
            def run(client):
                response, = client.command(b"FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])")
                values = dict(zip(response[2][::2], response[2][1::2]))
                date = values[b"INTERNALDATE"]
                date = date[:18] + (b"00" if date[18:20] != b"00" else b"01") + date[20:] \
                    if second else date
                body = values[b"BODY[]"]
                body = body[:-3] + b"~" + body[-2:] if change_bytes else body
                flags = [flag for flag in values[b"FLAGS"] if flag != b"\\Recent"]
                client.command(b"STORE 1 +FLAGS (\\Deleted)")
                client.command(b"EXPUNGE")
                client.append(b"Sent", [(flags, date, body)])
            return run
        self.assertEqual({"bytes altered": 1}, self.kinds(replace(True, False)))
        self.assertEqual({"bytes altered": 1, "date or flags altered": 1},
                         self.kinds(replace(False, True)))

    def test_folders_and_subscriptions(self):
        self.assertEqual({"subscription": 1}, self.kinds(b'UNSUBSCRIBE "Archive/2023/Quartal 4"'))
        kinds = self.kinds(b'RENAME "Leer/Unterordner" "Leer/unterordner"')
        self.assertEqual(1, kinds["folder missing"])
        self.assertEqual(1, kinds["folder extra"])

    def test_message_in_another_folder(self):
        self.assertEqual({"missing": 1, "extra": 1}, self.kinds(b"MOVE 1 Drafts"))

    def test_touched_source_is_seen(self):
        before = self.snapshots(self.source)
        self.assert_unchanged(before, self.source)
        with self.source.connect(self.user) as client:
            client.command(b"SELECT INBOX")
            client.command(b"STORE 1 -FLAGS (\\Seen)" if "\\seen" in next(iter(
                before[self.user][("INBOX",)].items.values())).flags else
                b"STORE 1 +FLAGS (\\Seen)")
        changes = audit.source_changes(before[self.user], self.snapshots(self.source)[self.user])
        self.assertEqual(1, len(changes))


class OtherPrograms(FerryCase):
    @unittest.skipUnless(shutil.which("mbsync"), "isync isn't installed")
    def test_copy_by_isync(self):
        self.with_users(1)
        user, = self.users
        source, target = self.server("source"), self.server("target", mail_format="sdbox")
        self.fill(source, 150)
        self.mbsync(source, user, target, self.twins[user])
        with source.connect(user) as one, target.connect(self.twins[user]) as other:
            before, as_it_is = audit.snapshot(one), audit.snapshot(other)
            after = audit.snapshot(other, without_its_mark)
        kinds = audit.compare(before, as_it_is).kinds()
        self.assertEqual(150, kinds["bytes altered"] + kinds["missing"])
        lost = sum(any(flag[0] not in "\\" and flag != "$forwarded" for flag in item.flags)
                   for folder in before.values() for item in folder.items.values())
        kinds = audit.compare(before, after).kinds()
        self.assertEqual(lost, kinds.pop("date or flags altered"))
        self.assertLessEqual(kinds.keys(), {"subscription"})  # It subscribes to nothing.
        rules = audit.Rules(check_flags=False, check_subscriptions=False)
        self.assertTrue(audit.compare(before, after, rules).exact)

    def mbsync(self, source, user, target, twin):
        """isync copies system flags, dates and $Forwarded, no other keyword; it adds a header."""
        stores = []
        for name, server, address in (("far", source, user), ("near", target, twin)):
            secret = server.users[address].replace("\\", "\\\\").replace('"', '\\"')
            stores.append(f'IMAPAccount {name}\nHost 127.0.0.1\nPort {server.port}\n'
                          f'User {address}\nPass "{secret}"\nSSLType None\nAuthMechs LOGIN\n\n'
                          f'IMAPStore {name}\nAccount {name}\n')
        config = self.folder / "mbsyncrc"
        config.write_text("\n".join(stores) + f"\nChannel all\nFar :far:\nNear :near:\n"
                          f"Patterns *\nCreate Near\nSync Pull\nCopyArrivalDate yes\n"
                          f"SyncState {self.folder}/state-\n")
        done = subprocess.run(["mbsync", "-c", str(config), "-a"], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)


def without_its_mark(data):
    return re.sub(rb"(?m)^X-TUID: [^\r\n]*\r\n", b"", data, count=1)


class Names(unittest.TestCase):
    def test_modified_utf7(self):
        for name, wire in (("INBOX", b"INBOX"), ("Größe & Maß", b"Gr&APYA3w-e &- Ma&AN8-"),
                           ("日本語", b"&ZeVnLIqe-"), ("Emoji 😀", b"Emoji &2D3eAA-")):
            self.assertEqual(wire, encode_name(name))
            self.assertEqual(name, decode_name(wire))

    def test_dates_are_written_and_read_alike(self):
        for message in fill.plan(7, [b""] * 500):
            text = fill.date_time(message.received)
            self.assertEqual(int(message.received.timestamp()), audit.instant_of(text))

    def test_digest_is_blind_to_bare_line_feeds_only(self):
        self.assertEqual(digest_of(b"a\r\nb\r\n"), digest_of(b"a\nb\n"))
        self.assertNotEqual(digest_of(b"a\r\nb"), digest_of(b"a\r\nb\r\n"))


if __name__ == "__main__":
    unittest.main()
