"""The session interface: one suite of tests that every connector has to pass.

The tests themselves are C++ (tests/contract). Here are their servers.
"""

import json
import os
import re
import subprocess
import unittest
from pathlib import Path
from urllib.parse import urlsplit

from support.case import ADMINS, FolderCase
from support.graph import GraphSim
from support.servers import Dovecot

SECONDS_MAX = 600
SESSIONS_MAX = 30  # Of one mailbox; the tests hold a few at a time, or all of them on purpose.
MAILBOXES = {"source": "from@contract.example", "target": "to@contract.example",
             "other": "else@contract.example"}


def program():
    return Path(os.environ["MAILFERRY_BUILD"]).resolve() / "bin" / "session_contract_test"


@unittest.skipUnless("MAILFERRY_BUILD" in os.environ and program().exists(),
                     "no build of session_contract_test")
class Contract(FolderCase):
    alone = True  # Two servers and the relay: half a minute each, more beside others.

    def test_imap(self):
        users = {name: f"password of {name}" for name in MAILBOXES.values()}
        server = Dovecot(self.folder / "dovecot", users, ADMINS, mail_format="sdbox",
                         sessions_per_user=SESSIONS_MAX)
        self.addCleanup(server.stop)
        server.start()
        admin, password = next(iter(ADMINS.items()))
        self.run_suite("imap", {"port": server.port, "admin": admin, "password": password,
                                "passwords": users, **MAILBOXES})

    def test_graph(self):
        # The limits have tests of their own; what the service leaves open is as it is by default.
        sim = GraphSim(self.folder / "graphsim", self.certs, throttle=False)
        self.addCleanup(sim.stop)
        sim.start()
        settings = {"host": sim.graph.removeprefix("https://"), "authority": sim.authority,
                    "ca_file": str(sim.certs.ca), "control_port": urlsplit(sim.control).port}
        for side, domain in (("source", "contoso.example"), ("target", "fabrikam.example")):
            tenant = sim.tenant(domain, source=side == "source")
            mailboxes = sim.seed_tenant(tenant, 2, 0, own_folders=False)
            settings[side] = {"tenant_id": tenant, "client_id": sim.app(tenant, secret=side),
                              "secret": side, "mailbox": mailboxes[0]["name"],
                              "mailbox_id": mailboxes[0]["mailbox"],
                              "other": mailboxes[1]["name"]}
        self.run_suite("graph", settings)
        self.assertEqual({}, sim.violations())

    def run_suite(self, service, settings):
        path = self.folder / "contract.json"
        path.write_text(json.dumps({service: settings}))
        done = subprocess.run([str(program()), f"--gtest_filter=*/{service}"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "MAILFERRY_CONTRACT": str(path)},
                              timeout=SECONDS_MAX)
        if os.environ.get("MAILFERRY_KEEP"):
            (self.folder / "output.txt").write_text(done.stdout)
        self.assertEqual(0, done.returncode, done.stdout[-20_000:])
        passed = re.search(r"^\[  PASSED  \] (\d+) tests\.", done.stdout, re.MULTILINE)
        self.assertIsNotNone(passed, done.stdout[-2_000:])
        self.assertNotIn("SKIPPED", done.stdout)


if __name__ == "__main__":
    unittest.main()
