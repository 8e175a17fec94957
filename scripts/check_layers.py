#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Who may include whom: the layers of the tree, checked on every #include.

  check_layers.py [ROOT]

Each file belongs to the first layer below whose folder it lies in, and may
include its own layer, what its row allows, and compiler headers; C library
headers only if the row says so. Tests may include anything. Prints one TAP
point; every offence with file and line.
"""

import os
import re
import subprocess
import sys

# layer: (folder, layers it may include, may it include the C library)
LAYERS = {
    "abi": ("kernel/abi/", [], False),
    "core": ("kernel/core/", ["abi"], False),
    "kernel": ("kernel/", ["abi", "core"], False),
    "public": ("libos/include/", ["abi"], True),
    "libos": ("libos/", ["abi", "public"], True),
    "rootserver": ("rootserver/", ["abi", "public", "libos"], True),
    "mmio": ("drivers/mmio.h", [], False),
    "drivers": ("drivers/", ["abi", "public", "libos", "mmio"], True),
    "apps": ("apps/", ["public"], True),
}
# Folders of these layers do not know each other: drivers/uart, apps/shell
SEPARATE = {"drivers", "apps"}
# (including folder, header or folder) open beyond the table, with the reason
OPEN = {
    ("apps/shell/", "apps/tools/"): "built-in commands share the tools' code",
    ("drivers/", "drivers/cache.h"): "drivers share it, as mmio.h",
    ("drivers/", "drivers/pause.h"): "likewise; it needs libos",
}
COMPILER = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "limits.h",
            "stdalign.h", "stdnoreturn.h", "stdatomic.h", "arm_neon.h",
            "arm_acle.h", "float.h", "iso646.h"}
# Where <...> and "..." are looked for, beside the including file's folder
ROOTS = ["kernel/abi/include", "libos/include", "libos/include/posix",
         "kernel/include", "kernel", "libos", "rootserver", "drivers", ""]
# Generated headers do not lie in the tree; their first folder tells
PREFIXES = {"abi/": "abi", "calls.inc": "abi", "vesper/": "public"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def layer_of(path):
    for name, (folder, _, _) in LAYERS.items():
        if path.startswith(folder):
            return name
    return None


def resolve(root, path, name):
    """The included file's path in the tree, or None."""
    for base in [os.path.dirname(path), *ROOTS]:
        candidate = os.path.normpath(os.path.join(base, name))
        if not candidate.startswith("..") and \
                os.path.isfile(os.path.join(root, candidate)):
            return candidate
    return None


def part_of(path):
    """drivers/uart/regs.h -> drivers/uart"""
    return "/".join(path.split("/")[:2])


def judge(root, path, name):
    """Why `path` may not include `name`, or None if it may."""
    layer = layer_of(path)
    _, allowed, libc = LAYERS[layer]
    target = resolve(root, path, name)
    if target is None:
        for prefix, owner in PREFIXES.items():
            if name.startswith(prefix):
                return None if owner in [layer, *allowed] else \
                    f"{layer} may not include {owner}"
        if name in COMPILER or libc:
            return None
        return f"{layer} may not include the C library or unknown headers"
    for folder, opened in OPEN:
        if path.startswith(folder) and target.startswith(opened):
            return None
    owner = layer_of(target)
    if owner is None:
        return f"{target} is in no layer"
    if owner == layer:
        if layer in SEPARATE and part_of(path) != part_of(target):
            return f"{part_of(path)} may not include {part_of(target)}"
        return None
    if owner == "public" and name in COMPILER | {os.path.basename(target)} \
            and libc and "posix" in target:
        return None                 # libos' own C library headers
    return None if owner in allowed else f"{layer} may not include {owner}"


def list_files(root):
    done = subprocess.run(
        ["git", "-C", root, "ls-files", "-co", "--exclude-standard",
         "*.c", "*.h", "*.S"], capture_output=True, text=True, check=True)
    return [path for path in done.stdout.splitlines()
            if layer_of(path) and os.path.isfile(os.path.join(root, path))]


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "..")
    offences = includes = 0
    files = list_files(root)
    for path in files:
        with open(os.path.join(root, path), encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if match := INCLUDE.match(line):
                    includes += 1
                    why = judge(root, path, match.group(1))
                    if why:
                        offences += 1
                        print(f"# {path}:{number}: {match.group(1)}: {why}")
    word = "not ok" if offences or not includes else "ok"
    print(f"{word} - layers: {includes} includes in {len(files)} files, "
          f"{offences} against the table")
    return 1 if word == "not ok" else 0


if __name__ == "__main__":
    sys.exit(main())
