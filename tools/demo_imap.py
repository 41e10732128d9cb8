#!/usr/bin/env python3
"""The demonstration of tools/quickstart: two throw-away Dovecots, 6,046 real messages, one copy,
and an audit by a program that shares no code with mailferry."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support import audit, corpus, fill, servers
from support.certificates import Certificates
from support.demo import copy, heading, run_in_folder
from support.mailferry import Job, Side

NAMES = ["ada.lovelace", "bjoern.aase", "carmen.ibanez", "dmitri.orlov", "emi.sato", "fatou.diop",
         "info", "room-4.07"]


def start_servers(folder):
    users = {f"{name}@fabrikam.example": f"secret {n}" for n, name in enumerate(NAMES)}
    twins = {user: user.replace("fabrikam", "contoso") for user in users}
    admins = {"migrate1": "first secret", "migrate2": "second secret"}
    certs = Certificates(folder / "tls")
    source = servers.Dovecot(folder / "fabrikam", users, admins, certs, mail_format="maildir",
                             prefix="INBOX.", separator=".")
    target = servers.Dovecot(folder / "contoso", {twins[user]: users[user] for user in users},
                             admins, certs, mail_format="sdbox")
    return source, target, twins


def fill_source(source):
    paths = corpus.real_paths()
    users = list(source.users)
    plans = {user: fill.plan(number, paths[number::len(users)])
             for number, user in enumerate(users)}
    return fill.fill_all(source, plans)


def check(source, target, twins):
    exact = True
    for user, twin in twins.items():
        with source.connect(user) as one, target.connect(twin) as other:
            verdict = audit.compare(audit.snapshot(one), audit.snapshot(other))
        print(f"{twin:32} {verdict}", flush=True)
        exact = exact and verdict.exact
    return exact


def run(folder):
    source, target, twins = start_servers(folder)
    try:
        source.start()
        target.start()
        heading("Two throw-away mail servers")
        count = fill_source(source)
        print(f"fabrikam: {len(twins)} mailboxes, {count} real messages, "
              f"{len(fill.FOLDERS)} folders each, on port {source.tls_port}\n"
              f"contoso:  {len(twins)} empty mailboxes, on port {target.tls_port}")
        job = Job(folder / "ferry", Side(source, tls="implicit"),
                  Side(target, tls="starttls", auth="login-master"), twins.items(),
                  memory_max="128MiB")
        heading("mailferry copy --config ferry.toml")
        status = copy(job)
        heading("Audit: bytes, dates, flags, keywords, folders and subscriptions at both sides")
        exact = check(source, target, twins)
    finally:
        source.stop()
        target.stop()
    print(f"\n{count} messages: every one is at the target, unaltered" if exact else
          "\nthe copy is NOT exact")
    return 0 if exact and status == 0 else 1


if __name__ == "__main__":
    sys.exit(run_in_folder(run))
