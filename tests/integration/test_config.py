"""Wrong configurations: every problem as file:line: message, exit status 2, nothing started."""

import re
import time
from types import SimpleNamespace

from support.case import FerryCase
from support.mailferry import Side, call, program

USERS = {"ada@fabrikam.example": "x", "bo@fabrikam.example": "y"}


class Check(FerryCase):
    def setUp(self):
        super().setUp()
        self.users = USERS
        self.twins = {user: user.replace("fabrikam", "contoso") for user in USERS}
        # Nobody listens on these: a check connects to nothing.
        self.near = SimpleNamespace(port=1, tls_port=2, certs=None, admins={"migrate1": "first"},
                                    users=USERS, folder=self.folder / "near")
        self.far = SimpleNamespace(port=3, tls_port=4, certs=None, admins={"migrate2": "second"},
                                   users={}, folder=self.folder / "far")
        self.ferry = self.job(Side(self.near), Side(self.far))
        self.good = self.ferry.config.read_text()

    def refused(self, file, *patterns):
        """Each pattern must be in a line `file:LINE: ...` of every program's output."""
        commands = ([program("mailferryd"), "--config", self.ferry.config, "--check"],
                    [program("mailferryd"), "--config", self.ferry.config],
                    [program("mailferry"), "copy", "--config", self.ferry.config])
        for command in commands:
            outcome = call(command, self.ferry.folder, 30)
            self.assertEqual(2, outcome.status, outcome.text())
            lines = (outcome.stdout + outcome.stderr).splitlines()
            for pattern in patterns:
                wanted = re.compile(rf"{re.escape(file)}:\d+: .*(?:{pattern})", re.I)
                self.assertTrue(any(wanted.search(line) for line in lines),
                                f"no line {wanted.pattern}: {outcome.text()}")
            self.assertFalse(self.ferry.state_dir.exists(), "something was started")

    def configure(self, old, new):
        self.assertIn(old, self.good)
        self.ferry.config.write_text(self.good.replace(old, new))

    def mapping(self, data):
        path = self.ferry.folder / "merger.csv"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())

    def test_good_configuration(self):
        outcome = self.ferry.check()
        self.assertEqual(0, outcome.status, outcome.text())
        self.assertFalse(self.ferry.state_dir.exists())

    def test_all_problems_at_once(self):
        self.configure('memory_max = "64MiB"', 'memory_max = "64 parsecs"\nmemroy = 1')
        self.ferry.config.write_text(self.ferry.config.read_text().replace(
            'target = "contoso"', 'target = "nowhere"'))
        self.refused("ferry.toml", "memory_max", "memroy", "nowhere")

    def test_not_toml(self):
        self.ferry.config.write_text("[daemon\nstate_dir = 'x'\n")
        self.refused("ferry.toml", ".")

    def test_line_numbers_are_right(self):
        self.configure('tls = "none"', 'tls = "sometimes"')
        lines = self.ferry.config.read_text().splitlines()
        numbers = [n for n, line in enumerate(lines, 1) if "sometimes" in line]
        outcome = self.ferry.check()
        for number in numbers:
            self.assertIn(f"ferry.toml:{number}: ", outcome.stdout + outcome.stderr)

    def test_password_in_the_file(self):
        self.configure('auth = "plain"', 'auth = "plain"\npassword = "Tr0ub4dor"')
        self.refused("ferry.toml", "password")
        outcome = self.ferry.check()
        self.assertNotIn("Tr0ub4dor", outcome.stdout + outcome.stderr)

    def test_password_file_that_others_can_read(self):
        (self.ferry.folder / "fabrikam-migrate1.password").chmod(0o644)
        self.refused("ferry.toml", "fabrikam-migrate1.password")

    def test_password_file_missing(self):
        (self.ferry.folder / "contoso-migrate2.password").unlink()
        self.refused("ferry.toml", "contoso-migrate2.password")

    def test_plaintext_beyond_loopback(self):
        self.configure('host = "localhost"', 'host = "imap.fabrikam.example"')
        self.refused("ferry.toml", "clear|plaintext|loopback")

    def test_empty_window(self):
        self.configure('name = "final"', 'name = "final"\nmail_since = "2025-02-01T00:00:00Z"\n'
                       'mail_before = "2025-01-01T00:00:00Z"')
        self.refused("ferry.toml", "window|mail_since")

    def test_kinds_that_imap_has_not(self):
        self.configure('name = "final"', 'name = "final"\nkinds = ["mail", "calendar", "tasks"]')
        self.refused("ferry.toml", 'pass "final": calendar, tasks are not carried by imap')

    def test_swapped_columns(self):
        for name in ("fabrikam", "contoso"):
            text = self.ferry.config.read_text()
            self.ferry.config.write_text(re.sub(
                rf'(\[\[tenant.{name}.admin\]\]\nuser = "\w+)"', rf'\1@{name}.example"', text))
        self.assertEqual(0, self.ferry.check().status)
        self.mapping("".join(["source,target\n", *(f"{self.twins[user]},{user}\n"
                                                   for user in USERS)]))
        self.refused("merger.csv", "source and target are swapped")

    def test_configuration_missing(self):
        self.ferry.config.unlink()
        outcome = self.ferry.check()
        self.assertEqual(2, outcome.status, outcome.text())
        self.assertIn("ferry.toml", outcome.stdout + outcome.stderr)

    def test_mapping_problems(self):
        cases = {
            "unknown column": "source,target,colour\na@f.example,a@c.example,red\n",
            "source twice": "source,target\na@f.example,a@c.example\na@F.example,b@c.example\n",
            "target twice": "source,target\na@f.example,a@c.example\nb@f.example,a@C.Example\n",
            "no target column": "source\na@f.example\n",
            "empty cell": "source,target\na@f.example,\n",
            "open quote": 'source,target\n"a@f.example,b@c.example\n',
            "too many cells": "source,target\na@f.example,b@c.example,c\n",
            "no rows": "source,target\n",
        }
        for name, text in cases.items():
            with self.subTest(name):
                self.mapping(text)
                self.refused("merger.csv", ".")

    def test_mapping_dialects(self):
        cases = {
            "BOM and CRLF": b"\xef\xbb\xbfsource,target\r\na@f.example,a@c.example\r\n",
            "quoted": b'"source","target"\n"a@f.example","a@c.example"\n',
            "comments and blank lines": b"# pairs\nsource,target\n\na@f.example,a@c.example\n\n",
        }
        for name, data in cases.items():
            with self.subTest(name):
                self.mapping(data)
                outcome = self.ferry.check()
                self.assertEqual(0, outcome.status, outcome.text())

    def test_hundred_thousand_rows(self):
        rows = "".join(f"u{n}@fabrikam.example,u{n}@contoso.example\n" for n in range(100_000))
        self.mapping("source,target\n" + rows)
        started = time.monotonic()
        self.assertEqual(0, self.ferry.check().status)
        self.assertLess(time.monotonic() - started, 10)

    def test_usage(self):
        for words in (["no-such-verb"], ["copy"], ["copy", "--no-such-option"], []):
            outcome = call([program("mailferry"), *words], self.ferry.folder)
            self.assertEqual(2, outcome.status, f"{words}: {outcome.text()}")
