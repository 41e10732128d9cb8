"""`mailferry init`, and the configurations in docs/examples: --check takes them once the secrets
are there."""

import os
import pty
import re
import select
import shutil
import subprocess
import time
from pathlib import Path

from support.case import FerryCase
from support.mailferry import call, program

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


class Configurations(FerryCase):
    def make_secrets(self, config):
        """Every file that the configuration names, as its operator would make it."""
        text = config.read_text()
        named = dict(re.findall(r'^\s*(\w+_file)\s*=\s*"([^"]+)"', text, re.M))
        for name in re.findall(r'^\s*(?:secret|password|token)_file\s*=\s*"([^"]+)"', text, re.M):
            path = config.parent / name
            path.touch(0o600)
            path.write_text("x\n")
        if "certificate_file" in named:
            self.make_certificate(config.parent / named["certificate_file"],
                                  config.parent / named["key_file"], days=365)

    def make_certificate(self, certificate, key, days):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-sha256", "-noenc",
                        "-days", str(days), "-subj", "/CN=mailferry", "-keyout", key, "-out",
                        certificate], check=True, capture_output=True, timeout=60)
        key.chmod(0o600)

    def check(self, config):
        return call([program("mailferryd"), "--config", config, "--check"], config.parent)

    def init(self, *words):
        return call([program("mailferry"), "init", *words], self.folder)


class Init(Configurations):
    def test_what_it_writes_passes_the_check(self):
        for protocol in ("imap", "graph"):
            for mailboxes in (1, 500, 501, 20_000):
                with self.subTest(protocol=protocol, mailboxes=mailboxes):
                    folder = self.folder / f"{protocol}-{mailboxes}"
                    done = self.init("--source-protocol", protocol, "--mailboxes", str(mailboxes),
                                     "--output", folder, "--yes")
                    self.assertEqual(0, done.status, done.text())
                    config = folder / "mailferry.toml"
                    self.assertEqual(2, self.check(config).status, "secrets are missing")
                    self.make_secrets(config)
                    checked = self.check(config)
                    self.assertEqual(0, checked.status, checked.text())
                    self.assertEqual(1 if mailboxes <= 500 else 5,
                                     config.read_text().count(".pass]]"))

    def test_values_of_init_are_pointed_out(self):
        self.init("--mailboxes", "9", "--output", self.folder, "--yes")
        config = self.folder / "mailferry.toml"
        self.make_secrets(config)
        checked = self.check(config)
        said = checked.stdout + checked.stderr
        self.assertEqual(4, said.count("is the one that init wrote: put in"), said)

    def test_never_overwrites(self):
        words = ("--mailboxes", "9", "--output", self.folder, "--yes")
        self.assertEqual(0, self.init(*words).status)
        before = (self.folder / "mailferry.toml").read_bytes()
        again = self.init(*words)
        self.assertEqual(2, again.status, again.text())
        self.assertIn("is there already", again.stderr)
        self.assertEqual(before, (self.folder / "mailferry.toml").read_bytes())

    def test_asks_nothing_without_a_terminal(self):
        done = self.init("--output", self.folder)
        self.assertEqual(2, done.status, done.text())
        self.assertIn("--source-protocol is missing", done.stderr)
        self.assertFalse((self.folder / "mailferry.toml").exists())

    def test_asks_on_a_terminal(self):
        """Each answer is typed when its question stands there."""
        answers = {"Source": "imap", "Target": "", "mailboxes will": "750", "Oldest": "",
                   "Name": "", "Folder": str(self.folder / "asked")}
        parent, child = pty.openpty()
        run = subprocess.Popen([program("mailferry"), "init"], stdin=child, stdout=child,
                               stderr=child, cwd=self.folder)
        os.close(child)
        said, end = "", time.monotonic() + 20
        for question, answer in answers.items():
            while not re.search(rf"{question}[^\n]*: $", said) and time.monotonic() < end:
                if select.select([parent], [], [], 1)[0]:
                    said += os.read(parent, 4096).decode()
            os.write(parent, f"{answer}\n".encode())
        self.assertEqual(0, run.wait(20), said)
        os.close(parent)
        self.assertIn("[migration.merger]", (self.folder / "asked/mailferry.toml").read_text())


