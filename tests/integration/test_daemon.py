"""The service: readiness, control socket, metrics, reload, clean stop."""

import json
import shutil
import signal
import stat
import subprocess
import urllib.request

from support import corpus, fill
from support.case import FerryCase
from support.mailferry import Daemon, Side, call, program
from support.process import wait_until


class Service(FerryCase):
    def setUp(self):
        super().setUp()
        self.source = self.server("source")
        self.target = self.server("target", mail_format="sdbox")
        self.fill(self.source, 60)
        self.ferry = self.job(self.source, self.target,
                              passes=('name = "first"\nmail_since = "2025-01-01"',
                                      'name = "final"'))
        self.daemon = None

    def start(self):
        self.daemon = Daemon(self.ferry)
        self.addCleanup(self.daemon.__exit__)
        return self.daemon

    def ask(self, *words, status=0):
        outcome = self.ferry.verb(*words)
        self.assertEqual(status, outcome.status, f"{words}: {outcome.text()}")
        return outcome

    def state_of(self, name):
        """The state of a pass, wherever `passes --json` keeps the list."""
        answer = self.ask("passes", "--json").report
        entries = answer["passes"] if isinstance(answer, dict) else answer
        entry, = (one for one in entries if name in (one.get("name"), one.get("pass")))
        return entry["state"]

    def wait_done(self, name, seconds=120):
        wait_until(lambda: self.state_of(name) == "done", seconds, f"pass {name} done", 0.2)

    def test_a_full_mailbox_waits_and_goes_on_by_itself(self):
        """Room is made in mid-pass: no start, no retry."""
        victim = list(self.users)[0]
        small = self.server("target_small", users=dict(self.target.users), mail_format="sdbox",
                            quota_bytes={self.twins[victim]: 60_000})
        self.ferry = self.job(self.source, small, daemon='quota_interval = "1s"')
        self.start()
        others = [user for user in self.users if user != victim]
        states = lambda: {one["source"]: one["state"]
                          for one in self.ask("mailboxes", "--json").report["mailboxes"]}
        wait_until(lambda: all(states()[user] == "done" for user in others), 60, "the others")
        entry = self.ask("mailbox", victim, "--json").report
        wait_until(lambda: "quota" in json.dumps(self.ask("mailbox", victim, "--json").report), 30,
                   f"the reason: {entry}")
        self.assertNotEqual("failed", states()[victim])
        small.set_quota(self.twins[victim], 1 << 30)
        self.wait_done("final")
        self.assert_exact(self.source, small)

    def test_status_names_what_stands_in_the_way(self):
        """A refused admin and a failed mailbox, in the words of status, mailboxes and report."""
        self.ferry = self.job(self.source, Side(self.target, passwords={
            admin: "not-the-one-4711" for admin in self.target.admins}))
        self.start()
        wait_until(lambda: self.state_of("final") == "failed", 60, "the pass")
        refused = [admin["waits_for"] for admin in self.ask("status", "--json").report["admins"]
                   if admin["tenant"] == "contoso"]
        self.assertEqual(len(self.target.admins), len(refused))
        for reason in refused:
            self.assertRegex(reason, "login_refused")
        self.assertRegex(self.ask("status").stdout, "login_refused")
        mailboxes = self.ask("mailboxes", "--state", "failed", "--json").report["mailboxes"]
        self.assertEqual(set(self.users), {one["source"] for one in mailboxes})
        for one in mailboxes:
            self.assertRegex(one["error"], "login_refused")
        report = self.ferry.verb("report")
        self.assertRegex(report.stdout, "(?i)password")
        self.assertNotIn("4711", report.stdout + self.ask("status").stdout)

    def test_two_passes_from_start_to_report(self):
        """The passes run in their order by themselves; `start` runs one again."""
        self.start()
        self.wait_done("first")
        self.wait_done("final")
        self.assert_exact(self.source, self.target)
        self.reading_verbs()
        fill.fill(self.source, next(iter(self.users)),
                  fill.plan(8, corpus.real_paths()[:9], [("INBOX",)]))
        self.ask("start", "final")
        self.wait_done("final")
        self.assert_exact(self.source, self.target)
        self.ask("shutdown")
        self.assertEqual(0, self.daemon.wait(30).status)

    def reading_verbs(self):
        user = next(iter(self.users))
        for words in (["status"], ["passes"], ["mailboxes"], ["mailbox", user], ["report"]):
            self.assertTrue(self.ask(*words).stdout.strip(), words)
            self.assertIsNotNone(self.ask(*words, "--json").report, words)
        self.assertIn(user, self.ask("mailboxes", "--state", "done").stdout)
        self.assertNotIn(user, self.ask("mailboxes", "--state", "failed").stdout)
        report = self.ask("report", "--format", "json").report
        self.assertEqual(0, report["exit_status"])
        self.assertEqual(240, sum(one["items"]["stored"] for one in
                                  report["migrations"][0]["passes"]))
        self.assertIn("source", self.ask("report", "--format", "csv").stdout.splitlines()[0])

    def test_pause_resume_cancel(self):
        self.start()
        self.ask("pause", "final")
        wait_until(lambda: self.state_of("final") in ("paused", "done"), 30, "paused", 0.1)
        self.wait_done("first")
        if self.state_of("final") == "paused":
            self.ask("resume", "final")
        self.wait_done("final")
        self.assert_exact(self.source, self.target)
        fill.fill(self.source, next(iter(self.users)),
                  fill.plan(8, corpus.real_paths()[:50], [("INBOX",)]))
        self.ask("start", "first")
        self.ferry.verb("cancel", "first")  # It may have ended by itself.
        wait_until(lambda: self.state_of("first") in ("cancelled", "done"), 30, "cancelled", 0.1)
        outcome = self.ferry.verb("start", "no-such-pass")
        self.assertNotEqual(0, outcome.status)
        self.assertIn("no-such-pass", outcome.stdout + outcome.stderr)

    def test_socket_speaks_http(self):
        self.start()
        mode = self.ferry.socket.stat().st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(0, mode & 0o007, "the socket is open to everybody")
        code, body = self.curl("/v1/status")
        self.assertEqual("200", code, body)
        self.assertIn(json.loads(body)["state"], ("running", "idle"))
        self.assertEqual("404", self.curl("/v1/nothing-here")[0])

    def curl(self, path):
        done = subprocess.run(["curl", "-sS", "--unix-socket", str(self.ferry.socket), "-w",
                               "\n%{http_code}", f"http://localhost{path}"],
                              capture_output=True, text=True, timeout=30)
        self.assertEqual(0, done.returncode, done.stderr)
        body, _, code = done.stdout.rpartition("\n")
        return code, body

    def test_metrics(self):
        self.start()
        self.wait_done("final")
        url = f"http://127.0.0.1:{self.ferry.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
        self.assertRegex(text, r"(?m)^# TYPE mailferry_\w+ counter")
        self.assertRegex(text, r"(?m)^mailferry_\w*stored\w*(\{[^}]*\})? 240(\.0)?$")
        if shutil.which("promtool"):
            done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                                  capture_output=True)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_reload(self):
        self.start()
        good = self.ferry.config.read_text()
        self.ferry.config.write_text(good + '[[migration.merger.pass]]\nname = "later"\n')
        self.daemon.signal(signal.SIGHUP)
        wait_until(lambda: "later" in self.ferry.verb("passes").stdout, 15, "the new pass", 0.2)
        self.ferry.config.write_text(good.replace("memory_max", "memroy_max"))
        outcome = self.ferry.verb("reload")
        self.assertNotEqual(0, outcome.status)
        self.assertRegex(outcome.stdout + outcome.stderr, r"ferry\.toml:\d+: .*memroy_max")
        self.assertTrue(self.daemon.running())
        self.ask("status")

    def test_sigterm_stops_cleanly_and_the_next_start_goes_on(self):
        self.start()
        self.assertIn(self.daemon.stop().status, (0, 4))
        self.assertTrue(self.daemon.told("STOPPING=1"))
        self.assertFalse(self.ferry.socket.exists())
        self.start()
        self.wait_done("final")
        self.assert_exact(self.source, self.target)

    def test_killed_service_goes_on(self):
        self.start().kill()
        self.start()  # The socket file of the dead one is in the way, and must not matter.
        self.wait_done("final")
        self.assert_exact(self.source, self.target)

    def test_second_service_on_one_state_is_refused(self):
        self.start()
        for command in (["mailferryd"], ["mailferry", "copy"]):
            outcome = call([program(command[0]), *command[1:], "--config", self.ferry.config],
                           self.folder, 30)
            self.assertNotIn(outcome.status, (0, 1, 3), f"{command}: {outcome.text()}")
            self.assertRegex(outcome.stdout + outcome.stderr, "(?i)in use|lock|another|already")
        self.ask("status")

    def test_daemon_is_not_there(self):
        for words in (["status"], ["passes", "--json"], ["start", "final"], ["shutdown"]):
            self.ask(*words, status=3)
        outcome = call([program("mailferry"), "--config", self.ferry.config, "status"], self.folder)
        self.assertEqual(3, outcome.status, outcome.text())
