#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What only the root may do, on the emulated board: a small program in the root
server's place makes four domains, schedules them by urgency, and lets them call
each other (board.h).

  run.py BUILD [--no-plants]

First on a kernel that looks at all invariants after each of their system calls
(tests/hostile/kcheck.c); then on copies of the kernel with a bug planted, which
the case that is about it must tell without that help. Prints TAP.
"""

import argparse
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[1:1] = [os.path.join(TESTS, name)
                 for name in ("hostile", "system", "bench")]

from build import Kernel                # noqa: E402  (needs the paths above)
from measure import ICOUNT              # noqa: E402
from vesper import Guest, Timeout       # noqa: E402

END = r"\nrecord: .*\n|\nnot ok - kcheck.*\n.*\n|\nfailed .*\n|KERNEL PANIC.*\n"
BOOT_S = 120
# Bugs: words of the case that must tell, file, what is there, what instead
PLANTS = [
    ("works for the urgent goes before the middle", "core/sched.c",
     "urgency_of(d->urgency) <= urgency_of(l->urgency)",
     "urgency_of(d->urgency) <=\n"
     "urgency_of(dispatcher_at(core->current)->urgency)"),
    ("in line helps the server", "core/sched.c",
     "if (d->callee == 0) { /* it waits for none */",
     "if (d->callee == 0 || d->state != IS_CALLING) {"),
    ("answered once", "core/call.c",
     "    cap_unlink(slot_at(from->reply));\n", ""),
    ("is deleted: PEER_DEAD", "core/call.c",
     "    d->reply = 0;\n    end_call(d, ERR_PEER_DEAD, false);",
     "    d->reply = 0;"),
    ("gives up: TIMEOUT", "core/call.c",
     "        drop_reply(d);\n        end_call(d, error, false);",
     "        end_call(d, error, false);"),
    ("goes back when the reply is saved", "core/call.c",
     "    from->reply = p.ref;\n    let_go(d);",
     "    from->reply = p.ref;\n    d->caller = 0;"),
    ("and when it dies", "core/call.c",
     "        let_go(callee);\n        end_call(d, error, false);\n"
     "        call_next", "        callee->caller = 0;\n"
     "        end_call(d, error, false);\n        call_next"),
    ("loses what it lends", "core/space.c",
     "    recall(domain, s->word);\n    return", "    return"),
    ("kcheck: I1", "core/call.c",
     "    cap_unlink(slot_at(from->reply));\n    from->reply = 0;",
     "    cap_unlink(slot_at(from->reply));"),
]


def boot(kernel, options, checked):
    """What the program printed, and whether it came to its end."""
    image = kernel.link_image("board", os.path.join(
        options.build, "tests/board/board.elf"),
        int(checked).to_bytes(8, "little"))
    with Guest(image, None, options.qemu, extra=ICOUNT) as guest:
        try:
            end = guest.expect(END, BOOT_S).group().strip()
        except Timeout as problem:
            end = str(problem)
        return guest.text.replace("\r", ""), end


def cases_test(kernel, options):
    text, end = boot(kernel, options, True)
    print("\n".join(re.findall(r"^(?:(?:not )?ok -|# (?:said|expected|seed|"
                               r"invariant)).*$", text, re.MULTILINE)))
    done = end.startswith("record:")
    counts = re.search(r"calls \d+, refused \d+|$", end)[0]
    print(f"# {counts or end}")
    print(("ok" if done else "not ok") + " - all invariants after each call")
    return done and "not ok" not in text


def planted_test(kernel, options, plant):
    """A kernel with a bug: the case that is about it fails."""
    words, *change = plant
    text, end = boot(kernel.planted(*change), options, "kcheck" in words)
    told = re.findall(r"^not ok - .*$", text, re.MULTILINE)
    good = any(words in line for line in told)
    for line in [] if good else told + [end]:
        print(f"# {line}")
    print(f"{'ok' if good else 'not ok'} - planted in {change[0]}: "
          f"\"{words}\" fails")
    return good


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--no-plants", action="store_true")
    parser.add_argument("--qemu", default=os.environ.get("QEMU"))
    options = parser.parse_args()
    kernel = Kernel(options.build, os.path.join(options.build, "tests/board"
                                                "/kernel"))
    good = cases_test(kernel, options)
    for plant in [] if options.no_plants else PLANTS:
        good &= planted_test(kernel, options, plant)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
