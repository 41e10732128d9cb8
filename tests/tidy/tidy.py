#!/usr/bin/env python3
"""Style as a test: layers, doors, lengths. Each message names the cure."""
import pathlib
import re
import subprocess
import sys

import manual

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE_FOLDERS = ("config", "async", "transport", "store", "daemon")
FILE_LINES_MAX = 800
LINE_COLUMNS_MAX = 100

# Which folders a folder may include from; itself always.
LAYERS = {
    "config/base": set(),
    "config": {"config/base"},
    "async": {"config/base"},
    "transport": {"config", "config/base", "async"},
    "store": {"config", "config/base", "async"},
    "daemon": {"config", "config/base", "async", "transport", "store"},
}

# A library's header may be included by these files only.
DOORS = {
    r"<sqlite3\.h>": r"store/ledger_",
    r"<liburing\.h>": r"store/io_ring",
    r"<zstd\.h>": r"store/blob_codec",
    r"<zlib\.h>": r"transport/(stream/deflate|http/gunzip)",
    r"<prometheus/": r"daemon/metrics",
    r"<systemd/": r"daemon/sd_notify",
    r"<toml\+\+/|<toml\.hpp": r"config/",
    r"<CLI/": r"daemon/(cli/|mailferry)",
    r"<spdlog/": r"config/base/log",
    r"<boost/beast": r"daemon/(control_socket|metrics_server|cli/client)|transport/http",
    r"<boost/json/basic_parser": r"transport/http/json_stream",
    r"<openssl/": r"config/base/(crypto|certificate)|store/aead|transport/(stream/tcp_tls|auth/oauth_assertion)",
}

BANNED = {
    r"\bsystem\(": "no shell: call the library instead",
    r"\bpopen\(": "no shell: call the library instead",
    r"\bstrcpy\(|\bsprintf\(": "use std::string or snprintf",
    r"\busing namespace std\b": "name what you use",
}


def layer_of(path: str) -> str:
    return "config/base" if path.startswith("config/base/") else path.split("/")[0]


def check(path: pathlib.Path) -> list[str]:
    name = path.relative_to(ROOT).as_posix()
    lines = path.read_text(encoding="utf-8").splitlines()
    faults = []
    if len(lines) > FILE_LINES_MAX:
        faults.append(f"{name}: {len(lines)} lines; split it by what its parts are for")
    if name.endswith(".hpp") and "#pragma once" not in lines[:3]:
        faults.append(f"{name}:1: begin a header with #pragma once")
    layer = layer_of(name)
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_COLUMNS_MAX:
            faults.append(f"{name}:{number}: {len(line)} columns; wrap at {LINE_COLUMNS_MAX}")
        include = re.match(r'#include "([^"]+)"', line)
        if include and layer in LAYERS:
            other = layer_of(include.group(1))
            if other in LAYERS and other != layer and other not in LAYERS[layer]:
                faults.append(f"{name}:{number}: {layer} must not know {other}; hand a value or "
                              f"an interface in from above")
        for header, door in DOORS.items():
            if line.startswith("#include") and re.search(header, line) and not re.match(door, name):
                faults.append(f"{name}:{number}: only {door}* may include this library; use its "
                              f"wrapper")
        for pattern, cure in BANNED.items():
            if re.search(pattern, line.split("//")[0]):
                faults.append(f"{name}:{number}: {cure}")
    return faults


def main() -> int:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.cpp", "*.hpp"],
                            cwd=ROOT, capture_output=True, text=True).stdout.split()
    files = [ROOT / name for name in listed if name.split("/")[0] in CODE_FOLDERS]
    if not files:
        files = [path for folder in CODE_FOLDERS for path in (ROOT / folder).rglob("*.[ch]pp")]
    faults = [fault for path in files for fault in check(path)] + manual.faults(ROOT)
    print("\n".join(faults))
    print(f"tidy: {len(files)} files, {len(faults)} faults")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())
