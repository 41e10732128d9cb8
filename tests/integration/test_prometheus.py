"""Rules and dashboard: checked by promtool, and asked of a real Prometheus that scrapes a copy."""

import json
import re
import shutil
import subprocess
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from support import process
from support.case import FerryCase
from support.mailferry import Daemon
from support.process import wait_until

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "packaging/prometheus/mailferry.rules.yml"
RULE_TESTS = ROOT / "packaging/prometheus/mailferry.rules.test.yml"
DASHBOARD = ROOT / "packaging/grafana/mailferry.json"
METRICS = ROOT / "docs/metrics.md"


def dashboard_queries():
    """What Grafana would ask with all services chosen, by panel."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], (target["expr"].replace("$instance", ".*")
                                   .replace("$__rate_interval", "1m"))


class Files(unittest.TestCase):
    def promtool(self, *words):
        done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_rules(self):
        self.promtool("check", "rules", RULES)
        self.promtool("test", "rules", RULE_TESTS)

    def test_every_alert_has_a_test_and_says_what_to_do(self):
        text, tests = RULES.read_text(), RULE_TESTS.read_text()
        runbook = (ROOT / "docs/operations.md").read_text()
        alerts = re.findall(r"- alert: (\w+)", text)
        self.assertGreater(len(alerts), 5)
        self.assertEqual(len(alerts), text.count("what_to_do:"))
        for alert in alerts:
            self.assertIn(alert, tests)
            self.assertIn(alert, runbook, "what the alert means")

    def test_only_metrics_that_exist_are_asked_for(self):
        known = set(re.findall(r"`(mailferry_\w+)`", METRICS.read_text()))
        asked = RULES.read_text() + "".join(query for _, query in dashboard_queries())
        self.assertLessEqual(set(re.findall(r"\bmailferry_\w+", asked)), known)


class Scraped(FerryCase):
    def test_every_query_of_the_dashboard_finds_something(self):
        source, target = self.server("source"), self.server("target", mail_format="sdbox")
        self.fill(source, 60)
        ferry = self.job(source, target)
        daemon = Daemon(ferry)
        self.addCleanup(daemon.__exit__)
        port = self.start_prometheus(ferry.metrics_port)
        wait_until(lambda: '"done"' in ferry.verb("passes", "--json").stdout, 60, "the pass", 0.5)
        first = "mailferry:stored_bytes:rate5m"
        wait_until(lambda: self.ask(port, first), 60, "two scrapes and the rules", 0.5)
        for title, query in dashboard_queries():
            with self.subTest(panel=title, query=query):
                self.assertTrue(self.ask(port, query), "nothing found")
        stored, = self.ask(port, "sum(mailferry_items_stored_total)")
        self.assertEqual("240", stored["value"][1])

    def start_prometheus(self, scraped_port):
        port, = process.free_ports(1)
        shutil.copy(RULES, self.folder)
        (self.folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            f"rule_files: [{RULES.name}]\n"
            "scrape_configs:\n"
            "  - job_name: mailferry\n"
            f"    static_configs: [{{targets: ['127.0.0.1:{scraped_port}']}}]\n")
        log = open(self.folder / "prometheus.log", "wb")
        self.addCleanup(log.close)
        server = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder}/prometheus.yml",
             f"--storage.tsdb.path={self.folder}/tsdb", f"--web.listen-address=127.0.0.1:{port}"],
            stdout=log, stderr=log)
        self.addCleanup(process.end, server)
        return port

    @staticmethod
    def ask(port, query):
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]["result"]
        except ConnectionError:
            return []
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}: {error.read().decode()}") from error
        except urllib.error.URLError:
            return []  # Not up yet.
