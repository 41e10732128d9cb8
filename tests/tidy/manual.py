#!/usr/bin/env python3
"""The manual as a test: every key of the configuration, every verb and every option has its place in
docs/man, nothing else has, and groff has nothing to say about the pages."""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAN = pathlib.Path("docs/man")
VALUE_READERS = ("text", "texts", "path", "boolean", "bytes", "timeout", "moment", "number", "real",
                 "choice", "choices")


def accepted_keys(root):
    """The keys that config/load*.cpp asks for, and the tables."""
    keys, tables = set(), set()
    for path in sorted((root / "config").glob("load*.cpp")):
        code = path.read_text(encoding="utf-8")
        for method, key in re.findall(r'\b\w+\.(\w+)(?:<[\w:]+>)?\(\s*"(\w+)"', code):
            if method in VALUE_READERS:
                keys.add(key)
            elif method == "secret":
                keys |= {f"{key}_credential", f"{key}_file"}
            elif method in ("table", "named_tables", "table_array"):
                tables.add(key)
        for names in re.findall(r"for \(std::string const prefix : \{([^}]*)\}", code):
            for prefix in re.findall(r'"(\w+)"', names):
                keys |= {f"{prefix}_credential", f"{prefix}_file"}
    return keys, tables


def words_of(program, code):
    """The options and, for `mailferry`, the verbs that one of the programs takes."""
    start = code.index(f'parse_{"daemon_" if program == "mailferryd" else ""}options(')
    options = {"--help"} | set(re.findall(r'"(--[a-z-]+)"', code[start:]))
    if program == "mailferryd":
        return options, set()
    before = code[:start]
    options = options - {"--check"} | set(re.findall(r'"(--[a-z-]+)"', before))
    verbs = set(re.findall(r'^\s+\{"([a-z]+)", "', before, re.M))
    return options, verbs | set(re.findall(r'\badd\(\{"([a-z]+)", "', before))


def tokens(page, macro):
    """The words behind `macro` in a page's lists and synopses."""
    return set(re.findall(rf"\b{macro} ([\w-]+)", page))


def compare(page, what, there, wanted):
    faults = [f"{page}: {what} {word} is missing; describe it" for word in sorted(wanted - there)]
    return faults + [f"{page}: {what} {word} doesn't exist (any more); take it out"
                     for word in sorted(there - wanted)]


def faults(root=ROOT):
    pages = {name: (root / MAN / name).read_text(encoding="utf-8")
             for name in ("mailferry.1", "mailferryd.8", "mailferry.toml.5")}
    keys, tables = accepted_keys(root)
    settings = pages["mailferry.toml.5"]
    described = set()
    for line in re.findall(r"^\.It (Va .*)$", settings, re.M):
        described |= tokens(line, "Va")
    found = compare(MAN / "mailferry.toml.5", "key", described, keys)
    titles = " ".join(re.findall(r"^\.Sh \[+(.*?)\]+$", settings, re.M))
    found += compare(MAN / "mailferry.toml.5", "table", set(re.findall(r"[a-z]+", titles)), tables)

    code = (root / "daemon/cli/options.cpp").read_text(encoding="utf-8")
    for name, program in (("mailferry.1", "mailferry"), ("mailferryd.8", "mailferryd")):
        options, verbs = words_of(program, code)
        items = "\n".join(re.findall(r"^\.It .*$", pages[name], re.M))
        found += compare(MAN / name, "option", {f"-{word}" for word in tokens(items, "Fl")}, options)
        found += compare(MAN / name, "verb", tokens(items, "Cm"), verbs)

    for name in pages if shutil.which("groff") else ():
        lint = subprocess.run(["groff", "-mdoc", "-Tutf8", "-ww", "-z", root / MAN / name],
                              capture_output=True, text=True)
        found += [f"{MAN / name}: {line}" for line in lint.stderr.splitlines()]
    return found


if __name__ == "__main__":
    print("\n".join(faults()))
    sys.exit(1 if faults() else 0)
