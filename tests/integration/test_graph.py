"""Microsoft 365 to Microsoft 365, against the simulator of its cloud."""

import collections
import os
import random
import re
import urllib.request

from support.case import KILLS, SEED, FolderCase
from support.graph import GraphSim
from support.graph_job import KINDS, GraphJob, House
from support.mailferry import Daemon, random_pauses
from support.process import wait_until

MAILBOXES = int(os.environ.get("MAILFERRY_TEST_GRAPH_MAILBOXES", "4"))
ITEMS = int(os.environ.get("MAILFERRY_TEST_GRAPH_ITEMS", "60"))


class GraphCase(FolderCase):
    """A source tenant with mail, calendars, contacts and tasks, and an empty one."""

    options = {}

    def setUp(self):
        super().setUp()
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

    def mailbox_pairs(self):
        return list(zip(self.source.mailboxes(), self.target.mailboxes(), strict=True))

    def assert_equal_mailboxes(self):
        for source, target in self.mailbox_pairs():
            wanted, there = self.sim.crossing(source), self.sim.crossing(target)
            self.assertTrue(wanted, f"nothing in {source}")
            self.assertFalse(wanted - there, f"missing in {target}")
            self.assertFalse(there - wanted, f"too many in {target}")

    def assert_clean(self, job):
        self.assertEqual({}, self.sim.violations())
        self.assertEqual([], self.sim.outgoing_mail())
        self.assert_no_secret(job)

    def assert_no_secret(self, job):
        secrets = [text.encode() for text in self.sim.secrets()]
        self.assertTrue(secrets)
        files = {path: path.read_bytes() for path in job.folder.rglob("*")
                 if path.is_file() and path.suffix != ".password"}
        filled = {path.name for path, data in files.items() if data}
        self.assertLessEqual({"copy.log", "ledger.sqlite", "stderr.log", "stdout.log"}, filled)
        for path, data in files.items():
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

    def test_the_source_changes_all_the_time(self):
        """Mail comes, moves, goes and is edited during the passes; the final one sees a still house."""
        self.houses(mailboxes=6, items=80)
        self.sim.set_options(latency_ms=3)
        self.sim.mutate(self.source.mailboxes(), 40, seed=7)
        passes = (f'name = "first"\nkinds = {KINDS}\nmail_since = "30d"',
                  f'name = "second"\nkinds = {KINDS}')
        job = self.job(passes=passes)
        self.assert_status(0, job.copy())
        self.assert_status(0, job.copy())
        changes = self.sim.mutate(self.source.mailboxes(), 0)
        self.assertTrue({"deliver", "move", "delete", "edit"} <= set(changes), changes)
        job.passes = (*passes, f'name = "final"\nkinds = {KINDS}')
        self.assert_status(0, job.write().copy())
        for source, target in self.mailbox_pairs():
            wanted, there = self.without_folders(source), self.without_folders(target)
            self.assertFalse(wanted - there, f"missing in {target}")
            # What was deleted at the source after it had been copied stays; nothing else does.
            self.assertLessEqual(sum((there - wanted).values()), changes["delete"])
            self.assertEqual(1, max(there.values()), "twice")
        again = job.copy()
        self.assertEqual(0, again.items("stored"), again.text())
        self.assert_clean(job)

    def without_folders(self, mailbox):
        """Items by content alone: what moved at the source stays where it was copied to."""
        sums = collections.Counter()
        for (_, content), count in self.sim.crossing(mailbox).items():
            sums[content] += count
        return sums

    def test_windows_take_mail_by_its_date_and_everything_else(self):
        self.houses(mailboxes=2)
        job = self.job(passes=(f'name = "first"\nkinds = {KINDS}\nmail_since = "7d"',))
        self.assert_status(0, job.copy())
        for source, target in self.mailbox_pairs():
            left = self.sim.crossing(source) - self.sim.crossing(target)
            self.assertFalse(self.sim.crossing(target) - self.sim.crossing(source))
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
        before = self.sim.crossing(target)
        inbox = [item for item in self.sim.items_of(source) if item["well_known"] == "inbox"]
        self.sim.change_item(source, inbox[0]["id"], "move", folder="archive")
        self.sim.change_item(source, inbox[1]["id"], "delete")
        outcome = job.copy()
        self.assert_status(0, outcome)
        # A move is a new state of the item, which takes the place of the older one.
        self.assertLessEqual(outcome.items("stored"), 1, outcome.text())
        self.assertEqual(before, self.sim.crossing(target))
        moved = next(item for item in self.sim.items_of(source)
                     if item["immutable_id"] == inbox[0]["immutable_id"])
        self.sim.change_item(source, moved["id"], "edit", seed=9)
        outcome = job.copy()
        self.assert_status(0, outcome)
        self.assertEqual(1, outcome.items("stored"), outcome.text())
        self.assertEqual(sum(before.values()), sum(self.sim.crossing(target).values()))
        self.assert_clean(job)

    def test_an_unchanged_pass_costs_one_request_a_folder(self):
        self.houses(mailboxes=1, items=40)
        source = self.source.mailboxes()[0]
        for number in range(25):
            self.sim.add_folder(source, f"Project {number}")
        job = self.job()
        self.assert_status(0, job.copy())
        folders = self.sim.dump(source, items=False)["folders"]
        self.sim.reset_counters()
        self.assert_status(0, job.copy())
        asked = [entry for entry in self.sim.requests()
                 if "/admin/exchange/" in entry["path"] and entry["mailbox"] == source]
        self.assertGreater(len(asked), 25)
        self.assertLessEqual(len(asked), len(folders) + 5, asked)


    def test_folders_that_cant_cross_are_listed(self):
        self.houses(mailboxes=2, items=10)
        for mailbox in self.source.mailboxes():
            self.sim.add_items(mailbox, 2, folder="outbox")
        job = self.job()
        outcome = job.copy()
        self.assert_status(0, outcome)
        listed = outcome.report["migrations"][0]["not_copied"]
        # The mailboxes speak different languages.
        outboxes = [entry for entry in listed if entry["reason"].startswith("outbox")]
        self.assertEqual([(1, 2), (1, 2)],
                         [(entry["mailboxes"], entry["items"]) for entry in outboxes], listed)

    def test_a_pair_of_one_and_the_same_mailbox_is_refused(self):
        self.houses(mailboxes=1, items=10)
        user = self.source.users[0]
        before = self.sim.dump(user["mailbox"])
        job = GraphJob(self.folder / "job", self.source, self.source,
                       pairs=[(user["name"], user["id"])])
        outcome = job.copy()
        self.assertEqual(2, outcome.status, outcome.text())
        self.assertIn("one and the same mailbox", outcome.stderr)
        self.assertEqual(before, self.sim.dump(user["mailbox"]))


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
        self.assertGreater(peak, 0)


