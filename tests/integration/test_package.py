"""The Debian package: what is in it, and its life from installation to purge, in a folder."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from support.mailferry import program

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MAILFERRY_BUILD", "build/release")).resolve()
COMPLETION = ROOT / "packaging/completion/mailferry.bash"


def run(*command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def is_sanitized():
    return not re.search(r"^MAILFERRY_SANITIZE:STRING=$", (BUILD / "CMakeCache.txt").read_text(),
                         re.MULTILINE)


@unittest.skipIf(is_sanitized(), "nobody packages a sanitizer's build")
@unittest.skipUnless(os.geteuid() == 0, "installs as root, into a folder")
class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="mf-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", cls.folder)
        cls.package, = cls.folder.glob("*.deb")

    def setUp(self):
        self.root = self.folder / self.id().rpartition(".")[2]
        for name in ("etc", "var/lib/dpkg/updates", "var/lib/dpkg/info"):
            (self.root / name).mkdir(parents=True)
        (self.root / "var/lib/dpkg/status").touch()

    def dpkg(self, *words):
        return run("dpkg", f"--root={self.root}", "--force-script-chrootless", "--force-depends",
                   "--log=/dev/null", *words)

    def field(self, name):
        return run("dpkg-deb", "-f", self.package, name).strip()

    def test_what_is_in_it(self):
        run("dpkg-deb", "-x", self.package, self.root)
        for name in ("mailferry", "mailferryd"):
            said = run(self.root / "usr/bin" / name, "--version").strip()
            self.assertEqual(f"{name} {self.field('Version')}", said)
        depends = self.field("Depends")
        for library in ("libsqlite3-0", "liburing2", "libssl3", "libzstd1"):
            self.assertIn(library, depends)
        unit = (self.root / "usr/lib/systemd/system/mailferry.service").read_text()
        started = re.search(r"^ExecStart=/(\S+)", unit, re.MULTILINE)[1]
        self.assertTrue((self.root / started).is_file(), started)
        for page in ("man1/mailferry.1", "man5/mailferry.toml.5", "man8/mailferryd.8"):
            self.assertTrue((self.root / "usr/share/man" / page).is_file(), page)

    def test_from_installation_to_purge(self):
        said = self.dpkg("-i", self.package)
        self.assertIn("mailferry init --output /etc/mailferry", said)
        for group in ("mailferry", "mailferry-view", "mailferry-admin"):
            self.assertRegex((self.root / "etc/group").read_text(), rf"(?m)^{group}:")
        etc = self.root / "etc/mailferry"
        self.assertEqual(0o750, etc.stat().st_mode & 0o777)
        (etc / "mailferry.toml").write_text("# mine\n")
        spool = self.root / "var/lib/mailferry/spool"
        spool.mkdir(parents=True)
        (spool / "seg-00-0000000000000001.mfs").write_bytes(b"items on their way")

        self.assertNotIn("mailferry init", self.dpkg("-i", self.package), "an upgrade")
        self.assertEqual("# mine\n", (etc / "mailferry.toml").read_text())
        self.assertTrue(list(spool.iterdir()))
        self.dpkg("-r", "mailferry")
        self.assertFalse((self.root / "usr/bin/mailferry").exists())
        self.assertTrue(list(spool.iterdir()), "removing keeps the state")
        self.dpkg("-P", "mailferry")
        self.assertFalse(spool.exists() or etc.exists())


class Completion(unittest.TestCase):
    def complete(self, *words):
        script = (f'source {COMPLETION}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                  f'_mailferry; printf "%s\\n" "${{COMPREPLY[@]}}"')
        return run("bash", "-c", script, "bash", program("mailferry"), *words).split()

    def test_every_verb(self):
        verbs = re.findall(r"(?m)^  (\w+) {2,}\w",
                           run(program("mailferry"), "--help").partition("Subcommands:")[2])
        self.assertGreater(len(verbs), 10)
        self.assertLessEqual(set(verbs), set(self.complete("")))
        self.assertEqual(["status", "start"], self.complete("sta"))

    def test_values(self):
        self.assertEqual(["html"], self.complete("report", "--format", "h"))
        self.assertEqual(["failed"], self.complete("mailboxes", "--state", "f"))

    def test_every_option(self):
        for verb in ("init", "mailboxes", "items", "report", "estimate"):
            options = set(re.findall(r"(--[a-z-]+)", run(program("mailferry"), verb, "--help")))
            offered = set(self.complete(verb, "--"))
            self.assertLessEqual(options, offered | {"--help-all"}, verb)
