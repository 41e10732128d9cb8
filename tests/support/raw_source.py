"""A read-only IMAP source of our own that hands out bytes exactly as they are given.

Real servers mend messages when they store them, so none can show NUL, bare LF or CR to a copying
program. One folder, INBOX; a thread per session; only the commands of reading.
"""

import base64
import re
import socket
import socketserver
import threading
from pathlib import Path

from .fill import date_time
from .imap_client import Imap


class RawSource:
    """Looks like a server of servers.py as far as tests need it."""

    kind = "raw source"

    def __init__(self, users, messages, admins=None):
        self.users, self.messages = dict(users), messages
        self.admins = admins or {"migrate1": "raw admin"}
        self.certs, self.tls_port, self.folder = None, 0, Path("raw-source")
        self._server = None
        self.port = 0

    def start(self):
        handler = type("Handler", (_Session,), {"source": self})
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def connect(self, user, timeout=60):
        client = Imap("127.0.0.1", self.port, timeout=timeout)
        client.login(user, self.users[user])
        return client

    def accepts(self, authorize, user, password):
        if user in self.admins:
            return self.admins[user] == password and (authorize or user) in self.users
        return self.users.get(user) == password and authorize in ("", user)


class _Session(socketserver.StreamRequestHandler):
    source = None

    def handle(self):
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.say("* OK raw source ready")
        try:
            while self.one_command():
                pass
        except (OSError, ValueError):
            pass

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def one_command(self):
        words = self.read_command()
        if not words:
            return False
        tag, verb, rest = words[0], words[1].upper(), words[2:]
        if verb == "UID":
            verb, rest = f"UID_{rest[0].upper()}", rest[1:]
        handler = getattr(self, f"do_{verb}", None)
        if not handler:
            self.say(f"{tag} BAD unknown command")
            return True
        answer = handler(*rest)
        self.say(f"{tag} {answer or 'OK done'}")
        return verb != "LOGOUT"

    def read_command(self):
        line = self.rfile.readline().decode("utf-8", "surrogateescape")
        while match := re.search(r"\{(\d+)(\+?)\}\r\n$", line):
            if not match[2]:
                self.say("+ go on")
            literal = self.rfile.read(int(match[1])).decode("utf-8", "surrogateescape")
            quoted = literal.replace("\\", "\\\\").replace('"', '\\"')
            line = line[:match.start()] + f'"{quoted}"' + self.rfile.readline().decode()
        return [word[1:-1].replace('\\"', '"').replace("\\\\", "\\") if word[0] == '"' else word
                for word in re.findall(r'"(?:[^"\\]|\\.)*"|\([^()]*(?:\([^()]*\)[^()]*)*\)|[^\s]+',
                                       line)]

    def do_CAPABILITY(self):
        self.say("* CAPABILITY IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN NAMESPACE UNSELECT")

    def do_NOOP(self):
        pass

    do_CHECK = do_UNSELECT = do_CLOSE = do_NOOP

    def do_LOGOUT(self):
        self.say("* BYE good-bye")

    def do_LOGIN(self, user, password):
        return "OK in" if self.source.accepts("", user, password) else \
            "NO [AUTHENTICATIONFAILED] no"

    def do_AUTHENTICATE(self, _, initial=None):
        if initial is None:
            self.say("+ ")
            initial = self.rfile.readline().decode().strip()
        authorize, user, password = base64.b64decode(initial).decode().split("\0")
        return "OK in" if self.source.accepts(authorize, user, password) else \
            "NO [AUTHENTICATIONFAILED] no"

    def do_NAMESPACE(self):
        self.say('* NAMESPACE (("" "/")) NIL NIL')

    def do_LIST(self, *words):
        if words[-1] == "":
            self.say('* LIST (\\Noselect) "/" ""')
        else:
            self.say('* LIST (\\HasNoChildren) "/" INBOX')

    def do_LSUB(self, *_):
        self.say('* LSUB () "/" INBOX')

    def do_STATUS(self, name, *_):
        count = len(self.source.messages)
        self.say(f"* STATUS INBOX (MESSAGES {count} UIDNEXT {count + 1} UIDVALIDITY 77 UNSEEN 0)")

    def do_EXAMINE(self, *_):
        count = len(self.source.messages)
        self.say("* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft Eins)")
        self.say("* OK [PERMANENTFLAGS ()] read only")
        self.say(f"* {count} EXISTS\r\n* 0 RECENT")
        self.say(f"* OK [UIDVALIDITY 77] stays\r\n* OK [UIDNEXT {count + 1}] next")
        return "OK [READ-ONLY] open"

    do_SELECT = do_EXAMINE

    def do_UID_SEARCH(self, *_):
        self.say("* SEARCH " + " ".join(str(n + 1) for n in range(len(self.source.messages))))

    def do_UID_FETCH(self, numbers, *items):
        asked = " ".join(items).upper()
        for number in self.chosen(numbers):
            self.fetch_one(number, asked)

    do_FETCH = do_UID_FETCH

    def chosen(self, numbers):
        count = len(self.source.messages)
        for part in numbers.split(","):
            first, _, last = part.partition(":")
            low, high = (count if end == "*" else int(end) for end in (first, last or first))
            low, high = min(low, high), max(low, high)
            yield from range(max(low, 1), min(high, count) + 1)

    def fetch_one(self, number, asked):
        message = self.source.messages[number - 1]
        head = [f"UID {number}"]
        if "FLAGS" in asked:
            head.append(f"FLAGS ({' '.join(message.flags)})")
        if "INTERNALDATE" in asked:
            head.append(f'INTERNALDATE "{date_time(message.received).decode()}"')
        if "RFC822.SIZE" in asked:
            head.append(f"RFC822.SIZE {len(message.content)}")
        out = f"* {number} FETCH ({' '.join(head)}".encode()
        part = re.search(r"BODY(?:\.PEEK)?\[\](?:<(\d+)\.(\d+)>)?", asked)
        if part:
            data, label = message.content, "BODY[]"
            if part[1]:
                start = int(part[1])
                data, label = data[start:start + int(part[2])], f"BODY[]<{start}>"
            out += f" {label} {{{len(data)}}}\r\n".encode() + data
        self.wfile.write(out + b")\r\n")
