"""The simulator of Microsoft's cloud for tests: started, filled, asked and stopped from Python.

It listens on loopback only, keeps everything in memory, and ends with stop(). The control calls are
those of graphsim/control.cpp; a call that can't be done raises GraphSimError with the reason.
"""

import base64
import collections
import hashlib
import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from . import process
from .servers import cache_folder

ROLES = ["User.Read.All", "MailboxFolder.ReadWrite.All", "MailboxItem.Read.All",
         "MailboxItem.ImportExport.All"]
READ_ROLES = ["User.Read.All", "MailboxFolder.Read.All", "MailboxItem.Read.All",
              "MailboxItem.Export.All"]
# Well-known folders that don't cross: they belong to the mailbox, not to its owner.
LEFT_OUT = {"outbox", "conversationhistory", "syncissues", "conflicts", "localfailures",
            "serverfailures", "recipientcache", "recoverableitemsdeletions",
            "recoverableitemsroot", "recoverableitemsversions", "recoverableitemspurges"}
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
# So that a test lasts no longer than it must; what the limits do to a client is tested on purpose.
FAST = {"latency_ms": 0, "latency_ms_per_mb": 0}


class GraphSimError(Exception):
    pass


def program():
    return Path(os.environ["MAILFERRY_BUILD"]).resolve() / "bin" / "graphsim"


class GraphSim:
    """authority, graph and import_host are URLs for the client; certs.ca is what it has to trust.

    `options` as in graphsim/options.hpp.
    """

    def __init__(self, folder, certs, certificate="good", seed=1, **options):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certs, self.certificate, self.seed = certs, certificate, seed
        self.start_options = {**FAST, **options}
        self.process = None
        self.authority = self.graph = self.import_host = self.control = None

    def start(self):
        crt, key = self.certs.pair(self.certificate)
        with open(self.folder / "graphsim.log", "ab") as log:
            self.process = subprocess.Popen(
                [str(program()), "--certificate", str(crt), "--key", str(key), "--seed",
                 str(self.seed)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True)
        line = self.process.stdout.readline()
        if not line:
            raise ChildProcessError(f"graphsim ended at its start: {self.log_text()}")
        ready = json.loads(line)
        self.authority, self.graph = ready["authority"], ready["graph"]
        self.import_host, self.control = ready["import"], ready["control"]
        self.set_options(**self.start_options)
        return self

    def stop(self):
        if self.process:
            process.end(self.process)
            self.process.stdout.close()
            self.process = None

    def log_text(self):
        return (self.folder / "graphsim.log").read_text(errors="replace")

    def memory_kib(self):
        """(resident now, at most so far) in KiB."""
        return process.memory_kib(self.process.pid)

    def call(self, command, arguments=None):
        request = urllib.request.Request(f"{self.control}/{command}", method="POST",
                                         data=json.dumps(arguments or {}).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=300) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            raise GraphSimError(json.load(error)["error"]) from None

    # What is there

    def tenant(self, *domains, source=False, **more):
        return self.call("tenant", {"domains": list(domains), "source": source, **more})["id"]

    def set_tenant(self, tenant, **members):
        return self.call("set-tenant", {"tenant": tenant, **members})

    def app(self, tenant, secret=None, certificate=None, roles=None, **more):
        """Registers, or adds to a registration with the same id; answers the client id.
        secret_expires: ISO time; mailboxes: userPrincipalNames that the app is limited to."""
        arguments = {"tenant": tenant, "roles": ROLES if roles is None else roles, **more}
        if secret is not None:
            arguments["secret"] = secret
        if certificate is not None:
            arguments["certificate"] = Path(certificate).read_text()
        return self.call("app", arguments)["id"]

    def user(self, tenant, name, **more):
        """mailbox, licensed, shared, hold, quota_bytes, well_known_names, language."""
        return self.call("user", {"tenant": tenant, "name": name, **more})

    def set_user(self, mailbox, **members):
        """As user(), and moving_seconds."""
        return self.call("set-user", {"mailbox": mailbox, **members})

    def seed_tenant(self, tenant, mailboxes, items, seed=1, **more):
        """kinds, own_folders, newest, span_days, bytes, prefix, domain, language; system_items: one
        also in each folder that no copy may take along."""
        return self.call("seed", {"tenant": tenant, "mailboxes": mailboxes, "items": items,
                                  "seed": seed, **more})["users"]

    def add_folder(self, mailbox, name, parent="msgfolderroot", **more):
        """parent: well-known name, id or list of names; class, hidden, search."""
        arguments = {"mailbox": mailbox, "name": name, "parent": parent, **more}
        return self.call("folder", arguments)["id"]

    def remove_folder(self, mailbox, folder):
        """folder: as the parent of add_folder(); all that is in it goes along."""
        self.call("remove-folder", {"mailbox": mailbox, "folder": folder})

    def add_items(self, mailbox, count=1, **more):
        """kind, folder, seed, bytes, newest, span_days, corrupt, and any member of the item."""
        return self.call("items", {"mailbox": mailbox, "count": count, **more})["ids"]

    def change_item(self, mailbox, item, do, **more):
        """do: delete, move (folder), edit (seed) or set (members of the item)."""
        return self.call("change-item", {"mailbox": mailbox, "id": item, "do": do, **more})

    def dump(self, mailbox, items=True):
        return self.call("dump", {"mailbox": mailbox, "items": items})

    def items_of(self, mailbox):
        """Every item of the mailbox, with the path of its folder added."""
        return [{**item, "path": tuple(folder["path"]), "well_known": folder["well_known"],
                 "hidden": folder["hidden"]}
                for folder in self.dump(mailbox)["folders"] for item in folder["items"]]

    def crossing(self, mailbox):
        """What a copy has to bring across, by folder and content, each with its count."""
        return collections.Counter(
            (item["well_known"] or "/".join(item["path"]), item["logical"])
            for item in self.items_of(mailbox) if item["well_known"] not in LEFT_OUT)

    # What it does

    def set_options(self, **options):
        return self.call("options", options)

    def advance(self, seconds):
        return self.call("clock", {"advance": seconds})["seconds"]

    def set_clock(self, **members):
        """now: ISO time; rate: simulated seconds in a second, 0 stops it."""
        return self.call("clock", members)

    def fault(self, action, count=1, method=None, path=None, mailbox=None, listener=None, nth=None,
              **more):
        """action as in graphsim/faults.hpp; path is a regular expression."""
        match = {"method": method, "pathPattern": path, "mailbox": mailbox, "listener": listener,
                 "nth": nth}
        match = {name: value for name, value in match.items() if value is not None}
        return self.call("faults", {"rules": [{"match": match, "action": action, "count": count,
                                               **more}]})

    def random_faults(self, rate, seed=1, **more):
        """kinds, listeners, exceptPattern."""
        return self.call("faults", {"random": {"rate": rate, "seed": seed, **more}})

    def clear_faults(self):
        return self.call("faults", {"clear": True})

    def expire(self, what, mailbox=None):
        """what: delta, tokens or sessions."""
        return self.call("expire", {"what": what, **({"mailbox": mailbox} if mailbox else {})})

    def mutate(self, mailboxes, rate, seed=1, **more):
        """Changes a second over all of them, until rate 0; kinds, max, now (changes at once)."""
        return self.call("mutate", {"mailboxes": mailboxes, "rate": rate, "seed": seed, **more})

    # What has happened

    def counters(self):
        return self.call("counters")

    def reset_counters(self):
        return self.call("reset-counters")

    def requests(self, after=0, limit=10_000):
        return self.call("log", {"after": after, "limit": limit})

    def outgoing_mail(self):
        return self.call("outgoing")

    def secrets(self):
        """Every token, authtoken and client secret so far: none may be in a log."""
        return self.call("secrets")

    def violations(self):
        """Only those that have happened."""
        return {name: count for name, count in self.counters()["violations"].items() if count}


class AppCertificate:
    """An RSA key and a self-signed certificate, as an app registration takes them."""

    def __init__(self, folder, name="app", days=400):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate, self.key = folder / f"{name}.crt", folder / f"{name}.key"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                   f"/CN={name}", "-days", str(days), "-keyout", self.key, "-out",
                   self.certificate]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"openssl req: {done.stderr.strip()}")
        self.key.chmod(0o600)

    def thumbprint(self, kind="sha256"):
        """Hex of the digest of the DER form: sha256 or sha1."""
        text = "".join(line for line in self.certificate.read_text().splitlines()
                       if not line.startswith("-"))
        return hashlib.new(kind, base64.b64decode(text)).hexdigest()


