"""A configuration that copies between two simulated Microsoft 365 tenants, and who is there."""

import uuid

from .graph import READ_ROLES, AppCertificate
from .mailferry import Job

KINDS = '["contacts", "calendar", "tasks", "mail"]'


class House:
    """One tenant of the simulator with its app registrations (by secret, or by certificate)."""

    def __init__(self, sim, domain, source, apps=1, roles=None, certificate_folder=None):
        self.sim = sim
        self.tenant = sim.tenant(domain, source=source)
        self.certificates, self.secrets = {}, {}
        roles = roles or (READ_ROLES if source else None)
        for number in range(apps):
            if certificate_folder:
                made = AppCertificate(certificate_folder, f"{domain}-{number}")
                client = sim.app(self.tenant, certificate=made.certificate, roles=roles)
                self.certificates[client] = made
            else:
                secret = f"secret-{uuid.uuid4().hex}"
                self.secrets[sim.app(self.tenant, secret=secret, roles=roles)] = secret
        self.users = []

    def seed(self, mailboxes, items, **more):
        self.users = self.sim.seed_tenant(self.tenant, mailboxes, items, **more)
        return self.users

    def mailboxes(self):
        return [user["mailbox"] for user in self.users]


class GraphJob(Job):
    """Job between two Houses; `pairs` defaults to the users of both in their order."""

    def __init__(self, folder, source, target, passes=(f'name = "final"\nkinds = {KINDS}',),
                 pairs=None, tenant_lines="", max_sessions=8, **options):
        self.tenant_lines, self.max_sessions = tenant_lines, max_sessions
        pairs = pairs or [(a["name"], b["name"]) for a, b in zip(source.users, target.users)]
        super().__init__(folder, source, target, pairs, passes=passes, **options)

    def _tenant(self, name, side):
        sim = side.sim
        lines = [f"[tenant.{name}]", 'protocol = "graph"',
                 f'host = "{sim.graph.removeprefix("https://")}"',
                 f'authority = "{sim.authority}"', f'tenant_id = "{side.tenant}"',
                 f'ca_file = "{sim.certs.ca}"', self.tenant_lines]
        for client, secret in side.secrets.items():
            path = self.secret(f"{name}-{client}", secret)
            lines += [f"[[tenant.{name}.admin]]", 'auth = "app-secret"', f'client_id = "{client}"',
                      f'secret_file = "{path.name}"', f"max_sessions = {self.max_sessions}"]
        for client, made in side.certificates.items():
            lines += [f"[[tenant.{name}.admin]]", 'auth = "app-certificate"',
                      f'client_id = "{client}"', f'certificate_file = "{made.certificate}"',
                      f'key_file = "{made.key}"', f"max_sessions = {self.max_sessions}"]
        return "\n".join(lines)

    def _write_mapping(self):
        rows = ["source,target", *(f'"{source}","{target}"' for source, target in self.pairs)]
        (self.folder / "merger.csv").write_text("\n".join(rows) + "\n")
