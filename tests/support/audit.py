"""ferry-audit: compares a mailbox with its copy, knowing nothing of the program that made it.

What must be equal, per folder: the multiset of (SHA-256 of the bytes, received instant, flags and
keywords without \\Recent); further the folders, their subscriptions and their special uses. On the
command line:

    audit.py [--password-file FILE] imap://USER:PASSWORD@HOST:PORT imap://USER:PASSWORD@HOST:PORT

prints what is missing, extra or altered and ends with status 1 if anything is.
"""

import argparse
import datetime
import re
import sys
import urllib.parse
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support.fill import Layout
from support.imap_client import Imap, ImapError, digest_of

_MONTHS = {name: number for number, name in enumerate(
    b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_ROLES = {b"\\sent", b"\\drafts", b"\\trash", b"\\junk", b"\\archive", b"\\flagged", b"\\all"}


class Item(NamedTuple):
    digest: str
    instant: int
    flags: frozenset


@dataclass
class Folder:
    items: dict = field(default_factory=dict)  # uid -> Item
    use: str = ""
    subscribed: bool = False
    selectable: bool = True
    state: tuple = ()  # UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ: what any change would change

    def counter(self):
        return Counter(self.items.values())


def instant_of(text):
    """INTERNALDATE as seconds since 1970, without the machine's locale or zone."""
    match = re.fullmatch(rb"\s*(\d+)-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)", text)
    day, month, year, hour, minute, second, sign, zone_h, zone_m = match.groups()
    moment = datetime.datetime(int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute),
                               int(second), tzinfo=datetime.timezone.utc)
    offset = (int(zone_h) * 60 + int(zone_m)) * 60
    return int(moment.timestamp()) - (offset if sign == b"+" else -offset)


def snapshot(client, alter=None):
    """Reads one mailbox whole: path -> Folder. `alter` maps a message's bytes to those that the
    other server is known to make of them."""
    layout = Layout(client)
    folders, names = {}, {}
    for response in client.command(b'LIST "" "*"'):
        attributes = {flag.lower() for flag in response[1]}
        path = layout.path(response[3])
        if path is None or b"\\nonexistent" in attributes:
            continue
        folder = folders.setdefault(path, Folder())
        names[path] = response[3]
        folder.selectable = b"\\noselect" not in attributes
        folder.use = b" ".join(sorted(attributes & _ROLES)).decode()
    _subscriptions(client, layout, folders)
    # Asked for at the first look, so that the second one compares real numbers: Dovecot begins to
    # keep them when the first client asks.
    capability = client.command(b"CAPABILITY")[0]
    option = b" (CONDSTORE)" if b"CONDSTORE" in capability else b""
    for path, folder in folders.items():
        if folder.selectable:
            _read_folder(client, client.quoted(names[path]) + option, folder, alter)
    return folders


def _subscriptions(client, layout, folders):
    for response in client.command(b'LSUB "" "*"'):
        path = layout.path(response[3])
        if path in folders and b"\\noselect" not in {flag.lower() for flag in response[1]}:
            folders[path].subscribed = True


def _read_folder(client, name, folder, alter):
    state = {}
    for response in client.command(b"EXAMINE ", name):
        match = re.match(rb"\[(UIDVALIDITY|UIDNEXT|HIGHESTMODSEQ) (\d+)\]", response[-1] or b"") \
            if len(response) == 2 and isinstance(response[-1], bytes) else None
        if match:
            state[match[1]] = int(match[2])
        if response[1:] == [b"EXISTS"]:
            state[b"EXISTS"] = int(response[0])
    folder.state = tuple(state.get(key, 0) for key in (b"UIDVALIDITY", b"UIDNEXT",
                                                       b"HIGHESTMODSEQ"))

    def keep(response):
        if len(response) == 3 and response[1].upper() == b"FETCH":
            values = dict(zip((key.upper() for key in response[2][::2]), response[2][1::2]))
            if b"BODY[]" in values:
                folder.items[int(values[b"UID"])] = _item(values, alter)

    if state.get(b"EXISTS"):
        client.command(b"UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])", each=keep)


def _item(values, alter):
    body = values[b"BODY[]"]
    if body is None:
        body = b""
    if isinstance(body, bytes):
        digest = digest_of(alter(body) if alter else body)
    else:
        digest = body.hex()
    flags = frozenset(flag.lower().decode("utf-8", "replace") for flag in values[b"FLAGS"])
    return Item(digest, instant_of(values[b"INTERNALDATE"]), flags - {"\\recent"})


def cyrus_keeps(data):
    """What Cyrus makes of a message: each octet beyond ASCII in the header becomes an X."""
    end = data.find(b"\r\n\r\n")
    header = data if end < 0 else data[:end]
    return re.sub(rb"[\x80-\xff]", b"X", header) + data[len(header):]


@dataclass
class Rules:
    """What the copy was asked for."""

    exclude: tuple = ()           # paths, last names or special uses
    copy_deleted: bool = False
    since: int = None             # instants, half open
    before: int = None
    reported: Counter = field(default_factory=Counter)  # digests of items exported to quarantine
    check_flags: bool = True
    check_subscriptions: bool = True
    rename: dict = field(default_factory=dict)  # source path -> target path

    def wants(self, item):
        if "\\deleted" in item.flags and not self.copy_deleted:
            return False
        return (self.since is None or item.instant >= self.since) and (
            self.before is None or item.instant < self.before)

    def covers(self, path, folder):
        names = {name.lower() for name in self.exclude}
        spellings = {"/".join(path).lower(), path[-1].lower(), *folder.use.split(),
                     *(use.lstrip("\\") for use in folder.use.split())}
        parents = {"/".join(path[:n]).lower() for n in range(1, len(path))}
        return not names & (spellings | parents)


class Verdict:
    """Findings, each a line for people; empty when the copy is exact."""

    def __init__(self):
        self.findings = []
        self.items = self.folders = self.reported = self.left_out = 0

    def add(self, kind, path, text=""):
        self.findings.append(f"{kind}: {'/'.join(path)}{': ' if text else ''}{text}")

    def kinds(self):
        return Counter(finding.partition(":")[0] for finding in self.findings)

    @property
    def exact(self):
        return not self.findings

    def __str__(self):
        head = f"{self.items} items in {self.folders} folders"
        head += f", {self.left_out} left out by rule" if self.left_out else ""
        head += f", {self.reported} reported" if self.reported else ""
        if self.exact:
            return f"{head}: exact"
        return "\n".join([f"{head}: {len(self.findings)} differences", *self.findings[:40]])


def compare(source, target, rules=None):
    rules, verdict = rules or Rules(), Verdict()
    by_use = _shared_uses(source, target)
    reported, expected = Counter(rules.reported), set()
    for path, folder in source.items():
        if not folder.selectable or not rules.covers(path, folder):
            verdict.left_out += len(folder.items)
            continue
        there = rules.rename.get(path) or by_use.get(path) or _moved(path, by_use)
        expected.add(there)
        verdict.folders += 1
        if there not in target or not target[there].selectable:
            verdict.add("folder missing", path)
            other = Folder()
        else:
            other = target[there]
            _compare_traits(path, folder, other, rules, verdict)
        _compare_items(path, folder, other, rules, reported, verdict)
    _extra_folders(target, expected, verdict)
    return verdict


def _shared_uses(source, target):
    """Top-level folders of one special use are one folder, whatever they are called."""
    target_uses = {folder.use: path for path, folder in target.items() if folder.use}
    return {path: target_uses[folder.use] for path, folder in source.items()
            if folder.use and len(path) == 1 and folder.use in target_uses}


def _moved(path, by_use):
    """Children of a folder that has another name at the target move with it."""
    for length in range(len(path) - 1, 0, -1):
        if path[:length] in by_use:
            return by_use[path[:length]] + path[length:]
    return path


def _compare_traits(path, folder, other, rules, verdict):
    if not rules.check_subscriptions or path == ("INBOX",) or folder.use:
        return
    if folder.subscribed != other.subscribed:
        verdict.add("subscription", path, f"source {folder.subscribed}, target {other.subscribed}")


def _compare_items(path, folder, other, rules, reported, verdict):
    wanted, found = Counter(), other.counter()
    for item in folder.items.values():
        if rules.wants(item):
            wanted[item._replace(flags=item.flags - {"\\deleted"})] += 1
        else:
            verdict.left_out += 1
    if not rules.check_flags:
        wanted, found = _without_flags(wanted), _without_flags(found)
    verdict.items += sum(wanted.values())
    missing, extra = list((wanted - found).elements()), list((found - wanted).elements())
    for same, kind in ((lambda a, b: a.digest == b.digest, "date or flags altered"),
                       (lambda a, b: a[1:] == b[1:], "bytes altered")):
        for item in list(missing):
            twin = next((one for one in extra if same(item, one)), None)
            if twin:
                missing.remove(item)
                extra.remove(twin)
                verdict.add(kind, path, f"{_show(item)} became {_show(twin)}")
    for item in missing:
        if reported[item.digest]:
            reported[item.digest] -= 1
            verdict.reported += 1
        else:
            verdict.add("missing", path, _show(item))
    for item in extra:
        kind = "duplicate" if any(item.digest == one.digest for one in wanted) else "extra"
        verdict.add(kind, path, _show(item))


def _without_flags(counter):
    result = Counter()
    for item, count in counter.items():
        result[item._replace(flags=frozenset())] += count
    return result


def _show(item):
    moment = datetime.datetime.fromtimestamp(item.instant, datetime.timezone.utc)
    return f"{item.digest[:12]} {moment:%Y-%m-%dT%H:%M:%SZ} ({' '.join(sorted(item.flags))})"


def _extra_folders(target, expected, verdict):
    for path, folder in target.items():
        is_parent = any(one[:len(path)] == path for one in expected)
        if path in expected or path == ("INBOX",) and not folder.items:
            continue
        if folder.items or not (is_parent or folder.use):
            verdict.add("folder extra", path, f"{len(folder.items)} items")


def source_changes(before, after):
    """What differs between two snapshots of one source; empty when nothing was touched."""
    changes = []
    for path in before.keys() | after.keys():
        one, other = before.get(path), after.get(path)
        if one is None or other is None:
            changes.append(f"{'/'.join(path)}: folder {'gone' if other is None else 'new'}")
        elif one != other:
            changes.append(f"{'/'.join(path)}: {one.state} became {other.state}, "
                           f"{len(one.items)} items became {len(other.items)}")
    return changes


def quarantined(state_dir):
    """Digests of what the program exported because the target refused it."""
    return Counter(digest_of(path.read_bytes())
                   for path in Path(state_dir, "quarantine").rglob("*.eml"))


def _open(url, password_file):
    parts = urllib.parse.urlsplit(url)
    tls = {"imap": None, "imaps": "implicit", "imap+starttls": "starttls"}[parts.scheme]
    client = Imap(parts.hostname, parts.port or (993 if tls == "implicit" else 143), tls)
    password = Path(password_file).read_text().rstrip("\n") if password_file else \
        urllib.parse.unquote(parts.password or "")
    client.login(urllib.parse.unquote(parts.username), password)
    return client


def main():
    parser = argparse.ArgumentParser(description="Compares a mailbox with its copy.")
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--source-password-file")
    parser.add_argument("--target-password-file")
    parser.add_argument("--state-dir", help="of the copy: items in its quarantine aren't missing")
    parser.add_argument("--exclude", action="append", default=[])
    arguments = parser.parse_args()
    try:
        with _open(arguments.source, arguments.source_password_file) as source, \
                _open(arguments.target, arguments.target_password_file) as target:
            rules = Rules(exclude=tuple(arguments.exclude))
            if arguments.state_dir:
                rules.reported = quarantined(arguments.state_dir)
            verdict = compare(snapshot(source), snapshot(target), rules)
    except (ImapError, OSError, EOFError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return 2
    print(verdict)
    return 0 if verdict.exact else 1


if __name__ == "__main__":
    sys.exit(main())
