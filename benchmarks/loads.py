"""What is copied in a benchmark: mailboxes of messages, made anew from the same seed."""

import base64
import itertools
import random

from support import corpus, fill
from support.servers import Dovecot


class Load:
    """`scale` shrinks the number of messages in a mailbox, or of mailboxes where each has few."""

    def __init__(self, name, what, mailboxes, each, content):
        self.name, self.what = name, what
        self.mailboxes, self.each, self.content = mailboxes, each, content

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


def loads(scale):
    def scaled(number):
        return max(1, round(number * scale))
    return [
        Load("a", "64 mailboxes x 100 real messages", scaled(64), 100, real_messages),
        Load("b", "16 x 250 office messages, mean 200 KB", 16, scaled(250), office_messages),
        Load("c", "8 x 20,000 of 2 KB", 8, scaled(20_000), small_messages),
        Load("d", "one mailbox of 50,000", 1, scaled(50_000), real_messages),
    ]


def server(folder, users):
    """A Dovecot for a benchmark: sdbox, no limit of connections."""
    return Dovecot(folder, users, admins={"migrate": "admin-secret"}, mail_format="sdbox",
                   plugins=())
