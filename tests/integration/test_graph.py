"""Microsoft 365 to Microsoft 365, against the simulator of its cloud."""

import os
import shutil
import tempfile
import unittest
from pathlib import Path

from support.certificates import Certificates
from support.graph import GraphSim
from support.graph_job import KINDS, GraphJob, House, crossing

MAILBOXES = int(os.environ.get("MAILFERRY_TEST_GRAPH_MAILBOXES", "4"))
ITEMS = int(os.environ.get("MAILFERRY_TEST_GRAPH_ITEMS", "60"))


class GraphCase(unittest.TestCase):
    """A source tenant with mail, calendars, contacts and tasks, and an empty one."""

    options = {}

    @classmethod
    def setUpClass(cls):
        cls.class_folder = Path(tempfile.mkdtemp(prefix="mf-graph-"))
        cls.certs = Certificates(cls.class_folder / "tls")

    @classmethod
    def tearDownClass(cls):
        if not os.environ.get("MAILFERRY_KEEP"):
            shutil.rmtree(cls.class_folder, ignore_errors=True)

    def setUp(self):
        self.folder = self.class_folder / self.id().rpartition(".")[2]
        self.folder.mkdir()
        self.sim = GraphSim(self.folder / "sim", self.certs, **self.options)
        self.addCleanup(self.sim.stop)
        self.sim.start()

    def houses(self, mailboxes=MAILBOXES, items=ITEMS, **more):
        self.source = House(self.sim, "fabrikam.onmicrosoft.com", source=True, **more)
        self.target = House(self.sim, "contoso.onmicrosoft.com", source=False, **more)
        self.source.seed(mailboxes, items)
        self.target.seed(mailboxes, 0, own_folders=False, seed=2)
        return self.source, self.target

    def job(self, **options):
        return GraphJob(self.folder / "job", self.source, self.target, **options)

    def assert_status(self, expected, outcome):
        self.assertEqual(expected, outcome.status, outcome.text())
        self.assertIsNotNone(outcome.report, f"no JSON report: {outcome.text()}")

    def crossing(self, mailbox):
        return crossing(self.sim, mailbox)

    def assert_equal_mailboxes(self):
        for source, target in zip(self.source.mailboxes(), self.target.mailboxes()):
            wanted, there = self.crossing(source), self.crossing(target)
            self.assertFalse(wanted - there, f"missing in {target}")
            self.assertFalse(there - wanted, f"too many in {target}")

    def assert_clean(self, job):
        self.assertEqual({}, self.sim.violations())
        self.assertEqual([], self.sim.outgoing_mail())
        self.assert_no_secret(job)

    def assert_no_secret(self, job):
        secrets = [text.encode() for text in self.sim.secrets()]
        self.assertTrue(secrets)
        for path in job.folder.rglob("*"):
            if not path.is_file() or path.suffix == ".password":
                continue
            data = path.read_bytes()
            for secret in secrets:
                self.assertNotIn(secret, data, f"a secret in {path.name}")


class Copy(GraphCase):
    def test_two_tenants_end_equal_and_a_second_copy_stores_nothing(self):
        self.houses()
        job = self.job()
        outcome = job.copy()
        self.assert_status(0, outcome)
        self.assert_equal_mailboxes()
        self.assertGreater(outcome.items("stored"), 0)
        again = job.copy()
        self.assert_status(0, again)
        self.assertEqual(0, again.items("stored"), again.text())
        self.assert_equal_mailboxes()
        self.assert_clean(job)

    def test_by_certificate(self):
        self.houses(mailboxes=1, items=10, certificate_folder=self.folder / "certificates")
        job = self.job()
        self.assert_status(0, job.copy())
        self.assert_equal_mailboxes()
        self.assert_clean(job)

    def test_later_passes_carry_changes(self):
        self.houses(mailboxes=2)
        job = self.job()
        self.assert_status(0, job.copy())
        self.sim.mutate(self.source.mailboxes(), 0, seed=3, now=60,
                        kinds=["deliver", "edit", "flag"])
        self.assert_status(0, job.copy())
        self.assert_equal_mailboxes()
        self.assert_clean(job)

    def test_windows_take_mail_by_its_date_and_everything_else(self):
        self.houses(mailboxes=2)
        job = self.job(passes=(f'name = "first"\nkinds = {KINDS}\nmail_since = "7d"',))
        self.assert_status(0, job.copy())
        for source, target in zip(self.source.mailboxes(), self.target.mailboxes()):
            left = self.crossing(source) - self.crossing(target)
            self.assertFalse(self.crossing(target) - self.crossing(source))
            mail = {item["logical"] for folder in self.sim.dump(source)["folders"]
                    if folder["class"] in ("IPF.Note", None, "") for item in folder["items"]}
            self.assertFalse({logical for _, logical in left} - mail)
            self.assertTrue(left)
        job.passes = (*job.passes, f'name = "final"\nkinds = {KINDS}')
        self.assert_status(0, job.write().copy())
        self.assert_equal_mailboxes()


    def test_moved_and_deleted_items_stay_as_they_are_at_the_target(self):
        self.houses(mailboxes=1, items=30)
        job = self.job()
        self.assert_status(0, job.copy())
        source, target = self.source.mailboxes()[0], self.target.mailboxes()[0]
        before = self.crossing(target)
        inbox = [item for item in self.sim.items_of(source) if item["well_known"] == "inbox"]
        self.sim.change_item(source, inbox[0]["id"], "move", folder="archive")
        self.sim.change_item(source, inbox[1]["id"], "delete")
        outcome = job.copy()
        self.assert_status(0, outcome)
        # A move is a new state of the item, which takes the place of the older one.
        self.assertLessEqual(outcome.items("stored"), 1, outcome.text())
        self.assertEqual(before, self.crossing(target))
        moved = next(item for item in self.sim.items_of(source)
                     if item["immutable_id"] == inbox[0]["immutable_id"])
        self.sim.change_item(source, moved["id"], "edit", seed=9)
        outcome = job.copy()
        self.assertEqual(1, outcome.items("stored"), outcome.text())
        self.assertEqual(sum(before.values()), sum(self.crossing(target).values()))
        self.assert_clean(job)

    def test_an_unchanged_pass_costs_one_request_a_folder(self):
        self.houses(mailboxes=1, items=40)
        source = self.source.mailboxes()[0]
        for number in range(25):
            self.sim.add_folder(source, f"Project {number}")
        job = self.job()
        self.assert_status(0, job.copy())
        folders = [folder for folder in self.sim.dump(source)["folders"]]
        self.sim.reset_counters()
        self.assert_status(0, job.copy())
        asked = [entry for entry in self.sim.requests()
                 if "/admin/exchange/" in entry["path"] and source in entry["path"]]
        self.assertLessEqual(len(asked), len(folders) + 5, asked)


