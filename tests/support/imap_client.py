"""A small IMAP client for the oracle: independent of the program under test, streaming literals.

Standard library only. One command at a time (MULTIAPPEND and {n+} included); answers come back as
parsed values: atoms and quoted strings as bytes, lists as lists, NIL as None, literals as bytes or,
beyond `keep_bytes_max`, as a Digest.
"""

import base64
import hashlib
import re
import socket
import ssl

KEEP_BYTES_MAX = 4 << 20
_BARE_LF = re.compile(rb"(?<!\r)\n")
_LITERAL_END = re.compile(rb"\{(\d+)\}$")


class ImapError(Exception):
    """The server's NO, BAD or BYE; `text` is its whole line."""

    def __init__(self, text):
        super().__init__(text.decode("utf-8", "replace"))
        self.text = text


class Digest:
    """SHA-256 of bytes with every bare LF made CRLF, fed in pieces."""

    def __init__(self):
        self.size = 0
        self._hash = hashlib.sha256()
        self._last_was_cr = False

    def feed(self, piece):
        if not piece:
            return
        out = _BARE_LF.sub(b"\r\n", piece)
        if self._last_was_cr and piece[:1] == b"\n":
            out = out[1:]  # The pattern can't see the CR that ended the piece before.
        self._last_was_cr = piece[-1:] == b"\r"
        self._hash.update(out)
        self.size += len(out)

    def hex(self):
        return self._hash.hexdigest()


def digest_of(data):
    digest = Digest()
    digest.feed(data)
    return digest.hex()


class Imap:
    def __init__(self, host, port, tls=None, ca_file=None, timeout=120):
        """tls: None, "implicit" or "starttls"."""
        self._socket = socket.create_connection((host, port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = ssl.create_default_context(cafile=ca_file) if tls else None
        if tls == "implicit":
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
        self._file = self._socket.makefile("rb", 256 << 10)
        self._tag = 0
        self.greeting = self._line()
        if tls == "starttls":
            self.command(b"STARTTLS")
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
            self._file = self._socket.makefile("rb", 256 << 10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.command(b"LOGOUT")
        except (ImapError, OSError, EOFError):
            pass
        self._file.close()
        self._socket.close()

    def login(self, user, password):
        self.command(b"LOGIN ", self.quoted(user.encode()), b" ", self.quoted(password.encode()))

    def login_plain(self, authorize, user, password):
        secret = "\0".join([authorize, user, password]).encode()
        self.command(b"AUTHENTICATE PLAIN " + base64.b64encode(secret))

    @staticmethod
    def quoted(data):
        return b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'

    def command(self, *parts, each=None):
        """Sends and waits for the tagged OK; answers the untagged responses, or hands each of
        them to `each` as it comes. NO and BAD raise ImapError."""
        self._tag += 1
        tag = b"a%d" % self._tag
        self._socket.sendall(b"".join([tag, b" ", *parts, b"\r\n"]))
        return self._responses(tag, each)

    def append(self, folder, messages):
        """MULTIAPPEND of (flags, date-time text, bytes or iterable of pieces with its size).

        Streams: a message may be (size, pieces). Answers the last line of the server.
        """
        self._tag += 1
        tag = b"a%d" % self._tag
        head = tag + b" APPEND " + self.quoted(folder)
        pending = [head]
        for flags, date, content in messages:
            size, pieces = content if isinstance(content, tuple) else (len(content), [content])
            pending.append(b' (%s) "%s" {%d+}\r\n' % (b" ".join(flags), date, size))
            for piece in pieces:
                pending.append(piece)
                if sum(map(len, pending)) > 1 << 20:
                    self._socket.sendall(b"".join(pending))
                    pending = []
        pending.append(b"\r\n")
        self._socket.sendall(b"".join(pending))
        return self._responses(tag, None)

    def _responses(self, tag, each):
        untagged = []
        while True:
            line = self._line()
            if line.startswith(tag + b" "):
                if not line[len(tag) + 1:].upper().startswith(b"OK"):
                    raise ImapError(line)
                return untagged
            if line.startswith(b"+"):
                raise ImapError(b"unexpected continuation: " + line)
            if line.upper().startswith(b"* BYE") and tag is not None:
                untagged.append([b"BYE"])
                continue
            response = self._parse(line[2:])
            if each:
                each(response)
            else:
                untagged.append(response)

    def _line(self):
        line = self._file.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the server closed the connection")
        return line.rstrip(b"\r\n")

    def _literal(self, size):
        if size <= KEEP_BYTES_MAX:
            data = self._file.read(size)
            if len(data) != size:
                raise EOFError("the server closed inside a literal")
            return data
        digest, left = Digest(), size
        while left:
            piece = self._file.read1(min(left, 256 << 10))
            if not piece:
                raise EOFError("the server closed inside a literal")
            digest.feed(piece)
            left -= len(piece)
        return digest

    def _parse(self, line):
        """One response, with its literals, as nested lists. Response text is kept whole."""
        if re.match(rb"(OK|NO|BAD|PREAUTH)\b", line, re.I):
            return line.split(b" ", 1)
        stack = [[]]
        while True:
            literal = _LITERAL_END.search(line)
            self._tokens(line[:literal.start()] if literal else line, stack)
            if not literal:
                return stack[0]
            stack[-1].append(self._literal(int(literal[1])))
            line = self._line()

    _TOKEN = re.compile(rb'\s+|(\()|(\))|"((?:[^"\\]|\\.)*)"|((?:[^\s()"\[\]]|\[[^\]]*\])+)', re.S)

    def _tokens(self, text, stack):
        for match in self._TOKEN.finditer(text):
            opened, closed, quoted, atom = match.groups()
            if opened:
                stack[-1].append([])
                stack.append(stack[-1][-1])
            elif closed:
                stack.pop()
            elif quoted is not None:
                stack[-1].append(re.sub(rb"\\(.)", rb"\1", quoted))
            elif atom is not None:
                stack[-1].append(None if atom.upper() == b"NIL" else atom)


def encode_name(name):
    """A folder name in modified UTF-7 (RFC 3501, 5.1.3)."""
    out, wide = [], []

    def flush():
        if wide:
            raw = base64.b64encode("".join(wide).encode("utf-16-be")).rstrip(b"=")
            out.append(b"&" + raw.replace(b"/", b",") + b"-")
            wide.clear()

    for char in name:
        if " " <= char <= "~":
            flush()
            out.append(b"&-" if char == "&" else char.encode())
        else:
            wide.append(char)
    flush()
    return b"".join(out)


def decode_name(data):
    def run(match):
        if not match[1]:
            return "&"
        raw = match[1].replace(",", "/")
        return base64.b64decode(raw + "=" * (-len(raw) % 4)).decode("utf-16-be")
    return re.sub(r"&([A-Za-z0-9+,]*)-", run, data.decode("utf-8"))
