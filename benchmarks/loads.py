"""What is copied in a benchmark: mailboxes of messages, made anew from the same seed."""

import base64
import itertools
import random
from datetime import datetime, timezone

from support import corpus, fill
from support.servers import Dovecot


class Load:
    """`scale` shrinks the number of messages in a mailbox, or of mailboxes where each has few.
    `round_trip_ms`: through proxies that delay and count; None: straight. `change` is done to the
    source between two runs, of which the second is what is measured then."""

    def __init__(self, name, what, mailboxes, each, content, round_trip_ms=None, change=None):
        self.name, self.what = name, what
        self.mailboxes, self.each, self.content = mailboxes, each, content
        self.round_trip_ms, self.change = round_trip_ms, change

    def users(self):
        return {f"user{number:03d}@fabrikam.example": f"secret{number:03d}"
                for number in range(self.mailboxes)}

    def fill(self, server):
        contents = self.content()
        plans = {user: fill.plan(number, list(itertools.islice(contents, self.each)), [("INBOX",)])
                 for number, user in enumerate(server.users)}
        fill.fill_all(server, plans)


def real_messages():
    return itertools.cycle(corpus.real_paths())


def office_messages():
    """Real texts, two of five with an attachment that doesn't compress: 200 KB on average."""
    choose = random.Random(4)
    for path in real_messages():
        text = corpus.load(path)
        if choose.random() < 0.4:
            noise = base64.encodebytes(choose.randbytes(int(choose.expovariate(1 / 360_000))))
            text += b"\r\n" + noise.replace(b"\n", b"\r\n")
        yield text


def small_messages(size=2_000):
    """Real headers and texts, each cut to half of `size`, at a line's end."""
    for path in real_messages():
        head, _, body = corpus.load(path).partition(b"\r\n\r\n")
        yield b"\r\n\r\n".join(part[:size // 2].rpartition(b"\r\n")[0] or part[:size // 2]
                                for part in (head, body)) + b"\r\n"


def change_one_percent(server, turn):
    """In each mailbox one percent of new messages, and the flag of another one percent."""
    messages = [((), fill.date_time(datetime(2024, 1, 1, tzinfo=timezone.utc)), corpus.load(path))
                for path in itertools.islice(real_messages(), 100)]
    for user in server.users:
        with server.connect(user) as client:
            there = _select(client)
            some = max(1, there // 100)
            client.append(b"INBOX", [messages[n % len(messages)] for n in range(some)])
            _flag(client, f"{there - some + 1}:{there}", turn)


def change_fifty_flags(server, turn):
    for user in server.users:
        with server.connect(user) as client:
            step = max(1, _select(client) // 50)
            _flag(client, ",".join(str(1 + number * step) for number in range(50)), turn)


def _select(client):
    """How many messages there are."""
    counts = [int(response[0]) for response in client.command(b"SELECT INBOX")
              if response[1:] == [b"EXISTS"]]
    return counts[0]


def _flag(client, numbers, turn):
    """On in even turns, off in odd ones."""
    sign = b"-" if turn % 2 else b"+"
    client.command(b"STORE ", numbers.encode(), b" ", sign, b"FLAGS.SILENT (\\Flagged)")


def loads(scale):
    def scaled(number):
        return max(1, round(number * scale))
    return [
        Load("a", "64 mailboxes x 100 real messages", scaled(64), 100, real_messages),
        Load("b", "16 x 250 office messages, mean 200 KB", 16, scaled(250), office_messages),
        Load("c", "8 x 20,000 of 2 KB", 8, scaled(20_000), small_messages),
        Load("d", "one mailbox of 50,000", 1, scaled(50_000), real_messages),
        Load("e20", "load a at 20 ms", scaled(64), 100, real_messages, 20),
        Load("e80", "load a at 80 ms", scaled(64), 100, real_messages, 80),
        Load("g", "load a, then 1 % new and 1 % flagged", scaled(64), 100, real_messages, 0,
             change_one_percent),
        Load("h", "one folder of 200,000, then 50 flags", 1, scaled(200_000), small_messages, 0,
             change_fifty_flags),
    ]


def server(folder, users):
    """A Dovecot for a benchmark: sdbox, no limit of connections."""
    return Dovecot(folder, users, admins={"migrate": "admin-secret"}, mail_format="sdbox",
                   plugins=())
