"""A plain client of the simulator for tests: says what it is told to, retries nothing."""

import http.client
import json
import ssl
import urllib.parse

from .graph import GRAPH_SCOPE


class Reply:
    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data

    @property
    def json(self):
        return json.loads(self.data)

    @property
    def code(self):
        """The error's code; empty if there is none."""
        return self.json.get("error", {}).get("code", "") if self.data else ""

    def __repr__(self):
        return f"{self.status} {self.data[:300]!r}"


class GraphClient:
    """Signed in to one tenant as one app; `token` may be replaced."""

    def __init__(self, sim, tenant, app, secret, sign_in=True):
        self.sim, self.tenant, self.app, self.secret = sim, tenant, app, secret
        self.context = ssl.create_default_context(cafile=str(sim.certs.ca))
        self.token = self.sign_in().json["access_token"] if sign_in else ""

    def sign_in(self, **changes):
        """The token endpoint's reply; `changes` replace form fields, None leaves one out."""
        fields = {"grant_type": "client_credentials", "client_id": self.app, "scope": GRAPH_SCOPE,
                  "client_secret": self.secret, **changes}
        form = urllib.parse.urlencode({name: value for name, value in fields.items()
                                       if value is not None})
        return self.send("POST", f"{self.sim.authority}/{self.tenant}/oauth2/v2.0/token",
                         form.encode(), {"Content-Type": "application/x-www-form-urlencoded"})

    def send(self, method, url, data=None, headers=None):
        parts = urllib.parse.urlsplit(url)
        link = http.client.HTTPSConnection(parts.hostname, parts.port, context=self.context,
                                           timeout=120)
        try:
            target = url[url.index(parts.netloc) + len(parts.netloc):]
            link.request(method, target, data, headers or {})
            reply = link.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            link.close()

    def call(self, method, path, body=None, **headers):
        """path: after /v1.0, or a whole URL; names of headers with _ for -."""
        url = path if path.startswith("https:") else f"{self.sim.graph}/v1.0{path}"
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        fields.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
        data = json.dumps(body).encode() if body is not None else None
        return self.send(method, url.replace(" ", "%20"), data, fields)

    def get(self, path, **headers):
        return self.call("GET", path, **headers)

    def everything(self, path, **headers):
        """(elements of all pages, delta link or None)"""
        elements = []
        while True:
            reply = self.get(path, **headers)
            if reply.status != 200:
                raise AssertionError(f"{path}: {reply}")
            page = reply.json
            elements += page["value"]
            if "@odata.nextLink" not in page:
                return elements, page.get("@odata.deltaLink")
            path = page["@odata.nextLink"]

    def mailbox(self, user):
        """The path of the user's mailbox."""
        reply = self.get(f"/users/{user}/settings/exchange")
        return f"/admin/exchange/mailboxes/{reply.json['primaryMailboxId']}"

    def folder_id(self, base, name):
        return self.get(f"{base}/folders/{name}").json["id"]

    def export(self, base, ids):
        """id -> element of the reply."""
        reply = self.call("POST", f"{base}/exportItems", {"itemIds": ids})
        if reply.status != 200:
            raise AssertionError(repr(reply))
        return {one["itemId"]: one for one in reply.json["value"]}

    def session(self, base):
        return self.call("POST", f"{base}/createImportSession").json["importUrl"]

    def import_item(self, url, folder, data, mode="create", headers=None, **more):
        body = json.dumps({"FolderId": folder, "Mode": mode, "Data": data, **more})
        return self.send("POST", url, body.encode(),
                         {"Content-Type": "application/json", **(headers or {})})
