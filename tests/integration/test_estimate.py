"""The dry run: what will move, how long it takes, what stands in the way; and that it writes nothing."""

import signal

from support.case import FerryCase
from support.graph import READ_ROLES, ROLES
from support.mailferry import Daemon, Run, call, program
from support.process import wait_until

from test_graph import GraphCase


def estimate(job, *words, json=True):
    command = [program("mailferry"), "--config", job.config, "estimate", *words]
    return call([*command, "--json"] if json else command, job.folder)


class BetweenImapServers(FerryCase):
    def setUp(self):
        super().setUp()
        self.source = self.server("source")
        self.target = self.server("target")

    def test_the_figures_are_those_of_the_copy(self):
        self.fill(self.source, 40)
        before = self.snapshots(self.source), self.snapshots(self.target)
        passes = ('name = "recent"\nmail_since = "2024-07-01"', 'name = "final"')
        job = self.job(self.source, self.target, passes=passes)
        outcome = estimate(job)
        self.assertEqual(0, outcome.status, outcome.text())
        migration = outcome.report["migrations"][0]
        self.assertEqual((4, 4), (migration["mailboxes"], migration["mailboxes_seen"]))
        self.assertEqual(160, migration["at_source"]["items"])
        self.assertEqual(0, migration["items_at_target"])
        self.assert_unchanged(before[0], self.source)
        self.assert_unchanged(before[1], self.target)
        self.assertFalse(job.state_dir.exists(), "nothing is written here either")

        copied = job.copy()
        self.assert_status(0, copied)
        new = [one["new"]["items"] for one in migration["passes"]]
        self.assertEqual([copied.items("stored", pass_number=n) for n in range(2)], new)
        self.assertTrue(all(new), "both passes have something to do")
        state = {path: path.read_bytes() for path in job.state_dir.rglob("*") if path.is_file()}
        again = estimate(job).report
        self.assertEqual(state, {path: path.read_bytes() for path in job.state_dir.rglob("*")
                                 if path.is_file()})
        self.assertEqual(160, again["migrations"][0]["items_at_target"])
        self.assertEqual(again["bytes_per_second"] > 0, again["rate_measured"])

    def test_what_stands_in_the_way_is_named_with_its_cure(self):
        self.fill(self.source, 3)
        pairs = [*self.twins.items(), ("nobody@fabrikam.example", "nobody@contoso.example")]
        job = self.job(self.source, self.target, pairs=pairs)
        outcome = estimate(job)
        self.assertEqual(1, outcome.status, outcome.text())
        named = {one["mailbox"] for one in outcome.report["migrations"][0]["problems"]}
        self.assertEqual({"nobody@fabrikam.example", "nobody@contoso.example"}, named)
        text = estimate(job, json=False)
        self.assertIn("What stands in the way", text.stdout)
        self.assertIn("No rate is known yet", text.stdout)
        self.assertIn("Read:    tenant fabrikam", text.stdout)

    def test_a_rate_gives_hours_and_the_window_that_fits(self):
        self.fill(self.source, 10)
        job = self.job(self.source, self.target)
        size = estimate(job).report["migrations"][0]["at_source"]["bytes"]
        per_hour = size // 3600 + 1
        text = estimate(job, "--rate", str(per_hour), "--hours", "2", json=False).stdout
        self.assertRegex(text, r'In 2 h at this rate: mail_since = "\d+d" fits')
        nothing = estimate(job, "--rate", "1B", "--hours", "1", json=False).stdout
        self.assertIn("not even the mail of the last day", nothing)

    def test_beside_the_service_it_takes_one_session_an_admin(self):
        self.fill(self.source, 2)
        job = self.job(self.source, self.target)
        with Daemon(job):
            outcome = estimate(job)
        self.assertEqual(0, outcome.status, outcome.text())
        self.assertTrue(outcome.report["beside_another"])

    def test_a_signal_ends_it_whatever_the_server_does(self):
        self.fill(self.source, 2)
        job = self.job(self.source, self.target)
        self.source.freeze()
        self.addCleanup(self.source.thaw)
        command = [program("mailferry"), "--config", job.config, "estimate", "--json"]
        with Run(command, job.folder) as run:
            wait_until(lambda: "Login:" in self.target.log() or not run.running(), 30,
                       "the first look at the target")
            run.signal(signal.SIGINT)
            outcome = run.wait(30)
        self.assertEqual(4, outcome.status, outcome.text())
        self.assertEqual(4, outcome.report["exit_status"])

    def test_usage(self):
        job = self.job(self.source, self.target)
        for words in (["--rate", "fast"], ["--hours", "0"]):
            self.assertEqual(2, estimate(job, *words).status)
        self.assertEqual(2, call([program("mailferry"), "estimate"], job.folder).status)


class BetweenTenants(GraphCase):
    def migration(self, status, **options):
        outcome = estimate(self.job(**options))
        self.assertEqual(status, outcome.status, outcome.text())
        return outcome.report["migrations"][0]

    def test_the_figures_are_those_of_the_copy(self):
        self.houses(mailboxes=2, items=40)
        self.sim.add_items(self.source.mailboxes()[0], 2, folder="outbox")
        before = [self.sim.dump(mailbox) for house in (self.source, self.target)
                  for mailbox in house.mailboxes()]
        found = self.migration(0)
        after = [self.sim.dump(mailbox) for house in (self.source, self.target)
                 for mailbox in house.mailboxes()]
        self.assertEqual(before, after)
        self.assertEqual({}, self.sim.violations())
        self.assertTrue([one for one in found["not_copied"] if one["items"] == 2])
        self.assertGreater(found["mailbox_bytes_per_second_max"], 300_000)
        copied = self.job().copy()
        self.assert_status(0, copied)
        self.assertEqual(copied.items("stored"), found["passes"][0]["new"]["items"])

    def test_each_missing_permission_is_named(self):
        for side, roles, probed in (("source", READ_ROLES, READ_ROLES[1:]),
                                    ("target", ROLES, ROLES[1:])):
            for missing in probed:
                with self.subTest(side=side, missing=missing):
                    self.sim.stop()
                    self.sim.start()
                    self.houses(mailboxes=1, items=2)
                    house = getattr(self, side)
                    for client, secret in house.secrets.items():
                        self.sim.app(house.tenant, id=client, secret=secret,
                                     roles=[role for role in roles if role != missing])
                    problems = self.migration(1)["problems"]
                    self.assertTrue([one for one in problems
                                     if f"lacks the permission {missing} " in one["reason"]],
                                    problems)

    def test_a_mailbox_without_a_licence_and_one_out_of_scope(self):
        self.houses(mailboxes=3, items=2)
        self.sim.set_user(self.target.mailboxes()[0], licensed=False)
        client, secret = next(iter(self.source.secrets.items()))
        allowed = [user["name"] for user in self.source.users[:2]]
        self.sim.app(self.source.tenant, id=client, secret=secret, roles=READ_ROLES,
                     mailboxes=allowed)
        found = self.migration(1)
        self.assertEqual((3, 1), (found["mailboxes"], found["mailboxes_seen"]))
        reasons = {one["mailbox"]: one["reason"] for one in found["problems"]}
        self.assertIn("licence", reasons[self.target.users[0]["name"]])
        self.assertIn("isn't in its scope", reasons[self.source.users[2]["name"]])