class Limits(GraphCase):
    def test_the_limit_that_binds_is_shown_in_status_and_metrics(self):
        self.houses(mailboxes=1, items=0)
        self.sim.add_items(self.source.mailboxes()[0], 8, kind="attachment", bytes=600_000,
                           folder="inbox")
        # 1.5 MB in five minutes: one item, then a long wait.
        job = self.job(tenant_lines="throttle_scale = 0.01")
        client = next(iter(self.target.secrets))

        def look():
            """The target's app, once it is known until when an upload waits: other limits hold
            back for a moment, and behind an upload under way the end of the wait isn't known."""
            admins = job.verb("status", "--json").report["admins"]
            found = next(one for one in admins if one["tenant"] == "contoso")
            uploads = any(limit["limit"] == "upload" for limit in found["limits"])
            return found if uploads and found["waits_for"] else None
        with Daemon(job) as daemon:
            status = wait_until(look, 60, "an upload that waits")
            self.assertRegex(status["waits_for"], f"waits for app {client} on mailbox .* "
                             r"until \d\d:\d\d:\d\d UTC \(upload\)")
            self.assertEqual("upload", status["limits"][0]["limit"])
            url = f"http://127.0.0.1:{job.metrics_port}/metrics"
            with urllib.request.urlopen(url, timeout=10) as reply:
                text = reply.read().decode()
            daemon.stop()
        labels = f'admin="{client}",limit="upload",tenant="contoso"'
        waiting = re.search(r"mailferry_requests_waiting\{%s\} (\S+)" % re.escape(labels), text)
        self.assertGreater(float(waiting[1]), 0)
        seconds = re.search(r"mailferry_limit_wait_seconds\{%s\} (\S+)" % re.escape(labels), text)
        self.assertTrue(0 < float(seconds[1]) <= 310, seconds[1])


