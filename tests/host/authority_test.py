#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The build's look at the manifest: build/authority.json, and how a broken
policy or manifest fails.

  authority_test.py BUILD
"""

import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
MANIFEST = os.path.join(ROOT, "rootserver/default.manifest")
POLICY = os.path.join(ROOT, "rootserver/authority.policy")
failures = 0


def check(name, good, detail=""):
    global failures
    print(f"{'ok' if good else 'not ok'} - {name}")
    if not good:
        failures += 1
        for line in str(detail).splitlines():
            print(f"# {line}")


def declared(text):
    """What the manifest says, by a reader that shares nothing with ours."""
    domains = []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if words[:1] == ["domain"]:
            domains.append({"name": words[1], "devices": [], "irqs": [],
                            "provides": [], "needs": [], "stdio": []})
        elif words[:1] == ["device"]:
            domains[-1]["devices"].append(
                {"address": words[1], "bytes": int(words[2])})
        elif words[:1] == ["irq"]:
            domains[-1]["irqs"].append(int(words[1]))
        elif words[:1] == ["memory"]:
            unit = {"K": 10, "M": 20}[words[1][-1]]
            domains[-1]["memory"] = int(words[1][:-1]) << unit
        elif words and words[0] in ("provides", "needs", "stdio"):
            domains[-1][words[0]] += words[1:]
    return domains


def run(tool, manifest, policy, out):
    return subprocess.run([tool, manifest, policy, out], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=20, check=False)


def check_json(build, text):
    with open(os.path.join(build, "authority.json"), encoding="utf-8") as f:
        got = json.load(f)["domains"]
    for domain in got:
        line = text.splitlines()[domain["line"] - 1]
        if not re.match(rf"domain {domain['name']}\b", line):
            check("lines of the manifest", False, f"{domain}: {line}")
    wanted = declared(text)
    same = [{key: domain[key] for key in want}
            for domain, want in zip(got, wanted)]
    check("authority.json is what the manifest says",
          len(got) == len(wanted) and same == wanted, f"{same}\n{wanted}")


def check_failures(tool, folder, text):
    bad, out = os.path.join(folder, "bad"), os.path.join(folder, "out.json")
    line = text.splitlines().index("    device 0x3f202000 4096") + 1
    with open(bad, "w", encoding="utf-8") as f:
        f.write(text.replace("domain sd ", "domain disk "))
    done = run(tool, bad, POLICY, out)
    check("a broken rule fails with both places and the cause",
          done.returncode == 1 and re.search(
              rf"{bad}:{line}: error: domain disk holds device 0x3f202000, "
              rf"against {POLICY}:\d+$", done.stdout, re.M), done.stdout)
    with open(bad, "w", encoding="utf-8") as f:
        f.write(text.replace("    irq 57", "    irqq 57"))
    done = run(tool, bad, POLICY, out)
    check("a broken manifest fails with its place",
          done.returncode == 1 and
          re.match(rf"{bad}:\d+:5: error: unknown key", done.stdout),
          done.stdout)
    done = run(tool, MANIFEST, bad + "-not-there", out)
    check("a policy that is not there fails", done.returncode == 1 and
          "No such file" in done.stdout, done.stdout)
    check("what failed left no graph", not os.path.exists(out))


def main():
    build = sys.argv[1]
    with open(MANIFEST, encoding="utf-8") as f:
        text = f.read()
    check_json(build, text)
    tool = os.path.join(build, "rootserver", "authority")
    with tempfile.TemporaryDirectory() as folder:
        check_failures(tool, folder, text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
