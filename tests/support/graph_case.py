"""What the tests of the simulator share: two tenants with a mailbox pair, started for each test."""

import os
import unittest

from .case import FolderCase
from .graph import GraphSim, program
from .graph_client import GraphClient

# No paging quirks: for tests that count what one page holds.
SMOOTH = {"page_short": 0, "page_empty_last": 0, "delta_duplicate": 0, "delta_empty_page": 0,
          "delta_shuffle": False, "export_shuffle": False}


@unittest.skipUnless("MAILFERRY_BUILD" in os.environ and program().exists(), "no build of graphsim")
class SimCase(FolderCase):
    """A source and a target tenant, one app in each, two mailboxes on both sides."""

    items = 60
    options = {}

    def setUp(self):
        super().setUp()
        self.sim = GraphSim(self.folder, self.certs, **self.options)
        self.addCleanup(self.sim.stop)
        self.sim.start()
        self.source_tenant = self.sim.tenant("contoso.example", source=True)
        self.target_tenant = self.sim.tenant("fabrikam.example")
        self.source_app = self.sim.app(self.source_tenant, secret="from")
        self.target_app = self.sim.app(self.target_tenant, secret="to")
        self.source = GraphClient(self.sim, self.source_tenant, self.source_app, "from")
        self.target = GraphClient(self.sim, self.target_tenant, self.target_app, "to")
        self.users = self.sim.seed_tenant(self.source_tenant, 2, self.items)
        self.twins = self.sim.seed_tenant(self.target_tenant, 2, 0, own_folders=False)
        self.base = f"/admin/exchange/mailboxes/{self.users[0]['mailbox']}"
        self.target_base = f"/admin/exchange/mailboxes/{self.twins[0]['mailbox']}"

    def refused(self, reply, status, code=None):
        self.assertEqual(status, reply.status, reply)
        if code:
            self.assertEqual(code, reply.code, reply)
        return reply

    def delta(self, path, client=None):
        return (client or self.source).everything(path, Prefer="odata.maxpagesize=20")
