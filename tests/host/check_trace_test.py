#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""scripts/check_trace on traces made here: each promise kept, and broken in
one place. Prints TAP."""

import copy
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
CHECK = os.path.join(ROOT, "scripts/check_trace")
PERIOD, WORK, SHARE, PERIODS = 10000, 3000, 2000, 50
JOB, SPINNER, OTHER = 7, 8, 9
PROMISES = (f"--period={JOB}={PERIOD}", f"--share={SPINNER}=20",
            f"--least={OTHER}=45")

failed = 0


def run(domain, begin, end, why, woken, thread=0):
    return {"ph": "X", "pid": domain, "tid": thread, "name": why, "ts": begin,
            "dur": end - begin, "args": {"woken": woken}}


def trace():
    """A job of 3 ms in two parts, a spinner of 2 ms and another, each 10 ms."""
    events = [{"ph": "M", "pid": domain, "tid": 0, "name": "process_name",
               "args": {"name": name}}
              for domain, name in ((JOB, "job"), (SPINNER, "spin"),
                                   (OTHER, "spin"))]
    for n in range(PERIODS):
        at = n * PERIOD
        events += [run(JOB, at + 5, at + 1000, "preempted", at),
                   run(SPINNER, at + 1001, at + 1001 + SHARE, "expired", 0),
                   run(JOB, at + 3002, at + 2002 + WORK, "blocked", at),
                   run(OTHER, at + 5003, at + PERIOD + 1, "preempted", 0)]
    return events


def check(events, *arguments, text=None):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(text if text is not None
                   else json.dumps({"traceEvents": events}))
        file.flush()
        done = subprocess.run([CHECK, file.name, *arguments],
                              capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def point(title, found, status, text=""):
    global failed
    good = found[0] == status and text in found[1] and \
        "Traceback" not in found[1]
    failed += not good
    print(f"{'ok' if good else 'not ok'} - {title}")
    if not good:
        print(f"# status {found[0]}: {found[1]}")


def runs_of(events, domain):
    return [e for e in events if e["ph"] == "X" and e["pid"] == domain]


def planted():
    """(title, how the trace is changed, what is said)"""
    def overlap(events):
        runs_of(events, SPINNER)[7]["dur"] += 2

    def late(events):
        runs_of(events, JOB)[21]["dur"] = PERIOD + 4 - 3002
        del events[events.index(runs_of(events, OTHER)[10])]

    def starved(events):
        for event in runs_of(events, JOB)[-6:]:
            events.remove(event)

    def skipped(events):
        for event in runs_of(events, JOB)[20:22]:
            events.remove(event)

    def unfinished(events):
        last = runs_of(events, JOB)[-1]
        last["name"] = "expired"
        last["args"]["woken"] -= PERIOD
        runs_of(events, JOB)[-2]["args"]["woken"] -= PERIOD

    def never(events):
        for event in runs_of(events, JOB):
            events.remove(event)

    def less(events):
        for event in runs_of(events, SPINNER)[::40]:
            events.remove(event)

    def least(events):
        for event in runs_of(events, OTHER)[:10]:
            events.remove(event)

    return ((overlap, "overlap: job[7] has the core at"),
            (late, "deadline: job[7] woke at 100,000.000 us and was at work "
                   "10,004"),
            (starved, "period: job[7] woke at 460,000.000 us and not again"),
            (skipped, "period: job[7] woke at 90,000.000 us and next 20,000"),
            (unfinished, "deadline: job[7] woke at 480,000.000 us and was at "
                         "work 20,001"),
            (never, "deadline: job[7] never ran"),
            (less, "share: spin[8] had 19.2"),
            (least, "share: spin[9] had 39."))


def merged(events, threads):
    """The threads' runs in what --merge writes: [(thread, from, until)]."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in "abc"]
        for path, content in zip(paths, (events, threads)):
            with open(path, "w", encoding="utf-8") as out:
                json.dump({"traceEvents": content}, out)
        done = subprocess.run([CHECK, *paths[:2], "--merge", paths[2]],
                              capture_output=True, text=True)
        with open(paths[2], encoding="utf-8") as file:
            found = json.load(file)["traceEvents"]
    runs = [(e["tid"], e["ts"], round(e["ts"] + e["dur"], 3)) for e in found
            if e["ph"] == "X" and e["tid"] != 0]
    return done.returncode, done.stdout + str(runs)


def refused():
    return (("an empty file", "", "Expecting value"),
            ("a file of something else", "[1, 2]", "no traceEvents"),
            ("no runs", '{"traceEvents": []}', "nobody ran"),
            ("another kind of event", '{"traceEvents": [{"ph": "B"}]}',
             "neither M nor X"),
            ("a run of nobody", '{"traceEvents": [{"ph": "X", "ts": 1}]}',
             "no pid or tid"),
            ("a time that is none", '{"traceEvents": [{"ph": "X", "pid": 1, '
             '"tid": 0, "ts": "1", "dur": 2}]}', "no ts in"),
            ("a negative time", '{"traceEvents": [{"ph": "X", "pid": 1, '
             '"tid": 0, "ts": 1, "dur": -2}]}', "no dur in"))


def main():
    whole = trace()
    point("all is kept", check(whole, *PROMISES), 0,
          " 20.000 %  spin[8]")
    point("a name that one has", check(whole, f"--deadline=job={PERIOD}"), 0)
    point("a shorter deadline", check(whole, "--deadline=job=5000"), 1,
          "and 45 more so")
    for plant, text in planted():
        events = copy.deepcopy(whole)
        plant(events)
        point(f"planted: {plant.__name__}", check(events, *PROMISES), 1,
              "violated: " + text)
    threads = [run(JOB, 500, 3500, "run", 0, 1),
               run(JOB, 3500, 3700, "run", 0, 2)]
    point("threads are cut to their domain's time", merged(whole, threads), 0,
          "[(1, 500.0, 1000.0), (1, 3002.0, 3500.0), (2, 3500.0, 3700.0)]")
    threads[1]["ts"] -= 1
    point("planted: threads overlap", merged(whole, threads), 1,
          "violated: overlap: job[7] has the domain at 3,499")
    for title, content, text in refused():
        point(title, check(None, text=content), 2, text)
    point("a name of two", check(whole, "--share=spin=20"), 2,
          "spin: 2 domains")
    point("a name of nobody", check(whole, "--share=x=20"), 2, "x: no domains")
    point("a promise that is none", check(whole, "--share=job"), 2,
          "job: not DOMAIN=NUMBER")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
