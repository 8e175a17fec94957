# SPDX-License-Identifier: BSL-1.0
"""What a test program's run amounts to, and how to read it from TAP."""

import re

POINT = re.compile(r"^\s*(not )?ok\b[ \d]*-? ?(.*)$")
PLAN = re.compile(r"^\s*1\.\.(\d+)\b")


class Outcome:
    """Counts of test points, and the text to show when some failed."""

    def __init__(self, passed=0, failed=0, skipped=0, detail=""):
        self.passed = passed
        self.failed = failed
        self.skipped = skipped
        self.detail = detail

    @classmethod
    def failure(cls, detail):
        return cls(failed=1, detail=detail)

    @classmethod
    def skip(cls, why):
        return cls(skipped=1, detail="skipped: " + why)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def read_tap(text, status):
    """Count `ok` and `not ok` lines. A wrong plan, a bad exit status that no
    `not ok` explains, or no point at all is a failure of its own."""
    outcome = Outcome()
    shown = []
    plan = None
    points = 0
    for line in text.splitlines():
        if match := PLAN.match(line):
            plan = int(match.group(1))
        elif match := POINT.match(line):
            points += 1
            if re.search(r"#\s*skip", match.group(2), re.I):
                outcome.skipped += 1
            elif match.group(1):
                outcome.failed += 1
                shown.append(line)
            else:
                outcome.passed += 1
        elif line.startswith("#") or "error" in line.lower():
            shown.append(line)
    problem = ""
    if plan is not None and plan != points:
        problem = f"planned {plan} tests, saw {points}"
    elif status != 0 and not outcome.failed:
        problem = f"exit status {status} without a `not ok` line"
    elif points == 0:
        problem = "printed no test result"
    if problem:
        outcome.failed += 1
        shown += text.splitlines()[-25:] + [problem]
    outcome.detail = "\n".join(shown)
    return outcome