class Large(GraphCase):
    # A single item of this size is more than the published budget of five minutes, and its stream
    # may be larger than what lies in the store.
    options = {"throttle": False, "item_bytes_max": 250_000_000}

    def test_items_of_150_mb_pass_through_little_memory(self):
        self.houses(mailboxes=1, items=5)
        count = int(os.environ.get("MAILFERRY_TEST_GRAPH_LARGE", "2"))
        self.sim.add_items(self.source.mailboxes()[0], count, kind="attachment", bytes=150_000_000,
                           folder="inbox")
        job = self.job(tenant_lines="throttle_scale = 1000")
        with job.start_copy() as run:
            outcome = run.wait(900)
            peak = run.peak_kib
        self.assert_status(0, outcome)
        self.assert_equal_mailboxes()
        self.assertLess(peak, 160 << 10)


class Faults(GraphCase):
    def test_lost_replies_and_server_trouble_make_no_second_copy(self):
        self.houses(mailboxes=2, items=80)
        self.sim.fault("drop-after-commit", path="importItem", nth=5)
        self.sim.fault("drop-after-commit", path="importItem", nth=31)
        self.sim.random_faults(0.02, seed=5)
        job = self.job()
        outcome = job.copy()
        self.assert_status(0, outcome)
        self.sim.clear_faults()
        self.assert_equal_mailboxes()
        self.assert_clean(job)

    def test_short_tokens_and_sessions_and_an_expired_delta(self):
        self.houses(mailboxes=2)
        job = self.job()
        self.sim.set_options(token_seconds=30, session_seconds=20)
        self.assert_status(0, job.copy())
        self.sim.expire("delta")
        again = job.copy()
        self.assert_status(0, again)
        self.assertEqual(0, again.items("stored"))
        self.assert_equal_mailboxes()
        self.assert_clean(job)

    def test_ten_kills(self):
        self.houses(mailboxes=2, items=120)
        self.sim.set_options(latency_ms=5)
        job = self.job()
        kills = 0
        while kills < int(os.environ.get("MAILFERRY_TEST_KILLS", "10")):
            with job.start_copy() as run:
                if not run.kill_after(0.4 + 0.13 * (kills % 7)):
                    self.assertEqual(0, run.outcome().status, run.outcome().text())
                    self.sim.mutate(self.source.mailboxes(), 0, seed=kills, now=40,
                                    kinds=["deliver"])
            kills += 1
        self.assert_status(0, job.copy())
        self.assert_equal_mailboxes()
        self.assertEqual({}, self.sim.violations())

    def test_wrong_secret_is_named(self):
        self.houses(mailboxes=1, items=3)
        for client in self.target.secrets:
            self.target.secrets[client] = "not the one"
        outcome = self.job().copy()
        self.assertEqual(1, outcome.status, outcome.text())
        self.assertRegex(outcome.text(), "secret")
        self.assertNotIn("not the one", outcome.text())

    def test_a_mailbox_that_is_missing_costs_only_itself(self):
        self.houses(mailboxes=2, items=10)
        pairs = [(a["name"], b["name"]) for a, b in zip(self.source.users, self.target.users)]
        pairs.append(("nobody@fabrikam.onmicrosoft.com", "nobody@contoso.onmicrosoft.com"))
        outcome = self.job(pairs=pairs).copy()
        self.assert_status(1, outcome)
        self.assert_equal_mailboxes()
        self.assertRegex(outcome.text(), "no mailbox")
