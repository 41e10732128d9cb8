"""The simulator of Microsoft's cloud keeps the contract of its calls.

Needs no mailferry: what is wrong here would be wrong in every test that uses the simulator.
"""

import base64
import gzip
import http.client
import json
import time
import unittest

from support.graph import READ_ROLES
from support.graph_case import SMOOTH, SimCase
from support.graph_client import GraphClient


class Tokens(SimCase):
    items = 0

    def sign_in_fails(self, status, error, code, **changes):
        reply = self.source.sign_in(**changes)
        self.assertEqual((status, error, [code]),
                         (reply.status, reply.json["error"], reply.json["error_codes"]), reply)

    def test_each_refusal_has_its_code(self):
        self.sign_in_fails(401, "invalid_client", 7000215, client_secret="wrong")
        self.sign_in_fails(401, "invalid_client", 7000218, client_secret=None)
        self.sign_in_fails(400, "unauthorized_client", 700016,
                           client_id="11111111-2222-3333-4444-555555555555")
        self.sign_in_fails(400, "invalid_scope", 70011, scope="https://graph.microsoft.com/User")
        self.sign_in_fails(400, "unsupported_grant_type", 70003, grant_type="password")
        self.sim.app(self.source_tenant, id=self.source_app, secret="short",
                     secret_expires="2020-01-01")
        self.sign_in_fails(401, "invalid_client", 7000222, client_secret="short")
        self.source.tenant = "nowhere.example"
        self.sign_in_fails(400, "invalid_request", 90002)

    def test_token_ends_with_the_clock(self):
        self.sim.set_options(token_seconds=30)
        reply = self.source.sign_in()
        self.assertEqual(30, reply.json["expires_in"])
        self.source.token = reply.json["access_token"]
        path = f"/users/{self.users[0]['name']}/settings/exchange"
        self.assertEqual(200, self.source.get(path).status)
        self.sim.advance(31)
        reply = self.refused(self.source.get(path), 401, "InvalidAuthenticationToken")
        self.assertIn('error="invalid_token"', reply.headers["WWW-Authenticate"])
        self.refused(self.source.get(path, Authorization=""), 401, "InvalidAuthenticationToken")

    def test_roles_and_scope(self):
        reader = self.sim.app(self.target_tenant, secret="read", roles=READ_ROLES,
                              mailboxes=[self.twins[0]["name"]])
        client = GraphClient(self.sim, self.target_tenant, reader, "read")
        self.assertEqual(200, client.get(f"{self.target_base}/folders").status)
        body = {"displayName": "New", "type": "IPF.Note"}
        self.refused(client.call("POST", f"{self.target_base}/folders", body), 403,
                     "ErrorAccessDenied")
        self.refused(client.call("POST", f"{self.target_base}/createImportSession"), 403,
                     "ErrorAccessDenied")
        other = f"/admin/exchange/mailboxes/{self.twins[1]['mailbox']}/folders"
        self.refused(client.get(other), 403, "ErrorAccessDenied")
        self.refused(client.get(f"{self.base}/folders"), 404, "ResourceNotFound")
        nobody = GraphClient(self.sim, self.target_tenant,
                             self.sim.app(self.target_tenant, secret="x", roles=[]), "x")
        self.refused(nobody.get("/users"), 403, "Authorization_RequestDenied")

    def test_mailboxes_that_cant_be_used(self):
        twin = self.twins[0]
        self.sim.set_user(twin["mailbox"], licensed=False)
        self.refused(self.target.get(f"/users/{twin['name']}/settings/exchange"), 404,
                     "MailboxNotEnabledForRESTAPI")
        self.refused(self.target.get(f"{self.target_base}/folders"), 404)
        self.sim.set_user(twin["mailbox"], licensed=True, moving_seconds=60)
        self.refused(self.target.get(f"{self.target_base}/folders"), 423,
                     "ErrorMailboxMoveInProgress")
        self.sim.advance(61)
        encoded = self.target_base.replace(":", "%3A").replace("@", "%40")
        self.assertEqual(200, self.target.get(f"{encoded}/folders").status)
        self.refused(self.target.get("/users/nobody@fabrikam.example/settings/exchange"), 404)
        self.refused(self.target.get(f"/users/{twin['name']}/settings/exchange?$select=id"), 400)

    def test_mail_is_only_counted(self):
        user = self.twins[0]["name"]
        for call in ("events", "sendMail", "messages"):
            self.target.call("POST", f"/users/{user}/{call}", {})
        self.assertEqual(3, len(self.sim.outgoing_mail()))
        self.assertEqual({}, self.sim.violations())


