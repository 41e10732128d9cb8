"""Fills a mailbox of a server from a plan; the same seed gives the same mailbox."""

import datetime
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from . import corpus
from .imap_client import ImapError, decode_name, encode_name

FOLDERS = [
    ("INBOX",), ("Sent",), ("Drafts",), ("Trash",), ("Junk",), ("Archive",), ("Archive", "2024"),
    ("Archive", "2023", "Quartal 4"), ("Projekte", "Größe & Maß"), ("Проекты", "Отчёты"),
    ("日本語", "受信"), ("Crème brûlée",), ("Emoji 😀",), ("tilde~plus+minus-",),
    ('Quote "and" more',),
]
UNSUBSCRIBED = {("Archive", "2024"), ("Crème brûlée",), ("Trash",)}
KEYWORDS = ["$Forwarded", "$Label1", "NonJunk", "$MDNSent", "Projekt-X", "work"]
ZONES = [0, 60, 120, -300, -210, 330, 345, 840, -720]
LAST_DATE = datetime.datetime(2025, 6, 30, 12, tzinfo=datetime.timezone.utc)
TWO_YEARS = 730 * 86400
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@dataclass
class Message:
    """One message to store; content is bytes, a Path of the corpus, or (size, pieces)."""

    folder: tuple
    content: object
    flags: list = field(default_factory=list)
    received: datetime.datetime = LAST_DATE

    def bytes_or_stream(self):
        return corpus.load(self.content) if isinstance(self.content, Path) else self.content


def plan(seed, contents, folders=None, deleted_share=0.0):
    """Spreads contents over folders, with flags, keywords and received dates over two years."""
    choose = random.Random(seed)
    folders = folders or FOLDERS
    messages = []
    for number, content in enumerate(contents):
        folder = folders[number % len(folders)] if number < len(folders) else choose.choice(folders)
        messages.append(Message(folder, content, _flags(choose, folder, deleted_share),
                                _received(choose)))
    return messages


def _flags(choose, folder, deleted_share):
    flags = [flag for flag, share in (("\\Seen", 0.7), ("\\Answered", 0.15), ("\\Flagged", 0.1),
                                      ("\\Deleted", deleted_share)) if choose.random() < share]
    if folder == ("Drafts",):
        flags.append("\\Draft")
    if choose.random() < 0.25:
        flags += choose.sample(KEYWORDS, choose.randint(1, 3))
    return flags


def _received(choose):
    zone = datetime.timezone(datetime.timedelta(minutes=choose.choice(ZONES)))
    back = datetime.timedelta(seconds=choose.randrange(TWO_YEARS))
    return (LAST_DATE - back).astimezone(zone)


def date_time(moment):
    """IMAP's date-time, written without the machine's locale."""
    offset = int(moment.utcoffset().total_seconds()) // 60
    sign, offset = ("-", -offset) if offset < 0 else ("+", offset)
    return (f"{moment.day:02d}-{_MONTHS[moment.month - 1]}-{moment.year:04d} "
            f"{moment:%H:%M:%S} {sign}{offset // 60:02d}{offset % 60:02d}").encode()


class Layout:
    """Turns folder paths into the names of one server: its prefix and its separator."""

    def __init__(self, client):
        self.prefix, self.separator = "", "/"
        for response in client.command(b"NAMESPACE"):
            if response[0].upper() == b"NAMESPACE" and response[1]:
                prefix, separator = response[1][0][:2]
                self.prefix = decode_name(prefix)
                self.separator = separator.decode() if separator else ""

    def name(self, path):
        if path[0].upper() == "INBOX":
            return encode_name(self.separator.join(("INBOX",) + tuple(path[1:])))
        return encode_name(self.prefix + self.separator.join(path))

    def path(self, name):
        """The path of a name in the personal namespace; None outside it."""
        text = decode_name(name)
        parts = tuple(text.split(self.separator)) if self.separator else (text,)
        if parts[0].upper() == "INBOX":
            if len(parts) == 1:
                return ("INBOX",)
            if self.prefix.upper() == "INBOX" + self.separator:
                return parts[1:]
            return ("INBOX",) + parts[1:]
        return parts if text.startswith(self.prefix) or not self.prefix else None


def fill(server, user, messages, folders=None, unsubscribed=UNSUBSCRIBED):
    """Makes the folders and stores the messages in order. Answers the number stored."""
    with server.connect(user) as client:
        layout = Layout(client)
        for path in dict.fromkeys([*(folders or []), *(message.folder for message in messages)]):
            _make_folder(client, layout.name(path), path not in unsubscribed)
        by_folder = {}
        for message in messages:
            by_folder.setdefault(message.folder, []).append(message)
        for path, group in by_folder.items():
            _append(client, layout.name(path), group)
    return len(messages)


def _make_folder(client, name, subscribed):
    try:
        if name.upper() != b"INBOX":
            client.command(b"CREATE ", client.quoted(name))
    except ImapError as error:
        if b"exists" not in error.text.lower():
            raise
    verb = b"SUBSCRIBE " if subscribed else b"UNSUBSCRIBE "
    client.command(verb, client.quoted(name))


def _append(client, name, messages, group_bytes_max=8 << 20, group_count_max=64):
    group, size = [], 0
    for message in messages:
        content = message.bytes_or_stream()
        length = content[0] if isinstance(content, tuple) else len(content)
        if group and (size + length > group_bytes_max or len(group) == group_count_max):
            client.append(name, group)
            group, size = [], 0
        group.append(([flag.encode() for flag in message.flags], date_time(message.received),
                      content))
        size += length
    if group:
        client.append(name, group)


def fill_all(server, plans, folders=None, workers=4):
    """plans: user -> messages. Several mailboxes at once."""
    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(lambda user: fill(server, user, plans[user], folders), plans))
