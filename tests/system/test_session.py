# SPDX-License-Identifier: BSL-1.0
"""The session of a user who tries everything once, typed on the console."""

import re

from bench import lane

SCRIPT = r"""local name = arg[1]
local out = assert(io.open(name, "w"))
for i = 1, 3 do out:write("line ", i, "\n") end
out:close()
local sum, lines = 0, 0
for line in io.lines(name) do
  lines = lines + 1
  sum = sum + tonumber(line:match("%d+"))
end
print(lines .. " lines, sum " .. sum)
"""


@lane("quick")
def test_power_on(bench):
    """power-on to a prompt, one command, poweroff ends QEMU"""
    card = bench.card()
    guest = bench.boot(card)
    guest.check("echo hello from the shell", "hello from the shell")
    if guest.poweroff() != 0:
        raise AssertionError("QEMU's exit status is not 0")
    card.fsck()


def edit_files(guest):
    guest.check("ls /", "samples")
    guest.check("ls /samples", "readme.txt")
    guest.check("mkdir /notes")
    guest.check("echo first line > /notes/one.txt")
    guest.check("cp /notes/one.txt /notes/two.txt")
    guest.check("echo second line >> /notes/two.txt")
    text = guest.check("cat /notes/two.txt")
    if text.split("\n") != ["first line", "second line"]:
        raise AssertionError(f"after echo >>, the file reads {text!r}")
    guest.check("cd /notes")
    guest.check("pwd", "/notes")
    guest.check("mv two.txt 'a name with spaces.txt'")
    guest.check("ls", "a name with spaces.txt")
    guest.check("rm one.txt")
    guest.check("cat one.txt", "No such file", status=1)
    guest.check("cd /")


def run_programs(guest):
    guest.check("hello", "ello")
    guest.check("/bin/hello one two", "two")
    guest.check("lua /script.lua /notes/made.txt", "3 lines, sum 6",
                timeout=60)
    guest.check("cat /notes/made.txt", "line 3")
    guest.check("cat /notes/made.txt | wc -l", "3")
    guest.check("cat /notes/made.txt | head -n 2 | wc -l", "2")


def test_typed_session(bench):
    """list, create, copy, append, Lua, crash, pipe, Ctrl-C, reboot, find"""
    card = bench.card()
    card.write("/script.lua", SCRIPT.encode())
    guest = bench.boot(card)
    edit_files(guest)
    run_programs(guest)
    _, status = guest.run("crash null")
    if status != 139:
        raise AssertionError(f"crash null gave status {status}, not 139")
    guest.type("crash spin")
    guest.expect("crash spin")
    guest.interrupt()
    guest.check("echo $?", "130")
    guest.reboot()
    guest.check("cat '/notes/a name with spaces.txt'", "second line")
    guest.check("cat /notes/made.txt", "line 3")
    if guest.poweroff() != 0:
        raise AssertionError("QEMU's exit status is not 0")
    card.fsck()
    if card.read("/notes/a name with spaces.txt") != \
            b"first line\nsecond line\n":
        raise AssertionError("mtools reads something else from the card")
    if "/notes/one.txt" in card.names():
        raise AssertionError("a removed file is still on the card")


def check_sums(guest):
    """`free` says the sums of what `mem` says."""
    sums = {name: int(kib) for name, kib in re.findall(
        r"(?m)^(\w[\w ]*?) +(\d+) KiB$", guest.raw_run("free"))}
    rows = re.findall(r"(?m)^ *\d+ +(\d+) (guaranteed|at most) +\d+ +(\d+)"
                      r" +(\d+) ", guest.raw_run("mem"))
    wanted = {
        "guaranteed": sum(int(row[0]) for row in rows
                          if row[1] == "guaranteed"),
        "lent max": sum(int(row[2]) for row in rows),
        "lent": sum(int(row[3]) for row in rows),
    }
    if not wanted["guaranteed"] or not wanted["lent max"] or \
            any(sums[name] != kib for name, kib in wanted.items()):
        raise AssertionError(f"free says {sums}, mem says {wanted}")


def test_commands(bench):
    """every command of the issue's list answers"""
    guest = bench.boot()
    for command, shown in (
            ("help", "cd"), ("ls -l /bin", "hello"), ("pwd", "/"),
            ("hexdump -C /config.txt", "00000000"), ("ps", "shell"),
            ("free", ""), ("uptime", ""), ("date", "20"),
            ("time echo timed", "timed"), ("clear", "")):
        guest.check(command, shown)
    check_sums(guest)
    guest.check("date -s '2026-05-04 03:02:01'")
    guest.check("date", "2026")
    guest.check("sync")
    guest.poweroff()


def test_reboots(bench):
    """three reboots in a row keep what was written before each"""
    card = bench.card()
    guest = bench.boot(card)
    for turn in range(3):
        guest.check(f"echo turn {turn} >> /turns.txt")
        guest.reboot()
    text = guest.check("cat /turns.txt")
    if text.split("\n") != ["turn 0", "turn 1", "turn 2"]:
        raise AssertionError(f"after three reboots: {text!r}")
    guest.poweroff()
    card.fsck()