class Folders(SimCase):
    def test_lists_are_paged_and_counted(self):
        self.sim.set_options(page_short=0.3, page_empty_last=0.5)
        whole, _ = self.source.everything(f"{self.base}/folders")
        dumped = self.sim.dump(self.users[0]["mailbox"], items=False)["folders"]
        self.assertEqual(sorted(one["id"] for one in dumped if len(one["path"]) == 1
                                and one["well_known"] not in ("recoverableitemsroot",)),
                         sorted(one["id"] for one in whole))
        page = self.source.get(f"{self.base}/folders?$top=1&$count=true&$select=displayName").json
        self.assertEqual(len(whole), page["@odata.count"])
        self.assertIn("%24skip=1", page["@odata.nextLink"])
        self.assertEqual({"@odata.type", "id", "displayName"}, set(page["value"][0]))

    def test_names_and_classes(self):
        german = f"/admin/exchange/mailboxes/{self.users[1]['mailbox']}"
        inbox = self.source.get(f"{german}/folders/INBOX").json
        self.assertEqual(("Posteingang", "inbox", "IPF.Note"),
                         (inbox["displayName"], inbox["wellKnownName"], inbox["type"]))
        self.sim.set_options(well_known_names=False)
        self.assertNotIn("wellKnownName", self.source.get(f"{german}/folders/inbox").json)
        found, _ = self.source.everything(
            f"{self.base}/folders?$expand=singleValueExtendedProperties("
            "$filter=id eq 'Integer 0x3601' or id eq 'Boolean 0x10F4')")
        kinds = [{each["id"]: each["value"] for each in one["singleValueExtendedProperties"]}
                 for one in found]
        self.assertEqual(2, sum(kind["Integer 0x3601"] == "2" for kind in kinds))
        self.assertIn("true", [kind["Boolean 0x10f4"] for kind in kinds])
        search = next(one for one in found if one["displayName"] == "Unread Mail")
        shown = self.source.everything(f"{self.base}/folders/{search['id']}/items")[0]
        self.assertGreater(len(shown), 0)
        self.assertEqual(search["totalItemCount"], len(shown))
        events, _ = self.source.everything(f"{self.base}/folders?$filter=type eq 'IPF.Appointment'")
        self.assertEqual(["Calendar"], [one["displayName"] for one in events])

    def test_create_rename_delete(self):
        base = f"{self.target_base}/folders"
        made = self.target.call("POST", base, {"displayName": "Projekte", "type": "IPF.Note"})
        self.assertEqual(201, made.status, made)
        one = made.json["id"]
        self.refused(self.target.call("POST", base, {"displayName": "PROJEKTE",
                                                     "type": "IPF.Contact"}), 409,
                     "ErrorFolderExists")
        child = self.target.call("POST", f"{base}/{one}/childFolders",
                                 {"displayName": "a/b", "type": "IPF.Note"}).json["id"]
        self.assertEqual(1, self.target.get(f"{base}/{one}").json["childFolderCount"])
        renamed = self.target.call("PATCH", f"{base}/{one}/childFolders/{child}",
                                   {"displayName": "c"})
        self.assertEqual((200, "c"), (renamed.status, renamed.json["displayName"]))
        self.refused(self.target.call("PATCH", f"{base}/{one}", {"type": "IPF.Contact"}), 400)
        self.refused(self.target.call("DELETE", f"{base}/{one}"), 405)
        self.assertEqual(204, self.target.call("DELETE", f"{base}/{one}/$ref").status)
        self.refused(self.target.get(f"{base}/{child}"), 404, "ErrorFolderNotFound")

    def test_bodies_are_checked(self):
        base = f"{self.target_base}/folders"
        for body in ({"displayName": "x"}, {"type": "IPF.Note"}, [], {"displayName": 1,
                     "type": "IPF.Note"}, {"displayName": "x", "type": "IPF.Note", "colour": 1},
                     {"displayname": "x", "type": "IPF.Note"},
                     {"displayName": "x", "type": "IPF.Note", "totalItemCount": 1}):
            self.refused(self.target.call("POST", base, body), 400)
        self.refused(self.target.call("POST", base, {}, Content_Type="text/plain"), 415)

    def test_queries_are_checked(self):
        for query in ("$top=0", "$top=1001", "$top=x", "$skip=-1", "$select=subject",
                      "$search=x", "top=5", "$filter=color eq 1", "$filter=type eq",
                      "$top=1&$top=2", "$orderby=displayName up", "$expand=childFolders",
                      "$format=json"):
            self.refused(self.source.get(f"{self.base}/folders?{query}"), 400)
        self.refused(self.source.get(f"{self.base}/folders/no-such_folder!"), 400)
        self.refused(self.source.get(f"{self.base}/folders/delta?$top=5"), 400)
        beta = f"{self.sim.graph}/beta{self.base}/folders"
        self.refused(self.source.get(beta), 400)

    def test_folder_delta(self):
        path = f"{self.target_base}/folders/delta"
        known, link = self.target.everything(path)
        self.assertGreater(len(known), 20)
        self.assertEqual([], self.target.everything(link)[0])
        made = self.sim.add_folder(self.twins[0]["mailbox"], "Neu")
        changed, link = self.target.everything(link)
        self.assertEqual([made], [one["id"] for one in changed])
        self.target.call("DELETE", f"{self.target_base}/folders/{made}/$ref")
        changed, link = self.target.everything(link)
        self.assertEqual([{"id": made, "@removed": {"reason": "deleted"}}], changed)


