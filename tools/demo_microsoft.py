#!/usr/bin/env python3
"""The demonstration of tools/quickstart --microsoft: two tenants in a simulator of Microsoft's
cloud, 20 mailboxes with mail, calendars, contacts and tasks, three passes while the source goes on
changing, and an audit of what the simulator holds at the end."""

import collections
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.certificates import Certificates
from support.demo import copy, heading, run_in_folder
from support.graph import GraphSim
from support.graph_job import KINDS, GraphJob, House

MAILBOXES = 20
ITEMS = 150
FIRST = f'name = "first"\nkinds = {KINDS}\nmail_since = "7d"'
MONTHS = 'name = "half-year"\nkinds = ["mail"]\nmail_since = "180d"'
FINAL = f'name = "final"\nkinds = {KINDS}'


def audit(sim, source, target):
    missing = surplus = items = 0
    for one, other in zip(source.mailboxes(), target.mailboxes()):
        wanted, there = sim.crossing(one), sim.crossing(other)
        items += sum(wanted.values())
        missing += sum((wanted - there).values())
        surplus += sum((there - wanted).values())
    print(f"{MAILBOXES} mailboxes, {items} items: {missing} missing, {surplus} too many")
    broken, sent = sim.violations(), sim.outgoing_mail()
    print(f"rules of the service broken: {broken or 'none'}; mail sent by the copy: {len(sent)}")
    return items > 0 and missing == surplus == 0 and not broken and not sent


def classes(sim, house):
    count = collections.Counter(item["class"] for mailbox in house.mailboxes()
                                for item in sim.items_of(mailbox))
    return ", ".join(f"{number} {name}" for name, number in count.most_common(6))


def run(folder):
    sim = GraphSim(folder / "cloud", Certificates(folder / "tls"), latency_ms=5).start()
    try:
        heading("Two tenants in a simulator of Microsoft 365")
        source = House(sim, "fabrikam.onmicrosoft.com", source=True, apps=2,
                       certificate_folder=folder / "apps")
        target = House(sim, "contoso.onmicrosoft.com", source=False, apps=2)
        source.seed(MAILBOXES, ITEMS)
        target.seed(MAILBOXES, 0, own_folders=False, seed=2)
        print(f"fabrikam: {MAILBOXES} mailboxes: {classes(sim, source)}\n"
              f"contoso:  {MAILBOXES} empty mailboxes; two app registrations on each side")
        job = GraphJob(folder / "ferry", source, target, passes=(FIRST,), memory_max="128MiB")
        heading("First pass: contacts, calendars, tasks, one week of mail")
        status = copy(job)
        job.passes = (MONTHS,)
        heading("Second pass: half a year of mail, while people go on working")
        sim.mutate(source.mailboxes(), 20, seed=7, kinds=["deliver", "edit", "flag"])
        status |= copy(job.write())
        sim.mutate(source.mailboxes(), 0)
        job.passes = (FINAL,)
        heading("Final pass: everything, and what changed")
        status |= copy(job.write())
        heading("Audit")
        exact = audit(sim, source, target)
    finally:
        sim.stop()
    print("\nboth tenants hold the same" if exact else "\nthe copy is NOT exact")
    return 0 if exact and status == 0 else 1


if __name__ == "__main__":
    sys.exit(run_in_folder(run))
