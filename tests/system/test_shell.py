# SPDX-License-Identifier: BSL-1.0
"""The shell as one types into it: lines, pipes, jobs, keys, bad input."""

import re

from bench import lane


@lane("quick")
def test_statuses(bench):
    """$? of success, failure, unknown commands; the shell goes on"""
    guest = bench.boot()
    guest.check("true")
    guest.check("false", status=1)
    guest.check("nosuchcommand", "not found", status=127)
    guest.check("/no/such/program", "No such file", status=127)
    guest.check("cat /no/such/file", "No such file", status=1)
    guest.check("true && echo yes || echo no", "yes")
    guest.check("false; echo after $?", "after 1")
    guest.poweroff()


def test_redirection(bench):
    """> >> < and pipes of several programs"""
    guest = bench.boot()
    guest.check("seq 1 100 > /n.txt")
    guest.check("wc -l < /n.txt", "100")
    guest.check("cat /n.txt | cat | cat | head -n 3 | wc -l", "3")
    guest.check("seq 1 5 >> /n.txt")
    guest.check("wc -l < /n.txt", "105")
    guest.check("yes | head -n 5 | wc -l", "5")
    guest.check("cat < /missing", "No such file", status=1)
    guest.check("echo x > /no/dir/file", "No such file", status=1)
    guest.poweroff()


def test_jobs(bench):
    """background jobs, kill, and a prompt meanwhile"""
    guest = bench.boot()
    started = guest.raw_run("sleep 60 &")
    numbers = re.findall(r"\d+", started)      # "[pid]", perhaps "[job] pid"
    if not numbers:
        raise AssertionError(f"`sleep 60 &` printed no pid: {started!r}")
    pid = numbers[-1]
    guest.check("ps", "sleep")
    guest.check(f"kill {pid}")
    guest.raw_run("sleep 1")
    if "sleep" in guest.check("ps"):
        raise AssertionError("the killed job still runs")
    guest.check("kill 999999", status=1)
    guest.poweroff()


def test_control_keys(bench):
    """Ctrl-C ends the foreground program, Ctrl-D its input"""
    guest = bench.boot()
    guest.type("sleep 100")
    guest.expect("sleep 100")
    guest.interrupt()
    guest.check("echo $?", "130")
    start = guest.wait_prompt()
    guest.type("cat")
    guest.type("typed line")
    guest.expect(r"typed line\s+typed line")
    guest.send("\x04")
    guest.wait_prompt(after=start)
    guest.check("true")
    start = guest.wait_prompt()
    guest.send("half a line\x03")
    guest.wait_prompt(after=start)
    guest.check("echo fresh", "fresh")
    start = guest.wait_prompt()
    guest.send("\x04")              # ends the shell: a new one must come
    guest.wait_prompt(after=start)
    guest.check("echo again", "again")
    guest.poweroff()


def test_line_editing(bench):
    """arrows, Home, delete, history and completion"""
    guest = bench.boot()
    start = guest.wait_prompt()
    guest.send("ecko one\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x7fh\x05!\r")
    end = guest.wait_prompt(after=start)
    if "one!" not in guest.terminal.lines[end - 1]:
        raise AssertionError("the edited line did not run:\n" + guest.tail(5))
    guest.check("echo remember me", "remember me")
    start = guest.wait_prompt()
    guest.send("\x1b[A\x1b[A\r")    # `echo $?` came last
    end = guest.wait_prompt(after=start)
    if "remember me" not in guest.terminal.lines[end - 1]:
        raise AssertionError("history gave another line:\n" + guest.tail(5))
    start = guest.wait_prompt()
    guest.send("cat /samples/rea\t\r")
    end = guest.wait_prompt(after=start)
    shown = "\n".join(guest.terminal.lines[start:end])
    if "readme.txt" not in shown or "Files to play with" not in shown:
        raise AssertionError("completion did not help:\n" + shown)
    guest.poweroff()


def test_bad_lines(bench):
    """too long a line, too long a path, syntax errors"""
    guest = bench.boot()
    output = guest.raw_run("echo " + "x" * 2000)
    if "too long" not in output:
        raise AssertionError(f"a line of 2005 bytes gave {output[-200:]!r}")
    guest.check("echo fine", "fine")
    _, status = guest.run("cat /" + "a" * 300)
    if status == 0:
        raise AssertionError("a name of 300 bytes was found")
    guest.check("cd /samples; cat ../../../../config.txt", "kernel8.img")
    guest.check("echo |", "syntax error", status=2)
    guest.check("echo 'open", status=2)
    guest.check("ls -Q", "usage", status=2)
    guest.poweroff()


def test_pasted_megabyte(bench):
    """1 MB pasted at once: bounded, said, and the shell answers afterwards"""
    guest = bench.boot()
    guest.send((b"y" * 4095 + b"\r") * 256, timeout=300)
    guest.wait_quiet(timeout=300)
    if "too long" not in guest.text:
        raise AssertionError("no word about the lines:\n" + guest.tail(5))
    start = len(guest.terminal.lines) - 1
    guest.send("\x03")              # what is left of the last line
    guest.wait_prompt(after=start)
    guest.check("echo alive", "alive")
    guest.check("ps", "shell")
    guest.poweroff()


def test_flood_into_program(bench):
    """1 MB pasted into a program that does not read: Ctrl-C behind it works"""
    guest = bench.boot()
    guest.type("sleep 600")
    guest.expect("sleep 600")
    guest.send((b"z" * 63 + b"\r") * 16384, timeout=200)
    start = len(guest.terminal.lines) - 1
    guest.send("\x03")
    guest.wait_prompt(after=start)
    guest.check("echo alive", "alive")
    guest.poweroff()


def test_pasted_commands(bench):
    """commands pasted at once all run once, and their echo is not repeated"""
    count = 300
    guest = bench.boot()
    start = len(guest.text)
    guest.send("".join(f"echo out'put' {i}\r" for i in range(count)))
    guest.expect(rf"output {count - 1}\r", timeout=60)
    for i in range(count):
        if len(re.findall(rf"output {i}\r", guest.text)) != 1:
            raise AssertionError(f"command {i} did not run once:\n"
                                 + guest.tail(5))
    # shown by the console when it comes, by the editor, and its output
    if len(guest.text) - start > 100 * count:
        raise AssertionError(f"{len(guest.text) - start} bytes on the screen")
    guest.check("echo alive", "alive")
    guest.poweroff()
