# SPDX-License-Identifier: BSL-1.0
"""The recorded figures, tests/bench/record.toml, and the gate on them."""

import os
import tomllib

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "record.toml")
KEYS = ("total", "el1", "el0", "first")
HEAD = """\
# Instructions of each row, written by `scripts/bench --record WHY`. `why` says
# for what reason the figure became what it is. A row that grows by more than
# 1 % or 3 instructions fails the tests until it is recorded anew.
"""


def load():
    try:
        with open(PATH, "rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}


def write(found, why):
    """The reason stays with a row as long as its figures do."""
    old, lines = load(), [HEAD]
    for name, figure in sorted(found.items()):
        now = {key: getattr(figure, key) for key in KEYS}
        before = old.get(name, {})
        same = all(before.get(key) == now[key] for key in KEYS)
        reason = before["why"] if same else why
        numbers = ", ".join(f"{key} = {now[key]}" for key in KEYS)
        quoted = reason.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'"{name}" = {{ {numbers}, why = "{quoted}" }}\n')
    with open(PATH, "w", encoding="utf-8") as file:
        file.writelines(lines)


def limit(total):
    return total + max(total / 100, 3 if isinstance(total, int) else 0)


def compare(found, old, quick=False):
    """What is wrong, a sentence each."""
    problems = []
    for name, figure in found.items():
        if name not in old:
            problems.append(f"{name}: not recorded: scripts/bench --record")
        elif figure.total > limit(old[name]["total"]):
            problems.append(f"{name}: {figure.total:,} instructions, recorded "
                            f"are {old[name]['total']:,}")
    if not quick:
        problems += [f"{name}: recorded, but not measured" for name in old
                     if name not in found]
    return problems
