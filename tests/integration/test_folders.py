"""Folder names that one server takes and another refuses: nothing is lost, nothing is merged."""

from support import audit, servers
from support.case import FerryCase
from support.corpus import large_message
from support.fill import LAST_DATE, Message, fill
from support.mailferry import Side

# What Dovecot's sdbox takes as a name.
ODD = [("Trailing ",), (" Leading",), ("R&D",), ("&",), ("a&-b",), ("50% off",), ("*",),
       ("A\\B",), ('Say "when"',), (".hidden",), ("a..b",), ("chess.com", "kid"), ("chess.com",),
       ("x" * 200,), ("x" * 199 + "y",), ("ü" * 60,), ("日" * 80, "受信"), ("cur",), ("new", "tmp"),
       ("Ends.",), ("e\u0301",), ("é",), ("\u202eevil",), ("😀",), ("#news",), ("NIL",),
       ("con",), ("INBOX", "kid"), ("Inbox2",), ("{5}",), ("(a b)",), ("a_b",),
       ("a%b",), ("a*b",), ("x" * 255,)]
# What Cyrus takes and Dovecot refuses.
ODD_AT_CYRUS = [("~home",), ("~",), ("..",), ("a", ".."), ("dbox-Mails",), ("ü" * 120,),
                ("R&D",), ("Ends.",), (" Leading",), ("cur",), ("_home",)]


class Names(FerryCase):
    def setUp(self):
        super().setUp()
        self.with_users(1)

    def store(self, source, paths):
        """A message of its own in each folder, so that content tells which folder is which."""
        user, = self.users
        fill(source, user, [Message(path, large_message(600 + number, number), [], LAST_DATE)
                            for number, path in enumerate(paths)])

    def copy(self, source, target, paths, way=None):
        self.store(source, paths)
        before = self.snapshots(source)
        job = self.job(Side(source), Side(target, **(way or {})))
        outcome = job.copy()
        self.assert_status(0, outcome)
        self.assert_unchanged(before, source)
        names = self.compare(source, target, paths)
        again = job.copy()
        self.assert_status(0, again)
        self.assertEqual(0, again.items("stored"))
        self.assertEqual(names, self.compare(source, target, paths))
        return names

    def compare(self, source, target, paths):
        """Source path -> target path, by content: one folder each."""
        user, = self.users
        with source.connect(user) as one, target.connect(self.twins[user]) as other:
            before, after = audit.snapshot(one), audit.snapshot(other)
        names = {}
        for path, folder in before.items():
            if folder.items:
                found = [there for there, copy in after.items()
                         if copy.counter() == folder.counter()]
                self.assertEqual(1, len(found), f"{path} is at {found}")
                names[path], = found
        self.assertEqual(len(paths), len(names))
        held = [path for path, folder in after.items() if folder.items]
        self.assertEqual(sorted(names.values()), sorted(held))
        return names

    def test_sdbox_to_sdbox_keeps_every_name(self):
        source = self.server("source", mail_format="sdbox")
        target = self.server("target", mail_format="sdbox")
        names = self.copy(source, target, ODD)
        self.assertEqual({path: path for path in ODD}, names)

    def test_sdbox_to_maildir_with_dots(self):
        source = self.server("source", mail_format="sdbox")
        names = self.copy(source, self.server("target"), ODD)
        for path in (("Trailing ",), ("R&D",), ("*",), ('Say "when"',), ("é",), ("e\u0301",)):
            self.assertEqual(path, names[path])

    def test_sdbox_to_maildir_with_slashes(self):
        """It refuses every dot inside a name."""
        source = self.server("source", mail_format="sdbox")
        names = self.copy(source, self.server("target", separator="/"), ODD)
        self.assertEqual(("chess_com", "kid"), names[("chess.com", "kid")])

    def test_sdbox_to_prefixed_maildir(self):
        source = self.server("source", mail_format="sdbox")
        self.copy(source, self.server("target", prefix="INBOX.", separator="."), ODD)

    def test_sdbox_to_cyrus(self):
        source = self.server("source", mail_format="sdbox")
        self.copy(source, self.server("target", kind=servers.Cyrus), ODD)

    def test_sdbox_to_cyrus_with_dots_and_prefix(self):
        source = self.server("source", mail_format="sdbox")
        target = self.server("target", kind=servers.Cyrus, altnamespace=False,
                             unixhierarchysep=False)
        self.copy(source, target, ODD)

    def test_cyrus_to_sdbox(self):
        source = self.server("source", kind=servers.Cyrus)
        names = self.copy(source, self.server("target", mail_format="sdbox"), ODD_AT_CYRUS)
        self.assertNotEqual(names[("~home",)], names[("_home",)])

    def test_cyrus_to_maildir(self):
        self.copy(self.server("source", kind=servers.Cyrus), self.server("target"), ODD_AT_CYRUS)
