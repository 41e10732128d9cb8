"""The simulator's limits, faults and memory; and the vendor's own libraries against it."""

import http.client
import shutil
import threading
import time
import unittest

from support.graph import AppCertificate, run_witness
from support.graph_case import SimCase


class Limits(SimCase):
    items = 20

    def test_five_at_once(self):
        self.sim.set_options(latency_ms=400, retry_after_missing=0)
        replies = []
        threads = [threading.Thread(target=lambda: replies.append(
            self.source.get(f"{self.base}/folders"))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        refused = [one for one in replies if one.status == 429]
        self.assertEqual((4, 2), (len(replies) - len(refused), len(refused)), replies)
        for one in refused:
            self.assertEqual("ApplicationThrottled", one.code)
            self.assertIn("MailboxConcurrency", one.json["error"]["message"])
            self.assertTrue(1 <= int(one.headers["Retry-After"]) <= 10)
        other = f"/admin/exchange/mailboxes/{self.users[1]['mailbox']}/folders"
        self.assertEqual(200, self.source.get(other).status)
        self.assertEqual(6, self.sim.counters()["max_in_flight"])

    def test_requests_in_a_window(self):
        self.sim.set_options(throttle_scale=500)
        self.sim.set_clock(rate=0)
        statuses = [self.source.get(f"{self.base}/folders/inbox").status for _ in range(21)]
        self.assertEqual([200] * 20 + [429], statuses)
        reply = self.source.get(f"{self.base}/folders/inbox")
        self.assertEqual("600", reply.headers["Retry-After"])
        self.sim.advance(599)
        self.assertEqual(429, self.source.get(f"{self.base}/folders/inbox").status)
        self.assertEqual({"sent inside Retry-After": 1}, self.sim.violations())
        self.sim.advance(1)
        self.assertEqual(200, self.source.get(f"{self.base}/folders/inbox").status)

    def test_bytes_in_a_window(self):
        self.sim.set_clock(rate=0)
        large, = self.sim.add_items(self.users[0]["mailbox"], bytes=900_000)
        data = self.source.export(self.base, [large])[large]["data"]
        url = self.target.session(self.target_base)
        inbox = self.target.folder_id(self.target_base, "inbox")
        self.sim.set_options(throttle_scale=100)
        self.assertEqual(200, self.target.import_item(url, inbox, data).status)
        if len(data) < 1_500_000:
            self.assertEqual(200, self.target.import_item(url, inbox, data).status)
        reply = self.refused(self.target.import_item(url, inbox, data), 429)
        self.assertEqual("300", reply.headers["Retry-After"])
        self.assertEqual(200, self.target.get(f"{self.target_base}/folders").status)
        self.sim.advance(300)
        self.assertEqual(200, self.target.import_item(url, inbox, data).status)

    def test_directory_limit(self):
        self.sim.set_options(identity_limits=True, identity_units=20)
        self.sim.set_clock(rate=0)
        replies = [self.source.get("/users") for _ in range(11)]
        self.assertEqual([200] * 10 + [429], [one.status for one in replies])
        self.assertIn("x-ms-throttle-limit-percentage", replies[8].headers)
        self.assertIn("x-ms-throttle-scope", replies[10].headers)


class Faults(SimCase):
    items = 20

    def setUp(self):
        super().setUp()
        self.path = f"{self.base}/folders"

    def test_statuses_and_bodies(self):
        self.sim.fault("status", status=502, body="html", path="folders")
        reply = self.source.get(self.path)
        self.assertEqual((502, "text/html"), (reply.status, reply.headers["Content-Type"]))
        self.sim.fault("status", status=503, retryAfter="date", seconds=3)
        reply = self.source.get(self.path)
        self.assertEqual(503, reply.status)
        self.assertRegex(reply.headers["Retry-After"], "GMT$")
        self.sim.fault("throttle", retryAfter="0.5", nth=2)
        self.assertEqual([200, 429, 200], [self.source.get(self.path).status for _ in range(3)])

    def test_broken_replies(self):
        self.sim.fault("truncate")
        with self.assertRaises((ConnectionError, http.client.IncompleteRead)):
            self.source.get(self.path)
        self.sim.fault("drop-before")
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            self.source.get(self.path)
        self.sim.fault("corrupt-json")
        with self.assertRaises(ValueError):
            self.source.get(self.path).json
        self.sim.fault("trickle")
        self.assertEqual(200, self.source.get(self.path).status)
        fired = self.sim.counters()["faults"]
        self.assertEqual({"truncate": 1, "drop-before": 1, "corrupt-json": 1, "trickle": 1}, fired)

    def test_faults_in_an_import(self):
        one = self.sim.items_of(self.users[0]["mailbox"])[0]["id"]
        data = self.source.export(self.base, [one])[one]["data"]
        url = self.target.session(self.target_base)
        inbox = self.target.folder_id(self.target_base, "inbox")
        self.sim.fault("drop-in-body", path="importItem")
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            self.target.import_item(url, inbox, data)
        self.sim.fault("status", status=504, body="empty", path="importItem", afterSeconds=0.3)
        started = time.monotonic()
        self.assertEqual(504, self.target.import_item(url, inbox, data).status)
        self.assertGreater(time.monotonic() - started, 0.29)
        self.assertEqual([], self.sim.items_of(self.twins[0]["mailbox"]))
        self.assertEqual(200, self.target.import_item(url, inbox, data).status)

    def test_random_ones_are_about_as_many_as_asked(self):
        self.sim.random_faults(0.2, seed=4, kinds=["status", "throttle"])
        statuses = [self.source.get(self.path).status for _ in range(200)]
        self.assertTrue(20 <= sum(one != 200 for one in statuses) <= 60, statuses)
        self.sim.clear_faults()
        self.assertEqual(200, self.source.get(self.path).status)

    def test_log_holds_no_secret(self):
        self.source.export(self.base, [self.sim.items_of(self.users[0]["mailbox"])[0]["id"]])
        url = self.target.session(self.target_base)
        self.target.import_item(url, "x", "")
        log = repr(self.sim.requests())
        self.assertIn("authtoken=***", log)
        self.assertEqual([], [one for one in self.sim.secrets() if len(one) > 5 and one in log])


class Large(SimCase):
    """What an item weighs is never held as a whole by the simulator."""

    alone = True
    items = 0

    def test_memory(self):
        item, = self.sim.add_items(self.users[0]["mailbox"], bytes=140 << 20)
        before = self.sim.memory_kib()[1]
        data = self.source.export(self.base, [item])[item]["data"]
        self.assertGreater(len(data), 160 << 20)
        url = self.target.session(self.target_base)
        inbox = self.target.folder_id(self.target_base, "inbox")
        self.sim.set_options(item_bytes_max=200 << 20, throttle=False)
        self.assertEqual(200, self.target.import_item(url, inbox, data).status)
        self.assertLess(self.sim.memory_kib()[1] - before, 32 << 10)


@unittest.skipUnless(shutil.which("node") and shutil.which("npm"), "npm isn't installed")
class Witnesses(SimCase):
    """The vendor's own libraries, which were not written for this simulator."""

    items = 120

    def side(self, **credential):
        return {"tenant": self.source_tenant, "app": self.source_app, **credential}

    def test_sign_in(self):
        known = AppCertificate(self.class_folder, "known", days=30)
        other = AppCertificate(self.class_folder, "other", days=30)
        self.sim.app(self.source_tenant, id=self.source_app, certificate=known.certificate)

        def by(certificate, **thumbprint):
            return self.side(certificate={"privateKey": certificate.key.read_text(), **thumbprint})
        sides = {"secret": self.side(secret="from"), "wrong secret": self.side(secret="x"),
                 "PS256": by(known, thumbprintSha256=known.thumbprint("sha256")),
                 "RS256": by(known, thumbprint=known.thumbprint("sha1")),
                 "unknown": by(other, thumbprintSha256=other.thumbprint("sha256")),
                 "wrong key": by(other, thumbprintSha256=known.thumbprint("sha256"))}
        found = run_witness(self.sim, "sign_in.mjs", {"sides": sides})
        for name in ("secret", "PS256", "RS256"):
            self.assertEqual("ok", found[name], name)
        self.assertIn("AADSTS7000215", found["wrong secret"])
        self.assertIn("AADSTS700027", found["unknown"])
        self.assertIn("AADSTS700027", found["wrong key"])
        self.sim.advance(60 * 86400)
        found = run_witness(self.sim, "sign_in.mjs", {"sides": {"expired": sides["PS256"]}})
        self.assertIn("AADSTS700027", found["expired"])

    def test_two_mailboxes_move(self):
        self.sim.set_options(page_short=0.2, page_empty_last=0.3, delta_duplicate=0.3,
                             delta_empty_page=0.2)
        pairs = [[user["name"], twin["name"]] for user, twin in zip(self.users, self.twins)]
        moved = run_witness(self.sim, "move_items.mjs", {
            "source": self.side(secret="from"), "pairs": pairs,
            "target": {"tenant": self.target_tenant, "app": self.target_app, "secret": "to"}})
        self.assertEqual((240, 0), (moved["items"], moved["changed_since"]))
        for user, twin in zip(self.users, self.twins):
            self.assertEqual(self.sim.crossing(user["mailbox"]),
                             self.sim.crossing(twin["mailbox"]))
        self.assertEqual({}, self.sim.violations())
        self.assertEqual([], self.sim.outgoing_mail())

    def test_retry_handler_gets_through(self):
        self.sim.fault("throttle", count=2, path="items", retryAfter="1")
        self.sim.fault("status", status=503, path="items", retryAfter="2")
        found = run_witness(self.sim, "throttled.mjs", {"side": self.side(secret="from"),
                                                        "user": self.users[0]["name"]})
        inbox = [one for one in self.sim.items_of(self.users[0]["mailbox"])
                 if one["well_known"] == "inbox"]
        self.assertEqual(len(inbox), found["items"])
        self.assertGreater(found["seconds"], 3.9)
        self.assertEqual({}, self.sim.violations())


if __name__ == "__main__":
    unittest.main()