class Faults(GraphCase):
    def test_lost_replies_and_server_trouble_make_no_second_copy(self):
        self.houses(mailboxes=2, items=80)
        self.sim.fault("drop-after-commit", path="importItem", nth=5)
        self.sim.fault("drop-after-commit", path="importItem", nth=31)
        self.sim.random_faults(0.02, seed=5)
        job = self.job()
        outcome = job.copy()
        self.assert_status(0, outcome)
        fired = self.sim.counters()["faults"]
        self.assertGreaterEqual(fired["drop-after-commit"], 2)
        self.assertGreater(len(fired), 1, fired)
        self.sim.clear_faults()
        self.assert_equal_mailboxes()
        self.assert_clean(job)

    def test_after_a_lost_reply_the_target_is_searched_not_listed(self):
        self.houses(mailboxes=1, items=120)
        self.sim.fault("drop-after-commit", path="importItem", nth=20)
        # Contacts have no date that could be searched for.
        job = self.job(passes=('name = "mail"\nkinds = ["mail"]',))
        self.assert_status(0, job.copy())
        self.assertEqual(1, self.sim.counters()["faults"]["drop-after-commit"])
        target = self.target.mailboxes()[0]
        looks = [entry["query"] for entry in self.sim.requests()
                 if entry["mailbox"] == target and entry["path"].endswith(("/items", "/delta"))
                 and entry["query"] != "$top=1"]  # The look at the app's rights.
        self.assertTrue(looks)
        for look in looks:
            self.assertIn("filter=single", look)
        job.passes = (f'name = "final"\nkinds = {KINDS}',)
        self.assert_status(0, job.write().copy())
        self.assert_equal_mailboxes()
        self.assert_clean(job)

    def test_a_service_that_wont_filter_is_listed(self):
        self.houses(mailboxes=1, items=60)
        self.sim.set_options(filter_extended=False)
        self.sim.fault("drop-after-commit", path="importItem", nth=20)
        job = self.job()
        self.assert_status(0, job.copy())
        self.assertEqual(1, self.sim.counters()["faults"]["drop-after-commit"])
        self.assert_equal_mailboxes()
        self.assert_clean(job)

    def test_short_tokens_and_sessions_and_an_expired_delta(self):
        self.houses(mailboxes=2)
        job = self.job()
        # A minute in a second: both end long before the program expects it.
        self.sim.set_clock(rate=60)
        self.sim.set_options(token_seconds=30, session_seconds=20, latency_ms=10)
        self.assert_status(0, job.copy())
        ended = self.sim.counters()["by_error"]
        self.assertGreater(ended["InvalidAuthenticationToken"], 0)
        self.assertGreater(ended["ErrorInvalidAuthenticationToken"], 0, "no session has ended")
        self.sim.set_clock(rate=1)
        self.sim.expire("delta")
        again = job.copy()
        self.assert_status(0, again)
        self.assertGreater(self.sim.counters()["by_error"]["SyncStateNotFound"], 0)
        self.assertEqual(0, again.items("stored"))
        self.assert_equal_mailboxes()
        self.assert_clean(job)

    def test_ten_kills(self):
        self.houses(mailboxes=2, items=120)
        self.sim.set_options(latency_ms=5)
        job = self.job()
        kills = cut_short = rounds = 0
        choose, pauses = random.Random(SEED), iter(random_pauses(SEED, 100, 0.1))
        while kills < KILLS:
            # In turn: among the items, and before the first of them.
            goal = self.imports() + (0 if kills % 2 else choose.randrange(1, 80))
            with job.start_copy() as run:
                wait_until(lambda: self.imports() >= goal or not run.running(), 60,
                           "the moment of the kill", 0.005)
                if run.kill_after(next(pauses)):
                    kills += 1
                    cut_short += self.partly_there()
                    continue
                self.assertEqual(0, run.outcome().status, run.outcome().text())
            rounds += 1  # All was copied: mail goes on arriving.
            self.sim.mutate(self.source.mailboxes(), 0, seed=rounds, now=200, kinds=["deliver"])
        self.assertGreater(cut_short, 0, "no kill came between the first item and the last")
        self.assert_status(0, job.copy())
        self.assert_equal_mailboxes()
        again = job.copy()
        self.assert_status(0, again)
        self.assertEqual(0, again.items("stored"))
        self.assertEqual({}, self.sim.violations())

    def imports(self):
        return self.sim.counters()["by_route"].get("importItem", 0)

    def partly_there(self):
        wanted, there = (sum((self.sim.crossing(mailbox) for mailbox in house.mailboxes()),
                             collections.Counter()) for house in (self.source, self.target))
        return bool(there and wanted - there)

    def test_wrong_secret_is_named(self):
        self.houses(mailboxes=1, items=3)
        for client in self.target.secrets:
            self.target.secrets[client] = "not the one"
        outcome = self.job().copy()
        self.assert_status(1, outcome)
        self.assert_failed_mailbox(outcome, self.source.users[0]["name"],
                                   "client secret is wrong")
        self.assertNotIn("not the one", outcome.text())

    def test_each_trouble_is_named_with_its_cure_and_costs_only_itself(self):
        self.houses(mailboxes=6, items=8)
        self.sim.set_options(item_bytes_max=1_000_000)
        full, unlicensed, *_, held, out_of_scope = self.target.mailboxes()
        self.sim.set_user(full, quota_bytes=2_000)
        self.sim.set_user(unlicensed, licensed=False)
        self.sim.set_user(held, hold=True)
        client, secret = next(iter(self.target.secrets.items()))
        self.sim.app(self.target.tenant, id=client, secret=secret,
                     mailboxes=[user["name"] for user in self.target.users[:5]])
        _, _, large, damaged, _, _ = self.source.mailboxes()
        self.sim.add_items(large, 1, kind="attachment", bytes=2_000_000, folder="inbox")
        self.sim.add_items(damaged, 1, kind="mail", corrupt=True, folder="inbox")
        outcome = self.job().copy()
        self.assert_status(1, outcome)
        names = [user["name"] for user in self.source.users]
        self.assert_failed_mailbox(outcome, names[0], "over_quota.*the mailbox is full")
        self.assert_failed_mailbox(outcome, names[1], "no mailbox \\(or no licence\\)")
        self.assert_failed_mailbox(outcome, names[5], "isn't in its scope")
        failures = {one["mailbox"]: one for one in outcome.failures()}
        self.assertEqual({names[2], names[3]}, set(failures))
        self.assertEqual("item_too_large", failures[names[2]]["reason"])
        self.assertEqual("item_damaged", failures[names[3]]["reason"])
        for one in [*failures.values(), *(outcome.mailboxes()[names[n]] for n in (0, 1, 5))]:
            self.assertTrue(one["next_step"], one)
        # A mailbox on hold takes what is new; what it protects isn't touched.
        self.assertEqual(self.sim.crossing(self.source.mailboxes()[4]), self.sim.crossing(held))
        for n in (2, 3):
            left = (self.sim.crossing(self.source.mailboxes()[n])
                    - self.sim.crossing(self.target.mailboxes()[n]))
            self.assertEqual(1, sum(left.values()))

    def test_a_mailbox_that_is_missing_costs_only_itself(self):
        self.houses(mailboxes=2, items=10)
        pairs = [(a["name"], b["name"]) for a, b in zip(self.source.users, self.target.users)]
        pairs.append(("nobody@fabrikam.onmicrosoft.com", "nobody@contoso.onmicrosoft.com"))
        outcome = self.job(pairs=pairs).copy()
        self.assert_status(1, outcome)
        self.assert_equal_mailboxes()
        self.assert_failed_mailbox(outcome, "nobody@fabrikam.onmicrosoft.com", "no mailbox")