class Examples(Configurations):
    def copied(self, name):
        for path in EXAMPLES.iterdir():
            shutil.copy(path, self.folder)
        return self.folder / name

    def test_every_example_passes_the_check(self):
        names = sorted(path.name for path in EXAMPLES.glob("*.toml"))
        self.assertIn("microsoft-365.toml", names)
        for name in names:
            with self.subTest(name):
                config = self.copied(name)
                self.make_secrets(config)
                checked = self.check(config)
                self.assertEqual(0, checked.status, checked.text())
                self.assertNotIn("warning", checked.stdout + checked.stderr)

    def microsoft_365(self, change=lambda text: text):
        config = self.copied("microsoft-365.toml")
        config.write_text(change(config.read_text()))
        self.make_secrets(config)
        return config

    def said(self, config, status):
        checked = self.check(config)
        self.assertEqual(status, checked.status, checked.text())
        return checked.stdout + checked.stderr

    def test_certificates(self):
        config = self.microsoft_365()
        certificate, key = self.folder / "fabrikam-app1.pem", self.folder / "fabrikam-app1.key"
        self.make_certificate(certificate, key, days=20)
        self.assertRegex(self.said(config, 0), r"warning: .*fabrikam-app1.pem expires on \d{4}-")
        self.make_certificate(certificate, self.folder / "other.key", days=90)
        self.assertIn("the key is another one than the certificate's", self.said(config, 2))
        self.make_certificate(certificate, key, days=90)
        key.chmod(0o640)
        self.assertIn("chmod 600", self.said(config, 2))

    def test_custom_domains(self):
        config = self.microsoft_365()
        rows = "".join(f"u{n}@fabrikam.com,u{n}@contoso.onmicrosoft.com,pilot\n"
                       for n in range(25))
        (self.folder / "microsoft-365.csv").write_text("source,target,wave\n" + rows)
        said = self.said(config, 0)
        self.assertEqual(10, said.count("is on a custom domain"), said)
        self.assertIn("15 more rows have a source on a custom domain", said)

    def test_swapped_pair(self):
        config = self.microsoft_365(lambda text: re.sub(
            r'tenant_id = "5f[^"]+"', 'tenant_id = "fabrikam.onmicrosoft.com"', re.sub(
                r'tenant_id = "b2[^"]+"', 'tenant_id = "contoso.onmicrosoft.com"',
                text.replace('source  = "fabrikam"', 'source  = "contoso"').replace(
                    'target  = "contoso"', 'target  = "fabrikam"'))))
        self.assertRegex(self.said(config, 2),
                         r"microsoft-365.csv:3: source and target are swapped")

    def test_two_ways_at_once(self):
        back = ('[migration.back]\nsource = "contoso"\ntarget = "fabrikam"\nmapping = "back.csv"\n'
                '[[migration.back.pass]]\nname = "back"\n')
        config = self.microsoft_365(lambda text: text + back)
        (self.folder / "back.csv").write_text(
            "source,target\nbernd.maier@contoso.onmicrosoft.com,bernd@fabrikam.onmicrosoft.com\n")
        said = self.said(config, 2)
        self.assertRegex(said, r"back.csv:2: source .* is the target of line 4 of")
        self.assertRegex(said, r"microsoft-365.csv:4: source .* is the target of line 2 of")

    def test_protocols_dont_mix(self):
        imap = ('[tenant.old]\nhost = "imap.example"\n[[tenant.old.admin]]\nuser = "a"\n'
                'password_file = "contoso-app1.secret"\n')
        config = self.microsoft_365(
            lambda text: text.replace('source  = "fabrikam"', 'source  = "old"') + imap)
        said = self.said(config, 2)
        self.assertIn("same protocol in this version: imap→imap, graph→graph", said)
        self.assertIn("contacts, calendar, tasks are not carried by imap", said)
