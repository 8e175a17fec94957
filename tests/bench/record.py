# SPDX-License-Identifier: BSL-1.0
"""The recorded figures, tests/bench/record.toml, and the gate on them."""

import json
import os
import tomllib

from measure import Figure

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "record.toml")
HEAD = """\
# Instructions of each row, written by `scripts/bench --record WHY`. `why` says
# for what reason the figure became what it is. A row that grows by more than
# 1 % or 3 instructions fails the tests until it is recorded anew.
"""


def read():
    """{name: its line as a table}"""
    try:
        with open(PATH, "rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}


def load():
    """{name: Figure}"""
    return {name: Figure(**{key: line[key] for key in Figure._fields})
            for name, line in read().items()}


def write(found, why):
    """The reason stays with a row as long as its figures do."""
    old, lines = read(), [HEAD]
    for name, figure in found.items():
        now = figure._asdict()
        before = old.get(name, {})
        same = before == now | {"why": before.get("why")}
        reason = before["why"] if same else why
        numbers = ", ".join(f"{key} = {value}" for key, value in now.items())
        lines.append(f"{json.dumps(name)} = {{ {numbers}, "
                     f"why = {json.dumps(reason)} }}\n")
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
        elif figure.total > limit(old[name].total):
            problems.append(f"{name}: {figure.total:,} instructions, recorded "
                            f"are {old[name].total:,}")
    if not quick:
        problems += [f"{name}: recorded, but not measured" for name in old
                     if name not in found]
    return problems
