#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the documents say about the tree, compared with the tree. Prints TAP.

  docs_snippets.py [ROOT]

- A C block, and any block after `<!-- from: FILE [NAME] -->`, is a copy: of the
  part of FILE between `/* doc: NAME */` and `/* end */`, or, without NAME, of
  lines somewhere in FILE (the ` * ` of comments does not count).
- Every such part of apps/tour is quoted in docs/writing-apps.md.
- Files and functions named as `folder/file` or `folder/file:name` exist.
- Relative links lead to something.
- README, architecture.md and decision records keep their length; records
  have their sections, a number of their own and a line in docs/README.md.
"""

import glob
import os
import re
import sys
import textwrap

FENCE = re.compile(r"^```(\w*)$")
FROM = re.compile(r"^<!-- from: (\S+)(?: (\S+))? -->$")
PART = re.compile(r"^/\* doc: (\S+) \*/\n(.*?)^/\* end \*/$", re.M | re.S)
FOLDERS = ("kernel|libos|rootserver|drivers|apps|scripts|tests|docs|cross|"
           "subprojects")
PLACE = re.compile(rf"`((?:{FOLDERS})/[\w./*-]*)(?::(\w+))?`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
LENGTHS = {"README.md": 150, "docs/architecture.md": 500}
RECORD_LINES = 80
RECORD_SECTIONS = ("Context", "Options", "Decision", "Evidence")


class Tree:
    """Files of the repository, read once."""

    def __init__(self, root):
        self.root = root
        self.texts = {}
        self.offences = []

    def read(self, path):
        if path not in self.texts:
            try:
                with open(os.path.join(self.root, path),
                          encoding="utf-8") as file:
                    self.texts[path] = file.read()
            except OSError:
                self.texts[path] = None
        return self.texts[path]

    def glob(self, pattern):
        found = glob.glob(os.path.join(self.root, pattern))
        return sorted(os.path.relpath(path, self.root) for path in found)

    def documents(self):
        return ["README.md"] + self.glob("docs/*.md") + \
            self.glob("docs/decisions/*.md")

    def blame(self, path, why):
        self.offences.append(f"{path}: {why}")


def blocks(text):
    """(line number, language, (file, name) or None, content) of each block."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        fence = FENCE.match(lines[at])
        if not fence:
            at += 1
            continue
        end = at + 1
        while end < len(lines) and lines[end] != "```":
            end += 1
        source = FROM.match(lines[at - 1]) if at else None
        yield (at + 1, fence.group(1), source and source.groups(),
               "\n".join(lines[at + 1:end]))
        at = end + 1


def parts(tree, path):
    return {name: body.strip("\n")
            for name, body in PART.findall(tree.read(path) or "")}


def uncommented(text):
    return "\n".join(re.sub(r"^ \*(?: |$)", "", line).rstrip()
                     for line in text.split("\n"))


def is_copy(tree, path, name, content):
    if name:
        return parts(tree, path).get(name) == content
    text = tree.read(path) or ""
    wanted = textwrap.dedent(content).strip("\n")
    return any(wanted in textwrap.dedent(form)
               for form in (text, uncommented(text),
                            textwrap.dedent(uncommented(text)))) or \
        content in uncommented(text) or content in text


def check_copies(tree):
    quoted = set()
    for path in tree.documents():
        for number, language, source, content in blocks(tree.read(path)):
            if source is None:
                if language == "c":
                    tree.blame(path, f"line {number}: C without a source")
                continue
            if not is_copy(tree, *source, content):
                tree.blame(path, f"line {number}: differs from "
                           + " ".join(filter(None, source)))
            if path == "docs/writing-apps.md":
                quoted.add(source)
    for path in tree.glob("apps/tour/*.c"):
        for name in parts(tree, path):
            if (path, name) not in quoted:
                tree.blame(path, f"{name} is not in docs/writing-apps.md")
    if not quoted:
        tree.blame("docs/writing-apps.md", "quotes nothing")


def check_places(tree):
    count = 0
    for path in tree.documents():
        for place, name in PLACE.findall(tree.read(path)):
            if "NAME" in place:
                continue
            count += 1
            found = tree.glob(place.rstrip("/"))
            if not found:
                tree.blame(path, f"there is no {place}")
            elif name and not any(
                    re.search(rf"\b{name}\b", tree.read(file) or "")
                    for file in found):
                tree.blame(path, f"there is no {name} in {place}")
    if count < 50:
        tree.blame("docs", f"only {count} places named: is PLACE right?")


def check_links(tree):
    for path in tree.documents():
        for link in LINK.findall(tree.read(path)):
            target = os.path.normpath(
                os.path.join(tree.root, os.path.dirname(path), link))
            if "://" not in link and not os.path.exists(target):
                tree.blame(path, f"dead link {link}")


def check_shape(tree):
    for path, limit in LENGTHS.items():
        count = len((tree.read(path) or "").splitlines())
        if not 0 < count <= limit:
            tree.blame(path, f"{count} lines, not 1..{limit}")
    numbers = set()
    for path in tree.glob("docs/decisions/*.md"):
        text = tree.read(path)
        name = os.path.basename(path)
        if len(text.splitlines()) > RECORD_LINES:
            tree.blame(path, f"more than {RECORD_LINES} lines")
        for section in RECORD_SECTIONS:
            if f"\n## {section}\n" not in text:
                tree.blame(path, f"no section {section}")
        if name[:4] in numbers:
            tree.blame(path, "its number is taken")
        numbers.add(name[:4])
        if name not in (tree.read("docs/README.md") or ""):
            tree.blame(path, "is not in docs/README.md")


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "..")
    failed = 0
    for check, title in ((check_copies, "quoted code is the tree's code"),
                         (check_places, "files and functions exist"),
                         (check_links, "links lead somewhere"),
                         (check_shape, "lengths and sections")):
        tree = Tree(os.path.abspath(root))
        check(tree)
        for offence in tree.offences:
            print("# " + offence)
        print(("not ok" if tree.offences else "ok") + f" - {title}")
        failed += bool(tree.offences)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
