"""IMAP by the tokens of an app registration, as Microsoft 365 wants them: a real Dovecot asks the
simulator of the sign-in service what a token is worth."""

import http.server
import json
import threading
import urllib.parse

from support.case import FerryCase
from support.graph import AppCertificate, GraphSim
from support.mailferry import Side


class Introspection:
    """RFC 7662 in short: a token is good as long as the simulator knows it."""

    def __init__(self, sim, domain):
        introspection = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                token = query["token"][0]
                body = json.dumps(introspection.look_at(token)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.sim, self.domain, self.revoked = sim, domain, set()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/?token="

    def look_at(self, token):
        good = token in self.sim.secrets() and token not in self.revoked
        return {"active": good, "email": f"app@{self.domain}"}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class AppTokens(FerryCase):
    def setUp(self):
        super().setUp()
        self.sim = GraphSim(self.folder / "sim", self.certs)
        self.addCleanup(self.sim.stop)
        self.sim.start()
        self.tenant = self.sim.tenant("fabrikam.example", source=True)
        self.introspection = Introspection(self.sim, "fabrikam.example")
        self.addCleanup(self.introspection.stop)
        self.source = self.server("source", oauth=self.introspection.url)
        self.source.admins = {}
        self.target = self.server("target")
        self.secret = "an app's own secret"

    def job_by_app(self, admin, **options):
        lines = f'authority = "{self.sim.authority}"\ntenant_id = "{self.tenant}"\n' \
                f'ca_file = "{self.certs.ca}"\n' \
                f"[[tenant.fabrikam.admin]]\n{admin}"
        return self.job(Side(self.source, more=lines), Side(self.target), **options)

    def job_by_secret(self, secret=None, **options):
        self.app = self.sim.app(self.tenant, secret=self.secret)
        path = self.folder / "app.secret"
        path.touch(0o600)
        path.write_text(secret or self.secret)
        return self.job_by_app(f'auth = "app-secret"\nclient_id = "{self.app}"\n'
                               f'secret_file = "{path}"', **options)

    def test_by_secret(self):
        self.fill(self.source, 30)
        job = self.job_by_secret()
        outcome = job.copy()
        self.assert_status(0, outcome)
        self.assert_exact(self.source, self.target)
        self.assertIn("method=XOAUTH2", self.source.log())
        asked = [entry for entry in self.sim.requests() if "/token" in entry["path"]]
        self.assertEqual(1, len(asked), "one token for all mailboxes")
        for token in self.sim.secrets():
            self.assertNotIn(token, outcome.stdout + outcome.stderr)
        self.assertEqual({}, self.sim.violations())

    def test_by_certificate(self):
        self.fill(self.source, 5)
        made = AppCertificate(self.folder / "certificates", "app")
        app = self.sim.app(self.tenant, certificate=made.certificate)
        job = self.job_by_app(f'auth = "app-certificate"\nclient_id = "{app}"\n'
                              f'certificate_file = "{made.certificate}"\nkey_file = "{made.key}"')
        self.assert_status(0, job.copy())
        self.assert_exact(self.source, self.target)

    def test_a_revoked_token_is_replaced(self):
        self.with_users(30)
        self.source.users = self.users
        self.target.users = {self.twins[user]: secret for user, secret in self.users.items()}
        self.source.restart()
        self.target.restart()
        self.fill(self.source, 5)
        job = self.job_by_secret()
        job.source.more += "\nmax_sessions = 2\nlogins_per_second = 5"
        known = set(self.sim.secrets())

        def revoke():
            self.introspection.revoked |= set(self.sim.secrets()) - known
        timer = threading.Timer(2, revoke)
        timer.start()
        try:
            outcome = job.write().copy()
        finally:
            timer.cancel()
        self.assert_status(0, outcome)
        self.assert_exact(self.source, self.target)
        self.assertIn(len(self.source.failed_logins()), range(1, 4))

    def test_a_wrong_secret_is_named(self):
        self.fill(self.source, 3)
        outcome = self.job_by_secret("not the one").copy()
        self.assert_status(1, outcome)
        for user in self.users:
            self.assert_failed_mailbox(outcome, user, "client secret is wrong")
        self.assertNotIn("not the one", outcome.stdout + outcome.stderr)
        self.assertEqual([], self.source.failed_logins())
