#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The shell and the tools as Linux programs, typed at through a terminal.

Builds both with ASan and UBSan into a temporary directory, then drives them:
batches through `shell -c` and scripts, and sessions through a pty whose
output is read as a user would see it. Prints one `ok` or `not ok` line a
case; exit status 1 if any failed. No case waits longer than 10 s.
"""
import os
import re
import subprocess
import sys
import tempfile
import time

from bench import LIMIT_S, Bench, check, results


def test_words(b):
    b.case("echo a  b   c", "a b c\n")
    b.case("echo 'a  b' \"c  d\" e\\ \\ f", "a  b c  d e  f\n")
    b.case("echo '' \"\" x", "  x\n")
    b.case("echo a'b'\"c\"d", "abcd\n")
    b.case("echo '$X' \"\\$X\" \\$X", "$X $X $X\n")
    b.case("X=1; echo $X ${X}2 \"$X\" '$X'", "1 12 1 $X\n")
    b.case("X='a  b'; echo $X; echo \"$X\"", "a b\na  b\n")
    b.case("echo [$UNSET] $UNSET x", "[] x\n")
    b.case("false; echo $?; echo $?", "1\n0\n")
    b.case("echo $ a$ '#' a#b # rest", "$ a$ # a#b\n")
    b.case("# only a comment", "")
    b.case("   ", "")
    b.case("X=1 Y=2; echo $X$Y", "12\n")
    b.case("export A=5; sh -c 'echo $A'", "5\n")
    b.case("A=5; unset A; echo [$A]", "[]\n")
    b.case("echo \"${X\"", "${X\n")
    b.case("sh -c 'echo $0 $1 $#' name one", "name one 1\n")
    b.case("export 1x=2", "export: 1x=2: not a name\n", 1)
    b.case("echo 'open", "syntax error: a quote is not closed\n", 2)
    b.case('echo "open', "syntax error: a quote is not closed\n", 2)


def test_globs(b):
    b.case("mkdir g; cd g; touch b.txt a.txt c.md .hid.txt 'x y.txt'; "
           "echo *.txt; echo ?.*; echo '*.txt' \\*.txt; echo none*; "
           "cd ..; echo g/*.md; echo g/[ab].txt; X='*.md'; echo g/$X",
           "a.txt b.txt x y.txt\na.txt b.txt c.md\n*.txt *.txt\nnone*\n"
           "g/c.md\ng/a.txt g/b.txt\ng/c.md\n", name="globs")
    b.case("touch 'g/st*r' gstr; echo g/'st*'r g/st\\**",
           "g/st*r g/st*r\n", name="quoted wildcards are text")
    b.case("mkdir many; cd many; " + "touch " + " ".join(
        f"{i:03}" for i in range(200)) + "; echo * | wc -w; ls | wc -l",
        "    200\n    200\n", name="a pattern with 200 matches")


def test_syntax(b):
    for text, near in [("| a", "'|'"), ("a | | b", "'|'"), ("&& a", "'&&'"),
                       ("a ;; b", "';'"), ("; a", "';'"), ("a || | b", "'|'"),
                       ("a > | b", "'|'"), ("& a", "'&'"), ("a && ;", "';'"),
                       ("a < ;", "';'")]:
        b.case(text, f"syntax error near {near}\n", 2)
    for text in ["a |", "a &&", "a ||", "echo >", "cat <"]:
        b.case(text, "syntax error near the end of the line\n", 2)
    b.case("echo a; | b", "syntax error near '|'\n", 2,
           name="a wrong line runs nothing of it")
    b.case("echo a;", "a\n")
    b.case("true && echo t || echo f; false && echo t || echo f", "t\nf\n")
    b.case("false || false || echo x && echo y", "x\ny\n")
    b.case("true || echo no && echo yes", "yes\n")


def test_redirections(b):
    b.case("echo one > r; echo two >> r; cat r; cat < r", "one\ntwo\n" * 2)
    b.case("> empty; wc -c < empty", "      0\n")
    b.case("cat < nofile", "nofile: No such file or directory\n", 1)
    b.case("echo x > nodir/f; echo $?",
           "nodir/f: No such file or directory\n1\n")
    b.case("ls /nope 2> err; cat err", "ls: /nope: No such file or "
           "directory\n")
    b.case("ls /nope 2>&1 | wc -l", "      1\n")
    b.case("ls /nope > both 2>&1; wc -l both", "      1 both\n")
    b.case("echo to-error >&2 | cat -", "to-error\n")
    b.case("help > h; head -n 1 h", "Built in:\n", name="help > file")
    b.case("X=name; echo v > \"$X x\"; cat 'name x'", "v\n")
    b.case("echo a>b2; cat b2; echo 3>b3; cat b3", "a\n3\n",
           name="a digit that is a word stays one")


def test_pipes(b):
    b.case("echo a b | cat | cat | cat | cat | cat | cat | wc -w",
           "      2\n", name="a pipeline of 8")
    b.case("a|a|a|a|a|a|a|a|a", "too many commands in a pipeline (limit 8)\n",
           2)
    b.case("yes | head -n 2", "y\ny\n")
    b.case("seq 100000 | wc -l", " 100000\n")
    b.case("false | true; echo $?; true | false; echo $?", "0\n1\n")
    b.case("nonesuch | cat; echo $?", "nonesuch: command not found\n0\n")
    b.case("echo x | nonesuch; echo $?",
           "nonesuch: command not found\n127\n")
    b.case("help | head -n 1", "Built in:\n", name="help | head")
    b.case("help | wc -l > n; cat n | wc -w", "      1\n",
           name="built-in into a pipe and a file")
    b.case("help | help | head -n 1", "Built in:\n", name="help | help")
    b.case("help | true; help | true; echo on", "on\n",
           name="a built-in without a reader")
    b.case("seq 3 | cat > o; cat o", "1\n2\n3\n")


def test_programs(b):
    b.case("nonesuch; echo $?", "nonesuch: command not found\n127\n")
    b.case("./nonesuch; echo $?",
           "./nonesuch: No such file or directory\n127\n")
    b.case("/; echo $?", "/: Is a directory\n126\n")
    b.case("touch plain; ./plain; echo $?", "./plain: Permission denied\n"
           "126\n")
    b.match("n" + "x" * 300 + "; echo $?",
            r"nx+: File name too long\n126\n", name="a name of 301 bytes")
    b.case("mkdir there; echo text > there/prog; PATH=/none:$PATH; "
           "there/prog; hello > /dev/null; echo $?",
           "there/prog: Permission denied\n0\n", name="the search path")
    b.case("''; echo $?", ": command not found\n127\n")
    b.match("hello a 'b c'", r"Hello.*a.*b c.*", name="hello by name")
    b.case("crash exit 7; echo $?", "crash: exiting with status 7\n7\n")
    b.match("crash null; echo $?",
            r"crash: .*\ncrash: killed by signal 11 \(segmentation "
            r"fault\)\n139\n", name="crash null")
    b.match("crash abort; echo $?", r"crash: .*killed by signal 6 "
            r"\(aborted\)\n134\n", name="crash abort")
    b.match("crash exec; echo $?", r".*killed by signal 11.*\n139\n",
            name="crash exec")
    b.match("crash stack; echo $?", r".*killed by signal 11.*\n139\n",
            name="crash stack")
    b.match("crash stdin", r".*stdin.*", name="crash stdin")
    b.match("crash nonsense", r"usage: .*", 2, name="crash usage")
    b.match("time sleep 0.1", r"real 0\.[1-4]\d\d s\n", name="time")
    b.case("exit 3", "", 3)
    b.case("exit 300", "", 300 & 255)
    b.case("exit x; echo on", "usage: exit [STATUS]\non\n")
    b.case("cd nodir; echo $?", "cd: nodir: No such file or directory\n1\n")
    b.case("mkdir d1; cd d1; cd ..; cd -; pwd", b.home + "/d1\n",
           name="cd -")


def test_jobs(b):
    b.case("sleep 0.2 & wait; echo $?", "0\n")
    b.case("sh -c 'exit 4' & wait $!; echo $?", "4\n")
    b.case("sleep 20 & kill $!; wait $!; echo $?", "143\n")
    b.case("sleep 20 & kill -9 $!; wait; echo $?", "137\n")
    b.case("wait 1; echo $?", "wait: 1: no such background job\n127\n")
    b.case("true && echo listed & wait", "listed\n")
    b.case("cat & wait; echo $?", "0\n",
           name="a background job reads no terminal")
    b.case("echo a | cat & wait", "a\n")
    b.match("sleep 9 & sleep 9 & jobs; kill $!",
            r"\[\d+\] sleep 9\n\[\d+\] sleep 9\n", name="jobs")
    b.match("sleep 8 & " * 17 + "kill 0", r".*too many background jobs "
            r"\(limit 16\).*", 1, name="17 background jobs")


def test_scripts(b):
    path = os.path.join(b.home, "s.sh")
    with open(path, "w", encoding="ascii") as file:
        file.write("# a script\r\necho $1 $#\r\ncat\nexit 5\necho no\n")
    got, output = b.shell("s.sh", "arg", input=b"from stdin\n")
    check("sh script", (got, output) == (5, "arg 1\nfrom stdin\n"), output)
    got, output = b.shell(input=b"cat\nfor cat\n")
    check("commands and their input share a pipe",
          (got, output) == (0, "for cat\n"), output)
    got, output = b.shell("missing.sh")
    check("a missing script", (got, output) == (
        127, "missing.sh: No such file or directory\n"), output)
    got, output = b.shell(b.paths["hello"])
    check("a program is no script", got == 126 and "not a text" in output,
          output)
    long = "echo " + "x" * 1019
    got, output = b.shell("-c", long)
    check("a line of 1024", (got, len(output)) == (0, 1020), output[:80])
    got, output = b.shell("-c", long + "y\necho next")
    check("a line of 1025", (got, output) == (
        0, "line too long (limit 1024)\nnext\n"), output[:80])
    flood = b"z" * 1000000 + b"\necho after\n"
    got, output = b.shell(input=flood)
    check("1 MB in a line of a pipe", got == 0 and output == (
        "standard input: line 1: line too long (limit 1024)\nafter\n"),
        output[:200])
    got, output = b.shell("-c", "echo " + "$X" * 300)
    check("300 empty variables", (got, output) == (0, "\n"), output[:80])


def test_prompt(b):
    t = b.terminal()
    check("prompt is the directory",
          t.seen.endswith(b.home[-36:] + "$ "), repr(t.seen))
    t.run("cd /")
    check("prompt follows cd", t.seen.endswith("\r\n/$ "), repr(t.seen))
    text = t.run("echo abc")
    check("echo at the prompt", text and "\r\nabc\r\n/$ " in text, repr(text))
    t.send("garbage\x03")
    text = t.expect(r"\^C\r\n/\$ $")
    check("Ctrl-C drops the line", text is not None, repr(t.seen))
    text = t.run("echo $?")
    check("Ctrl-C leaves 130", text and "\r\n130\r\n" in text, repr(text))
    t.send("sleep 30\r")
    time.sleep(0.3)
    t.send("\x03")
    text = t.expect(r"\r\n/\$ $", 5)
    check("Ctrl-C ends a program", text is not None, repr(t.seen))
    text = t.run("echo $?")
    check("status of an interrupt is 130", text and "\r\n130\r\n" in text,
          repr(text))
    t.send("sleep 30 | cat | sleep 30; echo not this\r")
    time.sleep(0.3)
    t.send("\x03")
    text = t.expect(r"\r\n/\$ $", 5)
    check("Ctrl-C ends a pipeline and the list",
          text is not None and "\nnot" not in text, repr(t.seen))
    t.send("sleep 30 & \rwait\r")
    t.expect(r"wait\r\n", 5)
    time.sleep(0.2)
    t.send("\x03")
    check("Ctrl-C ends wait", t.expect(r"\r\n/\$ $", 5) is not None,
          repr(t.seen))
    t.run("kill $!")
    time.sleep(0.2)
    text = t.run("")
    check("an ended job is reported before the prompt", re.search(
        r"\[\d+\] killed by signal (2|15) \(\w+\): sleep 30\r\n", t.seen),
        repr(text))
    text = t.run("crash null")
    check("a crash is named", text and "killed by signal 11 (segmentation "
          "fault)" in text, repr(text))
    t.send("cat\r")
    t.expect(r"cat\r\n")
    time.sleep(0.3)
    t.send("typed\r")
    t.expect(r"typed\r\ntyped\r\n")
    t.mark -= 14
    t.send("\x04")
    text = t.expect(r"typed\r\ntyped\r\n/\$ $")
    check("a program reads the terminal, Ctrl-D ends its input",
          text is not None, repr(t.seen))
    t.send("\x04")
    check("Ctrl-D leaves", t.wait() == 0 and t.seen.endswith("$ \r\n"),
          repr(t.seen[-80:]))
    t.close()


def typed(b, keys, expected, name, setup=()):
    """The line that the keys make is shown to be `expected` by echo."""
    t = b.terminal()
    for line in setup:
        t.run(line)
    t.send(keys + "\r")
    text = t.expect(r"\r\n<" + re.escape(expected) + r">\r\n[^\r\n]*\$ $", 4)
    check(name, text is not None, repr(t.seen[-300:]))
    t.close()


def test_editing(b):
    left, right, up, down = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"
    typed(b, "echo '<ac>'" + left * 3 + "b", "abc", "left and insert")
    typed(b, "echo '<axc>'" + left * 3 + "\x7fb", "abc", "backspace")
    typed(b, "echo '<axc>'" + left * 4 + "\x1b[3~b", "abc", "Delete")
    typed(b, "cho '<abc>'\x01e", "abc", "Ctrl-A")
    typed(b, "cho '<abc>'\x1b[He", "abc", "Home")
    typed(b, "cho '<abc>'\x1b[1~e", "abc", "Home as a number")
    typed(b, "cho '<abc>\x1bOHe\x1bOF'", "abc", "Home and End as letters")
    typed(b, "cho '<abc>\x01e\x05'", "abc", "Ctrl-E")
    typed(b, "cho '<abc>\x01e\x1b[4~'", "abc", "End")
    typed(b, "rubbish\x15echo '<abc>'", "abc", "Ctrl-U")
    typed(b, "echo '<abc>'rest" + left * 4 + "\x0b", "abc", "Ctrl-K")
    typed(b, "echo two words\x17\x17 '<abc>'", "abc", "Ctrl-W")
    typed(b, "echo '<a\x0cbc>'", "abc", "Ctrl-L")
    typed(b, "echo '<abc>'" + left * 50 + right * 50, "abc",
          "moving beyond both ends")
    typed(b, "echo '<a\u00fcb>'" + left * 3 + "\x7f\u20ac", "a\u20acb",
          "characters of several bytes")
    typed(b, "echo '<a\x1b[5~\x1b[99;5Xb\x00c>'", "abc", "unknown keys")
    typed(b, up, "one", "up", ["echo '<one>'"])
    typed(b, up * 2, "one", "up twice", ["echo '<one>'", "true"])
    typed(b, up * 3 + down, "two", "up and down",
          ["echo '<one>'", "echo '<two>'", "true"])
    typed(b, "echo '<dr" + up + down + "aft>'", "draft",
          "the draft survives the history", ["true"])
    typed(b, up * 99, "0", "history ends at 32",
          ["true lost"] + [f"echo '<{i}>'" for i in range(32)])
    wide = "0123456789" * 20
    typed(b, "echo '<x" + wide + ">'" + "\x01" + right * 7 + "\x1b[3~" +
          "\x05", wide, "a line wider than the screen")
    typed(b, "echo '<" + "w" * 60 + wide + ">'" + left * 202 + "\x7f" * 60,
          wide, "editing in the middle of a wide line")


def test_completion(b):
    os.makedirs(b.home + "/comp/folder")
    for name in ["alpha.txt", "alps.txt", "with space.txt"]:
        open(f"{b.home}/comp/{name}", "w", encoding="ascii").close()
    here = ["cd comp"]
    typed(b, "ech\t'<x>'", "x", "Tab completes a command")
    typed(b, "hel\t\x15echo '<x>'", "x", "Tab on several commands")
    typed(b, "cat alph\t; echo '<x>'", "x", "Tab completes a file", here)
    typed(b, "ls fol\t; echo '<'$?'>'", "0", "Tab completes a directory",
          here)
    typed(b, "ls wi\t; echo '<'$?'>'", "0", "Tab escapes blanks", here)
    typed(b, "ls comp/alpha\t; echo '<'$?'>'", "0", "Tab completes a path")
    t = b.terminal()
    t.run("cd comp")
    t.send("ls a\t\t")
    text = t.expect(r"alpha\.txt  alps\.txt\r\n.*\$ ls alp")
    check("Tab twice lists", text is not None, repr(t.seen[-200:]))
    t.send("\x03")
    t.expect(r"\$ $")
    t.send("nosuchprefix\t")
    check("Tab without a match rings", t.expect("\a") is not None,
          repr(t.seen[-100:]))
    t.close()


def test_flood(b):
    t = b.terminal()
    t.send("q" * 3000 + "\r")
    text = t.expect(r"line too long \(limit 1024\)\r\n[^\n]*\$ $")
    check("a too long line is refused", text is not None,
          repr(t.seen[-200:]))
    t.send("echo " + "x" * 1018 + "\r")
    text = t.expect(r"\nx{1018}\r\n[^\n]*\$ $")
    check("a line of 1023 characters is run", text is not None,
          repr(t.seen[-200:]))
    t.run("cd /")
    start = time.monotonic()
    t.send("p" * 1000000 + "\r")
    text = t.expect(r"line too long \(limit 1024\)\r\n/\$ $")
    check("1 MB in one line: one message", text is not None and
          text.count("too long") == 1, repr(t.seen[-200:]))
    before = len(t.seen)
    t.send("# pasted text, 64 characters in all, and a comment as well ...\r"
           * 16000)
    t.mark = len(t.seen) - 1000
    t.send("echo still $? here\r")
    alive = t.expect(r"\nstill 2 here\r\n/\$ $", 20)
    check("1 MB in 16,000 lines", alive is not None,
          repr(t.seen[-200:]))
    check("a flood is bounded in time", time.monotonic() - start < 30,
          f"{time.monotonic() - start:.1f} s, {len(t.seen) - before} bytes")
    # All bytes but those that run a line, end the shell or (Linux) stop the
    # terminal's output.
    noise = bytes(set(range(1, 256)) - set(b"\n\r\x03\x04\x13")) * 3
    t.send(noise + noise[::-1] + b"\x03")
    t.expect(r"\^C\r\n/\$ $")
    t.send("echo al\\ive\r")
    check("random bytes do no harm", t.expect(r"\nalive\r\n") is not None,
          repr(t.seen[-200:]))
    t.close()


def test_files(b):
    b.case("mkdir f; cd f; echo data > a; cp a b; cat b; mv b c; ls; "
           "cp a c /nope/x; echo $?; rm a c; ls",
           "data\na\nc\ncp: /nope/x: is not a directory\n1\n",
           name="cp, mv, rm")
    b.case("cd f; echo d > a; cp a a; cp a ./a; mv a a; cat a",
           "cp: a: source and target are the same file\n" * 2 +
           "mv: a: source and target are the same file\nd\n",
           name="a file onto itself")
    b.case("cd f; mkdir -p t/u/v; echo 1 > t/u/one; cp t t2; cp -r t t2; "
           "cat t2/u/one; cp -r t t2; ls t2; cp -r t t/u/w; mv t t/u/w; "
           "ls t/u",
           "cp: t: is a directory (-r copies it)\n1\nt\nu\n"
           "cp: t: cannot be copied into itself\n"
           "mv: t: cannot be moved into itself\none\nv\n",
           name="directories")
    b.case("cd f; rm t; rm -r t t2; rm none; rm -f none; rm -r /; rm -r .; "
           "rm -r ../../../../../../..; ls",
           "rm: t: is a directory (-r removes it)\n"
           "rm: none: No such file or directory\n"
           "rm: /: refusing to remove the root directory\n"
           "rm: .: refusing to remove '.' or '..'\n"
           "rm: ../../../../../../..: refusing to remove "
           "the root directory\na\n", name="rm refuses")
    b.case("cd f; mkdir x; mkdir x; rmdir x; rmdir x; mkdir -p y/z y/z; "
           "rmdir y; ls",
           "mkdir: x: File exists\nrmdir: x: No such file or directory\n"
           "rmdir: y: Directory not empty\na\ny\n", name="mkdir, rmdir")
    os.symlink(b.home, b.home + "/f/y/link")
    b.case("cd f; rm -r y; ls; cd ..; ls f", "a\na\n",
           name="rm -r does not follow a link")
    b.case("X=" + "n" * 250 + "; Y=$X$X$X$X; cd f; cp $Y/m a; cp a $X$X",
           "cp: " + "n" * 1000 + "/m: File name too long\ncp: " + "n" * 500 +
           ": File name too long\n", 1, name="names too long")
    b.case("cd f; touch t1 a; cat a; ls -a", "d\n.\n..\na\nt1\n",
           name="touch, ls -a")
    b.match("cd f; ls -l", r"-rw-\s+2 20\d\d-\d\d-\d\d \d\d:\d\d a\n"
            r"-rw-\s+0 20\d\d-\d\d-\d\d \d\d:\d\d t1\n", name="ls -l")
    b.case("ls f/a nofile f", "ls: nofile: No such file or directory\n"
           "f/a\n\nf:\na\nt1\n", 1, name="ls of files and directories")


def test_full(b):
    full = os.path.exists("/dev/full")
    if full:
        b.case("echo x > /dev/full", "echo: standard output: No space left "
               "on device\n", 1, name="output on a full device")
        b.case("echo x > r; cat r > /dev/full",
               "cat: standard output: No space left on device\n", 1,
               name="cat to a full device")
    # A file size limit stands for a full card: the copy breaks off midway.
    code = ("import resource,signal,os,sys;"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000));"
            f"os.execve({b.paths['tools']!r}, ['cp', 'big', 'copy'], "
            f"dict(os.environ))")
    with open(b.home + "/big", "wb") as file:
        file.write(bytes(300000))
    done = subprocess.run([sys.executable, "-c", code], cwd=b.home, env={
        "ASAN_OPTIONS": "detect_leaks=0"}, capture_output=True,
        timeout=LIMIT_S, check=False)
    text = done.stderr.decode()
    check("a copy that breaks off is named and removed",
          done.returncode == 1 and text == "cp: copy: File too large "
          "(partial copy removed)\n" and
          not os.path.exists(b.home + "/copy"), text)


def test_small_tools(b):
    b.case("echo -n a; echo b; echo -n", "ab\n")
    b.case("echo 'Vesper 0123456789' | hexdump -C",
           "00000000  56 65 73 70 65 72 20 30  31 32 33 34 35 36 37 38  "
           "|Vesper 012345678|\n00000010  39 0a" + " " * 45 +
           "|9.|\n00000012\n", name="hexdump -C")
    with open(b.home + "/zeros", "wb") as file:
        file.write(bytes(100000))
    b.match("hexdump zeros | wc -l; hexdump zeros | head -n 2",
            r" +3\n00000000( +00){16}.*\n\*\n", name="hexdump folds")
    b.case("seq 3; seq 5 7; seq 10 -5 0; seq 2 1",
           "1\n2\n3\n5\n6\n7\n10\n5\n0\n")
    b.case("seq x", "seq: x: not a whole number\n", 1)
    b.case("seq 1 0 5", "seq: 0: the step must not be 0\n", 1)
    b.case("seq", "usage: seq [FIRST [STEP]] LAST\n", 2)
    b.case("seq 20 > s; head s | wc -l; head -n 3 s; head -2 s; "
           "head -n x s", "     10\n1\n2\n3\n1\n2\n"
           "head: x: not a number of lines\n", 1)
    b.case("wc s; wc -l s s", "     20     20     51 s\n     20 s\n"
           "     20 s\n     40 total\n")
    b.case("sleep x", "sleep: x: not a number of seconds\n", 1)
    b.case("sleep -1", "sleep: -1: not a number of seconds\n", 1)
    b.case("kill x", "kill: x: not a domain id\n", 1)
    b.case("kill -NONE 1", "kill: -NONE: no such signal (-l lists them)\n",
           1)
    b.case("kill 99999999", "kill: 99999999: No such process\n", 1)
    b.match("kill -l | head -n 2", r" 1 HUP .*\n 2 INT .*\n")
    b.match("date", r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC\n")
    b.match("date +%s", r"\d{10,}\n")
    for bad in ["2026-02-30 00:00:00", "2026-13-01 00:00:00", "yesterday",
                "1970-01-01 00:00:00", "2026-01-01 24:00:00",
                "2026-01-01 00:00:00x", "2026-01-01"]:
        b.match(f"date -s '{bad}'", r"date: .*: not a time as .*\n", 1)
    b.match("uptime", r"up (\d+ days )?\d\d:\d\d:\d\d\n")
    b.match("free", r"total +\d+ KiB\nkernel .*\nused .*\nfree +\d+ KiB\n"
            r"guaranteed +0 KiB\nlent +0 KiB\nlent max +0 KiB\n")
    b.match("ps", r" +ID PARENT PRI STATE .*tools.*\n", name="ps")
    b.match("reboot", r"reboot: cannot reboot: .*\n", 1)
    b.match("poweroff now", r"usage: poweroff\n", 2)
    b.case("cd /; pwd", "/\n")
    b.case("ls -x", "ls: invalid option -- 'x'\nusage: ls [-la] "
           "[PATH ...]\n", 2)
    b.case("cat nofile s | head -n 1",
           "cat: nofile: No such file or directory\n1\n")
    b.case("echo in | cat - s | head -n 2", "in\n1\n")
    b.case("cat /", "cat: /: Is a directory\n", 1)
    b.case("true; echo $?; false; echo $?; sync; echo $?; sync s nofile",
           "0\n1\n0\nsync: nofile: No such file or directory\n", 1)
    b.case("clear", "\033[H\033[2J")
    for word in ["cat", "cp", "ls", "rm", "help", "cd", "poweroff", "time"]:
        b.match("help", rf".*\n  {word} .*", name=f"help names {word}")


def named(domain, name):
    return (f'{{"ph": "M", "pid": {domain}, "tid": 0, "name": "process_name", '
            f'"args": {{"name": "{name}"}}}},\n')


def ran(domain, why, begin, us, woken):
    return (f'{{"ph": "X", "pid": {domain}, "tid": 0, "name": "{why}", '
            f'"ts": {begin}, "dur": {us}, "args": {{"woken": {woken}}}}},\n')


# The small trace of apps/tools/host/trace.c, at 4 ticks a microsecond.
TRACE = ('{"displayTimeUnit": "ns", "traceEvents": [\n' +
         named(0, "(idle)") + named(2, "uart") + named(3, "shell") +
         named(9, "caps") + named(7, "a?b?c?d") +
         ran(7, "expired", "25.000", "500.000", "12.500") +
         ran(0, "idle", "550.000", "25.000", "0.000") +
         ran(7, "blocked", "575.000", "250.000", "12.500"))


def test_authority(b):
    """ledger and caps on the small system of apps/tools/host/authority.c"""
    def case(fake, command, *wanted):
        b.case(f"export FAKE={fake}; {command}", *wanted)

    def match(fake, command, *wanted):
        b.match(f"export FAKE={fake}; {command}", *wanted)

    case("none", "ledger",
           "     BYTES  TYPE          STATE           OWNER\n"
           "     65536  image         fixed           kernel\n"
           "     65536  ?             ?               ?\n"
           "    524288  untyped       free            -\n"
           "    131072  untyped       free, too small -\n"
           "        64  small object  in use          root\n"
           "     65472  frame         mapped          uart[2]\n"
           "    196608  gap           spent           channel 7\n"
           "   1048576  total, of 1048576 bytes of RAM\n")
    match("leak", "ledger", r".* 1048575  total, of 1048576 bytes .*"
          r"ledger: total: is not the board's RAM\n", 1)
    case("busy", "ledger",
           "ledger: ledger: memory does not come to rest\n", 1)
    b.case("ledger all", "usage: ledger\n", 2)
    b.case("sched a b", "usage: sched [POLICY | DOMAIN KEY VALUE ...]\n", 2)
    b.case("sched", "sched: policy: Function not implemented\n", 1)
    for words in ("-n", "-n 0", "-n x", "3", "-H 3", "-x"):
        b.match(f"top {words}", r"(top: .*)?usage: top \[-H\] \[-n ROUNDS\]\n",
                2)
    b.case("top -H", "top: account: Function not implemented\n", 1)
    case("none", "trace status", "off, 4 records of at most 4, 1 lost\n")
    b.case("trace start", "trace: trace: Function not implemented\n", 1)
    for words in ("", " frob", " write", " start now", " write a b"):
        b.match(f"trace{words}", r"usage: trace start .*\n", 2)
    case("busy", "trace write t",
         "trace: t: the trace is still on: trace stop\n", 1)
    case("none", "trace write no/t",
         "trace: no/t: No such file or directory\n", 1)
    case("none", "trace write t; cat t | head -n 9", TRACE)
    match("none", "caps", r".*\n +5 +3 +0 +1 +1 +0 +1 +1  uart\[2\]\n"
          r" +2 +0 +1 +0 +1 +0 +0 +1  shell\[3\]\n.*caps\[9\]\n")
    match("none", "caps uart", r"OBJECT .*slot:1 +endpoint +---c--- copy "
          r".*slot:4 +irq .*line 57\nslot:16-17 +frame +rw----- - +8192  the "
          r"first not mapped\ndevice:0x3f201000 .*channel:7 +console of "
          r"uart\[2\] for shell\[3\]\n")
    case("none", "caps why uart irq:57",
           "irq, line 57: uart[2], slot:4, rights rwxcsma\n"
           "  declared: system.manifest:4, domain uart: irq 57\n"
           "  copied from the original: root, slot:3\n"
           "  given to the root server by the kernel, at boot\n")
    case("none", "caps why 2 slot:17",
           "frame 0x111000 of 4096 bytes, not mapped: uart[2], slot:17, "
           "rights rw-----\n"
           "  made from untyped 0x110000 of 65536 bytes: uart[2], slot:3\n"
           "  made from untyped 0x100000 of 1048576 bytes: root, slot:1\n"
           "  given to the root server by the kernel, at boot\n")
    match("none", "caps why caps service:console", r"service console: .*"
          r"  caps\[9\] was started by shell\[3\], and has its needs\n"
          r"  declared: system.manifest:8, domain shell: needs console\n")
    match("irq", "caps why shell irq:56",
          r".*NOT declared by the manifest.*")
    for object_name in ["irq:58", "slot:99", "device:0x3f202000", "channel:8",
                        "service:block", "kept:1"]:
        case("none", f"caps why uart {object_name}", f"caps: {object_name}"
             ": the domain does not hold it\n", 1)
    for bad in ["irq", "irq:", "irq:0x", "slot:1x", "slot:-1", "device:uart"]:
        match("none", f"caps why uart {bad}",
              rf"caps: {bad}: not the name of an object .*", 1)
    case("none", "caps why nobody irq:1",
           "caps: nobody: no such domain (see ps)\n", 1)
    match("none", "caps why uart", r"usage: caps .*", 2)
    case("none", "caps diff", "no differences\n")
    match("irq", "caps diff", r"shell\[3\]: holds irq line 56 of - in "
          r"slot:17, undeclared\n", 1)
    match("bell", "caps diff", r"shell\[3\]: holds endpoint badge 8 of "
          r"uart\[2\] in slot:19, undeclared\n", 1)
    case("device", "caps diff",
           "shell[3]: holds device 0x3f202000, undeclared\n", 1)
    case("channel", "caps diff",
           "caps[9]: uses block by channel:8, undeclared\n", 1)
    case("gone", "caps diff",
           "shell: is not running (system.manifest:6)\n", 1)


TESTS = [test_words, test_globs, test_syntax, test_redirections, test_pipes,
         test_programs, test_jobs, test_scripts, test_files, test_full,
         test_small_tools, test_authority, test_prompt, test_editing,
         test_completion, test_flood]


def main():
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="shell-test-") as folder:
        bench = Bench(folder)
        for test in TESTS:
            if not wanted or any(w in test.__name__ for w in wanted):
                test(bench)
    failed = results.count(False)
    print(f"1..{len(results)}")
    print(f"# {len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