WITNESS_PACKAGES = ["@azure/msal-node@3", "@microsoft/microsoft-graph-client@3"]


def witness_modules():
    """The folder with the vendor's libraries; npm fills it in the user's cache on first use."""
    folder = cache_folder() / "graph-witness"
    if not all((folder / "node_modules" / name.rpartition("@")[0]).exists()
               for name in WITNESS_PACKAGES):
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix",
                               str(folder), *WITNESS_PACKAGES], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"npm install {WITNESS_PACKAGES}: {done.stderr.strip()[-500:]}")
    return folder


def run_witness(sim, script, plan, seconds=300):
    """The JSON that graph_witness/<script> answers; it fails the test with its own words."""
    environment = {**os.environ, "WITNESS_MODULES": str(witness_modules()),
                   "NODE_EXTRA_CA_CERTS": str(sim.certs.ca)}
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        environment.pop(name, None)
    # Node 18 tries one address of localhost only, and the simulator listens on 127.0.0.1.
    environment["NODE_OPTIONS"] = "--dns-result-order=ipv4first"
    plan = {"authority": sim.authority, "graph": sim.graph, **plan}
    path = Path(__file__).parent / "graph_witness" / script
    done = subprocess.run(["node", str(path)], input=json.dumps(plan), capture_output=True,
                          text=True, env=environment, timeout=seconds)
    if done.returncode != 0:
        raise AssertionError(f"{script}: {done.stderr.strip()[-3000:]}")
    return json.loads(done.stdout)