class Items(SimCase):
    options = SMOOTH

    def first(self, folder="inbox"):
        return self.source.get(f"{self.base}/folders/{folder}/items?$top=1").json["value"][0]

    def test_fields(self):
        item = self.first()
        self.assertEqual({"@odata.type", "@odata.etag", "id", "createdDateTime", "changeKey",
                          "lastModifiedDateTime", "categories", "type", "size"}, set(item))
        self.assertEqual(f'W/"{item["changeKey"]}"', item["@odata.etag"])
        path = f"{self.base}/folders/inbox/items/{item['id']}"
        expanded = self.source.get(
            f"{path}?$expand=singleValueExtendedProperties($filter=id eq 'SystemTime 0x0E06' or "
            "id eq 'String 0x1035' or id eq 'Binary 0x300B' or id eq 'String 0x9999')").json
        self.assertEqual(["SystemTime 0xe06", "String 0x1035", "Binary 0x300b"],
                         [one["id"] for one in expanded["singleValueExtendedProperties"]])
        for query in ("$select=subject", "$filter=subject eq 'x'", "$search=x",
                      "$expand=attachments"):
            self.refused(self.source.get(f"{self.base}/folders/inbox/items?{query}"), 400)

    def test_ids(self):
        items, _ = self.source.everything(f"{self.base}/folders/inbox/items?$top=100")
        ids = [one["id"] for one in items]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertLess(len({one.lower() for one in ids}), len(ids))
        self.assertTrue(all(len(one) >= 100 for one in ids))
        box = self.users[0]["mailbox"]
        moved = self.sim.change_item(box, ids[0], "move", folder="archive")["id"]
        self.assertNotEqual(ids[0], moved)
        self.refused(self.source.get(f"{self.base}/folders/inbox/items/{ids[0]}"), 404,
                     "ErrorItemNotFound")
        self.assertEqual(200, self.source.get(
            f"{self.base}/folders/archive/items/{moved}").status)
        prefer = 'IdType="ImmutableId"'
        stable = self.source.get(f"{self.base}/folders/archive/items", Prefer=prefer).json
        self.sim.change_item(box, moved, "move", folder="inbox")
        again, _ = self.source.everything(f"{self.base}/folders/inbox/items", Prefer=prefer)
        self.assertIn(stable["value"][0]["id"], [one["id"] for one in again])
        self.refused(self.source.get(f"{self.base}/folders/inbox/items/xyz"), 400,
                     "ErrorInvalidIdMalformed")

    def test_change_key_changes_at_every_write(self):
        item = self.first()
        box = self.users[0]["mailbox"]
        self.sim.change_item(box, item["id"], "set", message_flags=0)
        after = self.first()
        self.assertEqual(item["id"], after["id"])
        self.assertNotEqual(item["changeKey"], after["changeKey"])

    def test_filters(self):
        path = f"{self.base}/folders/inbox/items?$top=500&$filter="
        every = self.source.everything(f"{self.base}/folders/inbox/items?$top=500")[0]
        middle = sorted(one["createdDateTime"] for one in every)[len(every) // 2]
        recent = self.source.everything(f"{path}createdDateTime ge {middle}")[0]
        self.assertEqual([one["id"] for one in every if one["createdDateTime"] >= middle],
                         [one["id"] for one in recent])
        received = ("singleValueExtendedProperties/Any(ep: ep/id eq 'SystemTime 0x0E06' and "
                    f"cast(ep/value, Edm.DateTimeOffset) ge {middle})")
        self.assertEqual(len(recent), len(self.source.everything(path + received)[0]))
        self.assertEqual([one["size"] for one in sorted(every, key=lambda one: one["size"])],
                         [one["size"] for one in self.source.everything(
                             f"{self.base}/folders/inbox/items?$top=500&$orderby=size")[0]])

    def test_delete(self):
        box, items = self.twins[0]["mailbox"], f"{self.target_base}/folders/inbox/items"
        soft, hard, held = self.sim.add_items(box, 3)
        self.refused(self.target.call("DELETE", f"{items}/{soft}"), 400)
        self.assertEqual(204, self.target.call(
            "DELETE", f"{items}/{soft}?disposalType=softDelete").status)
        self.assertEqual(204, self.target.call(
            "DELETE", f"{items}/{hard}?disposalType=hardDelete").status)
        self.sim.set_user(box, hold=True)
        self.refused(self.target.call("DELETE", f"{items}/{held}?disposalType=hardDelete"), 403)
        self.assertEqual(["inbox", "recoverableitemsdeletions"],
                         sorted(one["well_known"] for one in self.sim.items_of(box)))


class Delta(SimCase):
    def setUp(self):
        super().setUp()
        self.path = f"{self.base}/folders/inbox/items/delta"
        self.box = self.users[0]["mailbox"]

    def state(self, known, elements):
        for one in elements:
            if "@removed" in one:
                known.pop(one["id"], None)
            else:
                known[one["id"]] = one["changeKey"]
        return known

    def listed(self):
        return {one["id"]: one["change_key"] for one in self.sim.items_of(self.box)
                if one["well_known"] == "inbox"}

    def test_rounds_lead_to_the_same_state(self):
        self.sim.set_options(page_short=0.3, delta_duplicate=0.5, delta_empty_page=0.3)
        elements, link = self.delta(self.path)
        known = self.state({}, elements)
        self.assertEqual(self.listed(), known)
        self.assertEqual([], self.delta(link)[0])
        for seed in range(6):
            self.sim.mutate([self.box], 0, seed=seed, now=25)
            elements, link = self.delta(link)
            self.assertEqual(self.listed(), self.state(known, elements))

    def test_changes_while_a_round_runs(self):
        known, link = {}, self.path
        self.sim.mutate([self.box], rate=200, seed=9, max=150)
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            elements, link = self.source.everything(link, Prefer="odata.maxpagesize=3")
            self.state(known, elements)
        elements, link = self.delta(link)
        self.assertEqual(self.listed(), self.state(known, elements))

    def test_move_is_removal_and_arrival(self):
        self.sim.set_options(**SMOOTH)
        there = self.delta(f"{self.base}/folders/archive/items/delta")[1]
        items, here = self.delta(self.path)
        moved = self.sim.change_item(self.box, items[0]["id"], "move", folder="archive")["id"]
        self.assertEqual([{"id": items[0]["id"], "@removed": {"reason": "changed"}}],
                         self.delta(here)[0])
        self.assertEqual([moved], [one["id"] for one in self.delta(there)[0]])

    def test_tokens(self):
        _, link = self.delta(self.path)
        self.refused(self.source.get(link[:-3] + "AAA"), 400)
        self.refused(self.source.get(link + "&$select=id"), 400)
        self.refused(self.source.get(link.replace("/inbox/", "/drafts/")), 400)
        self.refused(self.source.get(f"{self.path}?$expand=x"), 400)
        self.sim.expire("delta", self.box)
        self.refused(self.source.get(link), 410, "SyncStateNotFound")
        _, link = self.delta(self.path)
        self.sim.set_options(delta_seconds=60)
        self.sim.advance(61)
        self.refused(self.source.get(link), 410, "SyncStateNotFound")

    def test_a_simulator_made_in_the_same_way_takes_the_link(self):
        _, link = self.delta(self.path)
        old = self.sim.graph
        self.sim.stop()
        self.sim.start()
        self.assertEqual(self.source_tenant, self.sim.tenant("contoso.example", source=True))
        self.sim.app(self.source_tenant, secret="from")
        self.sim.seed_tenant(self.source_tenant, 2, self.items)
        arrived, = self.sim.add_items(self.box)
        again = GraphClient(self.sim, self.source_tenant, self.source_app, "from")
        found = self.delta(link.replace(old, self.sim.graph), again)[0]
        self.assertEqual({arrived}, {one["id"] for one in found})

    def test_received_filter_and_select(self):
        mail = sorted(one["received"] for one in self.sim.items_of(self.box)
                      if one["well_known"] == "inbox")
        middle = mail[len(mail) // 2]
        self.sim.set_options(**SMOOTH)
        found, _ = self.delta(f"{self.path}?$filter=receivedDateTime ge {middle}&$select=size")
        self.assertEqual(sum(one >= middle for one in mail), len(found))
        self.assertEqual({"@odata.type", "@odata.etag", "id", "size"}, set(found[0]))
        self.refused(self.source.get(f"{self.path}?$filter=createdDateTime ge {middle}"), 400)


class ExportAndImport(SimCase):
    options = SMOOTH

    def setUp(self):
        super().setUp()
        self.box, self.twin = self.users[0]["mailbox"], self.twins[0]["mailbox"]
        self.inbox = self.target.folder_id(self.target_base, "inbox")
        self.ids = [one["id"] for one in self.sim.items_of(self.box)]
        self.data = self.source.export(self.base, self.ids[:1])[self.ids[0]]["data"]
        self.url = self.target.session(self.target_base)

    def stored(self):
        return len(self.sim.items_of(self.twin))

    def test_every_kind_crosses_unchanged(self):
        self.sim.set_options(export_shuffle=True)
        for n in range(0, len(self.ids), 20):
            for one in self.source.export(self.base, self.ids[n:n + 20]).values():
                self.assertEqual(200, self.target.import_item(self.url, self.inbox,
                                                              one["data"]).status)
        self.assertEqual(*(sorted(item["logical"] for item in self.sim.items_of(box))
                           for box in (self.box, self.twin)))
        self.assertEqual({}, self.sim.violations())

    def test_stream_is_opaque(self):
        raw = base64.b64decode(self.data, validate=True)
        self.assertEqual(b"\x01\0\0\0", raw[:4])
        size = next(one["size"] for one in self.sim.items_of(self.box)
                    if one["id"] == self.ids[0])
        self.assertTrue(0.85 < len(raw) / size < 1.35, (len(raw), size))
        self.assertEqual(self.data,
                         self.source.export(self.base, self.ids[:1])[self.ids[0]]["data"])
        self.sim.set_options(export_bytes_differ=True)
        self.assertNotEqual(self.data,
                            self.source.export(self.base, self.ids[:1])[self.ids[0]]["data"])

    def test_packed_stream(self):
        self.sim.set_options(gzip_streams=True)
        reply = self.source.call("POST", f"{self.base}/exportItems", {"itemIds": self.ids[:3]},
                                 Accept_Encoding="gzip")
        self.assertEqual("gzip", reply.headers["Content-Encoding"])
        plain = self.source.export(self.base, self.ids[:3])
        self.assertEqual(plain, {one["itemId"]: one for one in
                                 json.loads(gzip.decompress(reply.data))["value"]})

    def test_export_fails_by_element(self):
        corrupt, = self.sim.add_items(self.box, corrupt=True)
        large, = self.sim.add_items(self.box, bytes=2 << 20)
        other = self.sim.items_of(self.users[1]["mailbox"])[0]["id"]
        self.sim.set_options(item_bytes_max=1 << 20)
        found = self.source.export(self.base, [self.ids[0], corrupt, large, other, "x"])
        self.assertEqual([None, "ErrorItemCorrupt", "ErrorMessageSizeExceeded", "ErrorItemNotFound",
                          "ErrorInvalidIdMalformed"],
                         [one.get("error", {}).get("code") for one in found.values()])
        path = f"{self.base}/exportItems"
        for body in ({"itemIds": []}, {"itemIds": self.ids[:21]}, {"itemIds": "x"}, {"ids": []},
                     {"itemIds": [1]}):
            self.refused(self.source.call("POST", path, body), 400)

    def test_import_contract(self):
        put, url, inbox, data = self.target.import_item, self.url, self.inbox, self.data
        self.refused(put(url, inbox, data, headers={"Authorization": "Bearer x"}), 400)
        self.assertEqual({"authorization on importUrl": 1}, self.sim.violations())
        self.refused(put(url.replace("%27", "'")[:-1], inbox, data), 403)
        self.refused(put(url.replace("MBX:", "MBX%3A"), inbox, data), 403)
        self.refused(put(url + "&a=1", inbox, data), 403)
        self.refused(put(url, inbox, data, mode="Create"), 400)
        self.refused(put(url, inbox, data, ItemId="x"), 400)
        self.refused(put(url, inbox, data, mode="update"), 400)
        self.refused(put(url, inbox, data, folderId=inbox), 400)
        self.refused(put(url, "inbox", data), 400)
        self.refused(put(url, self.source.folder_id(self.base, "inbox"), data), 404,
                     "ErrorFolderNotFound")
        self.assertEqual(0, self.stored())
        self.sim.advance(3601)
        self.refused(put(url, inbox, data), 401)
        self.assertGreater(len(url.partition("authtoken=")[2]), 1024)

    def test_any_changed_byte_is_refused(self):
        raw = base64.b64decode(self.data)
        broken = [raw[:n] + bytes([raw[n] ^ 1]) + raw[n + 1:]
                  for n in (0, 5, 13, 30, 100, len(raw) // 2, len(raw) - 1)]
        for one in [*broken, raw[:-1], raw + b"\0", raw[:200], b""]:
            self.refused(self.target.import_item(self.url, self.inbox,
                                                 base64.b64encode(one).decode()), 400)
        self.refused(self.target.import_item(self.url, self.inbox, self.data[:80] + "\n"
                                             + self.data[80:]), 400, "ErrorCorruptData")
        self.assertEqual(0, self.stored())

    def test_create_is_not_idempotent(self):
        self.sim.fault("drop-after-commit", path="importItem")
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            self.target.import_item(self.url, self.inbox, self.data)
        self.assertEqual(1, self.stored())
        self.target.import_item(self.url, self.inbox, self.data)
        self.assertEqual(2, self.stored())
        twins = self.sim.items_of(self.twin)
        self.assertEqual(twins[0]["search_key"], twins[1]["search_key"])

    def test_update(self):
        made = self.target.import_item(self.url, self.inbox, self.data).json
        self.sim.change_item(self.box, self.ids[0], "edit")
        data = self.source.export(self.base, self.ids[:1])[self.ids[0]]["data"]
        pair = {"ItemId": made["itemId"], "ChangeKey": made["changeKey"]}
        done = self.target.import_item(self.url, self.inbox, data, mode="update", **pair)
        self.assertEqual((200, made["itemId"]), (done.status, done.json["itemId"]))
        self.assertNotEqual(made["changeKey"], done.json["changeKey"])
        self.refused(self.target.import_item(self.url, self.inbox, data, mode="update", **pair),
                     412, "ErrorIrresolvableConflict")
        self.assertEqual(1, self.stored())

    def test_no_room(self):
        self.sim.set_options(item_bytes_max=1000)
        self.refused(self.target.import_item(self.url, self.inbox, self.data), 413)
        self.sim.set_options(item_bytes_max=150 << 20, too_large_status=400)
        self.sim.set_user(self.twin, quota_bytes=1000)
        self.refused(self.target.import_item(self.url, self.inbox, self.data), 403,
                     "ErrorQuotaExceeded")
        self.assertEqual(0, self.stored())

    def test_writes_to_the_source_are_seen(self):
        self.source.call("POST", f"{self.base}/folders", {"displayName": "x", "type": "IPF.Note"})
        self.assertEqual({"write to the source tenant": 1}, self.sim.violations())

    def test_batch(self):
        parts = [{"id": str(n), "method": "GET", "url": f"{self.base}/folders/{name}"}
                 for n, name in enumerate(("inbox", "drafts", "nosuchfolder"))]
        reply = self.source.call("POST", "/$batch", {"requests": parts}).json["responses"]
        self.assertEqual({"0": 200, "1": 200, "2": 404},
                         {one["id"]: one["status"] for one in reply})
        self.refused(self.source.call("POST", "/$batch", {"requests": parts * 7}), 400)


if __name__ == "__main__":
    unittest.main()
