#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Random operations on libos/fat, checked against three judges.

For each shape of volume: mkfs.fat (or mformat) makes an image, fat_cli works
on it, and every result is compared with the model (fat_model.py). After each
batch the image is unmounted, `fsck.fat -n` must find nothing, and mtools must
read the same tree, names and bytes. Then mtools changes the volume and the
library must see it. A failure prints shape, seed and operation.

    fat_oracle.py [--ops N] [--batches N] [--seed N] [--only SHAPE] [--cli X]

Prints TAP. Needs gcc, mtools and dosfstools.
"""
import argparse
import errno as E
import os
import random
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fat_model import Model, Dir, File, fold  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
READ, WRITE, CREATE, EXCL, TRUNC, APPEND, DIRECTORY = (1 << i
                                                       for i in range(7))
ENV = dict(os.environ, LC_ALL='C.UTF-8', MTOOLS_SKIP_CHECK='1', TZ='UTC')
PART_LBA = 2048
MFORMAT16 = ['mformat', '-i', None, '-h', '16', '-s', '32', '-t', '128', '-c',
             '4']

# name: (MiB, fat bits, sectors per cluster, in a partition, root entries).
# Shapes named -full also get writes that fill the volume. mtools takes FAT32
# with under 65525 clusters for something else: it is no judge of those.
SHAPES = {
    'fat32-c1-mbr': (34, 32, 1, True, 0),
    'fat32-c8': (300, 32, 8, False, 0),
    'fat32-c64': (2200, 32, 64, False, 0),
    'fat32-tiny-c1-full': (1, 32, 1, False, 0),
    'fat32-tiny-c64-full': (40, 32, 64, True, 0),
    'fat16-c1-full': (4, 16, 1, False, 512),
    'fat16-c4-mbr': (16, 16, 4, True, 512),
    'fat16-c16-full': (33, 16, 16, False, 64),
    'fat16-mformat': (32, 16, 4, False, None),
}


class Mismatch(Exception):
    pass


class Cli:
    """The library behind a pipe."""

    def __init__(self, binary, image):
        self.p = subprocess.Popen([binary, image], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)

    def send(self, verb, *args, data=b''):
        words = [verb] + [a.encode().hex() if isinstance(a, str) else str(a)
                          for a in args]
        self.p.stdin.write(' '.join(words).encode() + b'\n' + data)
        self.p.stdin.flush()

    def reply(self):
        line = self.p.stdout.readline()
        if not line:
            raise Mismatch(f'fat_cli died, rc {self.p.wait()}')
        return line.decode().rstrip('\n').split(' ')

    def call(self, verb, *args, data=b''):
        self.send(verb, *args, data=data)
        return self.reply()

    def rc(self, verb, *args, data=b''):
        return int(self.call(verb, *args, data=data)[0])

    def read(self, n, offset, length):
        got = self.rc('read', n, offset, length)
        return got if got < 0 else self.p.stdout.read(got) if got else b''

    def list(self, path):
        self.send('list', path)
        found = {}
        while True:
            r = self.reply()
            if r[0] != '+':
                return int(r[0]) or found
            name = bytes.fromhex(r[1]).decode()
            if name in found:
                raise Mismatch(f'{path}: {name} listed twice')
            found[name] = (int(r[2]), r[3] == '1', int(r[4]), int(r[5]))

    def end(self):
        self.p.stdin.close()
        if self.p.wait(30):
            raise Mismatch('fat_cli reported an error at its end')


def run(*args, **kw):
    return subprocess.run(args, env=ENV, text=True, capture_output=True,
                          timeout=120, **kw)


def make_image(path, shape):
    mib, bits, spc, mbr, root = SHAPES[shape]
    start = PART_LBA * 512 if mbr else 0
    with open(path, 'wb') as f:
        f.truncate(start + mib * 1048576)
    if root is None:
        cmd = list(MFORMAT16) + ['::']
        cmd[2] = path
        r = run(*cmd)
    else:
        cmd = ['mkfs.fat', '-F', str(bits), '-s', str(spc)]
        cmd += ['-r', str(root)] if bits == 16 else []
        cmd += [f'--offset={PART_LBA}', path, str(mib * 1024)] if mbr \
            else [path]
        r = run(*cmd)
    if r.returncode:
        raise Mismatch(f'{cmd}: {r.stdout}{r.stderr}')
    if mbr:
        entry = bytes([0, 0, 2, 0, 0x0C if bits == 32 else 0x06, 0, 0, 0])
        entry += PART_LBA.to_bytes(4, 'little')
        entry += (mib * 2048).to_bytes(4, 'little')
        with open(path, 'r+b') as f:
            f.seek(446)
            f.write(entry + bytes(48) + b'\x55\xaa')


class Run:
    """One image under random operations."""

    def __init__(self, cli_binary, shape, seed, work):
        self.rnd = random.Random(f'{shape}/{seed}')
        self.binary = cli_binary
        self.mib, self.bits, self.spc, self.mbr, _ = SHAPES[shape]
        self.fills = shape.endswith('-full')
        self.mtools_reads = '-tiny' not in shape
        self.image = os.path.join(work, 'image')
        self.work = work
        make_image(self.image, shape)
        self.model = Model()
        self.full_ok = 0
        self.log = []
        self.names = self.make_names()
        self.open = {}
        self.attach()

    def make_names(self):
        rnd = self.rnd
        names = ['A', 'B.TXT', 'readme.md', 'Mixed Case Name.text', '.hidden',
                 'archive.tar.gz', 'x' * 13, 'y' * 26, 'lower.txt',
                 'a b c.d e', 'naïve café.txt', 'Ünïcode', 'ΑΒΓδεζ', 'файл.Тхт',
                 '日本語のファイル名', 'emoji😀.x', "it's+ok,[=];.~1", 'LONGNA~1.TXT',
                 'z' * 255, 'UPPER.LON', 'no.ext.', 'trail ', 'bad:name',
                 'q?', 'Foo~1']
        for i in range(12):
            names.append(f'long file name number {i}.data')
        for _ in range(10):
            names.append(''.join(rnd.choice('abcXYZ 019_-.é')
                                 for _ in range(rnd.randint(1, 40))) + 'w')
        return names

    def attach(self):
        self.cli = Cli(self.binary, self.image)
        r = self.cli.call('mount')
        if r[0] != '0':
            raise Mismatch(f'mount: {r}')

    def path(self, kind=None):
        rnd = self.rnd
        have = [p for p, n in self.model.walk()
                if kind is None or isinstance(n, kind)]
        if have and rnd.random() < (0.75 if kind else 0.3):
            p = rnd.choice(have)
            if rnd.random() < 0.1:
                p = p.swapcase()
                # Letters whose case is not one-to-one are no fair game.
                p = p if fold(p) == fold(p.swapcase()) else p.swapcase()
            return p
        dirs = [''] + [p for p, n in self.model.walk() if isinstance(n, Dir)]
        p = rnd.choice(dirs) + '/' + rnd.choice(self.names)
        r = rnd.random()
        if r < 0.02:
            p += '/'
        elif r < 0.04:
            p = p.replace('/', '/./', 1) + '/../' + rnd.choice(self.names)
        elif r < 0.05:
            p += '/' + rnd.choice(self.names)
        return p

    def same(self, what, got, want):
        if got != want:
            raise Mismatch(f'{what}: library {got!r:.200}, '
                           f'model {want!r:.200}')

    def free_bytes(self):
        return int(self.cli.call('statfs')[2])

    def full(self, what, rc, need=0):
        """ENOSPC, when so many bytes were needed: only if it is true."""
        if rc != -E.ENOSPC:
            return False
        self.full_ok += 1
        free = self.free_bytes()
        cluster = self.spc * 512
        # Without need: a directory had to grow, or the FAT16 root is full.
        if need and free >= (need + cluster - 1) // cluster * cluster or \
                not need and free > 2 * cluster and self.bits != 16:
            raise Mismatch(f'{what}: ENOSPC with {free} bytes free')
        return True

    # Operations: each does the same to both sides and compares.

    def op_open(self):
        n = self.rnd.randrange(16)
        if n in self.open:
            return self.op_close()
        path = self.path(File)
        excl = EXCL if self.rnd.random() < 0.2 else 0
        trunc = TRUNC if self.rnd.random() < 0.1 else 0
        append = APPEND if self.rnd.random() < 0.2 else 0
        self.log.append(('open', n, path, excl, trunc, append))
        rc = self.cli.rc('open', n, path,
                         READ | WRITE | CREATE | excl | trunc | append)
        if self.full('open', rc):
            return None
        want = self.model.create(path, excl)
        if isinstance(want, int):
            return self.same(f'open {path}', rc, want)
        self.same(f'open {path}', rc, 0)
        want.opens += 1
        self.open[n] = (want, append)
        if trunc:
            self.model.truncate(want, 0)

    def op_close(self):
        if not self.open:
            return
        n = self.rnd.choice(list(self.open))
        self.log.append(('close', n))
        self.same('close', self.cli.rc('close', n), 0)
        self.open.pop(n)[0].opens -= 1

    def pick(self):
        return self.rnd.choice(list(self.open)) if self.open else None

    def op_write(self):
        n = self.pick()
        if n is None:
            return self.op_open()
        f, append = self.open[n]
        rnd = self.rnd
        size = len(f.data)
        offset = rnd.choice([size, size, rnd.randint(0, size),
                             size + rnd.randint(0, 5000)])
        length = rnd.choice([1, 10, 511, 512, 513, rnd.randint(1, 3000),
                             rnd.randint(1, 40000), rnd.randint(1, 200000)])
        if self.fills and rnd.random() < 0.1:
            length = rnd.randint(1, self.mib << 20)
        data = rnd.randbytes(length)
        self.log.append(('write', n, offset, length))
        rc = self.cli.rc('write', n, offset, length, data=data)
        at = size if append else offset
        if not self.full('write', rc, max(at + 1 - size, 1)):
            if rc < length:
                self.full_ok += 1
                self.same('free after a short write', self.free_bytes(), 0)
            if not 0 < rc <= length:
                raise Mismatch(f'write of {length} gave {rc}')
            self.model.write(f, at, data[:rc])
        self.check_file(n, f)

    def op_truncate(self):
        n = self.pick()
        if n is None:
            return self.op_open()
        f = self.open[n][0]
        size = self.rnd.choice([0, self.rnd.randint(0, len(f.data)),
                                len(f.data) + self.rnd.randint(0, 30000)])
        self.log.append(('truncate', n, size))
        rc = self.cli.rc('truncate', n, size)
        if not self.full('truncate', rc, size - len(f.data)):
            self.same('truncate', rc, self.model.truncate(f, size))
        self.check_file(n, f)

    def check_file(self, n, f):
        r = self.cli.call('fstat', n)
        self.same('fstat', (int(r[1]), int(r[4])), (len(f.data), f.mtime))
        start = self.rnd.randint(0, len(f.data))
        length = self.rnd.randint(0, 100000)
        self.same(f'read {start}+{length}', self.cli.read(n, start, length),
                  bytes(f.data[start:start + length]))

    def op_read(self):
        n = self.pick()
        if n is not None:
            self.same('read all', self.cli.read(n, 0, 1 << 22),
                      bytes(self.open[n][0].data[:1 << 22]))

    def simple(self, verb, *args):
        self.log.append((verb,) + args)
        rc = self.cli.rc(verb, *args)
        if not self.full(verb, rc):
            want = getattr(self.model, verb)(*args)
            self.same(f'{verb} {args}', rc, want)

    def op_mkdir(self):
        self.simple('mkdir', self.path())

    def op_unlink(self):
        self.simple('unlink', self.path(File))

    def op_rmdir(self):
        self.simple('rmdir', self.path(Dir))

    def op_rename(self):
        rnd = self.rnd
        old = self.path(rnd.choice([File, Dir]))
        new = self.path(rnd.choice([File, Dir, None]))
        if rnd.random() < 0.1:
            new = old.swapcase()
            if fold(new) != fold(old):
                return
        self.simple('rename', old, new)

    def op_stat(self):
        path = self.path()
        r = self.model.find(path)
        got = self.cli.call('stat', path)
        if isinstance(r, int) or r[2] is None:
            want = r if isinstance(r, int) else -E.ENOENT
            return self.same(f'stat {path}', int(got[0]), want)
        is_dir = isinstance(r[2], Dir)
        self.same(f'stat {path}', (got[0], int(got[1]), got[2] == '1'),
                  ('0', 0 if is_dir else len(r[2].data), is_dir))

    def op_list(self):
        dirs = [('/', self.model.root)]
        dirs += [(p, n) for p, n in self.model.walk() if isinstance(n, Dir)]
        path, node = self.rnd.choice(dirs)
        self.check_list(path, node)

    def check_list(self, path, node):
        want = {name: (0 if isinstance(n, Dir) else len(n.data),
                       isinstance(n, Dir))
                for name, n in node.kids.values()}
        got = self.cli.list(path)
        if isinstance(got, int):
            got = {} if got == 0 else got
        self.same(f'list {path}', isinstance(got, int) and got or
                  {k: v[:2] for k, v in got.items()}, want)

    def step(self):
        ops = [(self.op_open, 12), (self.op_close, 6), (self.op_write, 25),
               (self.op_truncate, 6), (self.op_read, 4), (self.op_mkdir, 8),
               (self.op_unlink, 10), (self.op_rmdir, 4),
               (self.op_rename, 12), (self.op_stat, 6), (self.op_list, 4)]
        self.model.clock += self.rnd.randint(0, 5000)
        self.cli.rc('clock', self.model.clock)
        self.rnd.choices([o for o, _ in ops], [w for _, w in ops])[0]()

    def finish(self):
        """Close everything, compare all, let the other judges look."""
        while self.open:
            self.op_close()
        self.check_list('/', self.model.root)
        for path, node in list(self.model.walk()):
            if isinstance(node, Dir):
                self.check_list(path, node)
        fault = self.cli.call('fault')
        self.same('fault', fault[0], '0')
        self.same('unmount', self.cli.rc('unmount'), 0)
        self.cli.end()
        self.fsck()
        if self.mtools_reads:
            self.mtools()

    def fsck(self):
        image = self.image
        if self.mbr:
            image = os.path.join(self.work, 'part')
            with open(self.image, 'rb') as f, open(image, 'wb') as out:
                f.seek(PART_LBA * 512)
                shutil.copyfileobj(f, out)
        r = run('fsck.fat', '-n', image)
        if r.returncode:
            raise Mismatch(f'fsck.fat: {r.stdout}{r.stderr}')

    def drive(self):
        return self.image + (f'@@{PART_LBA * 512}' if self.mbr else '')

    def mtools(self):
        out = os.path.join(self.work, 'out')
        shutil.rmtree(out, ignore_errors=True)
        os.mkdir(out)
        r = run('mcopy', '-i', self.drive(), '-s', '-n', '-m', '::/', out)
        if r.returncode and self.model.root.kids:
            raise Mismatch(f'mcopy: {r.stdout}{r.stderr}')
        want = dict(self.model.walk())
        got = {}
        for base, dirs, files in os.walk(out):
            at = base[len(out):]
            for name in dirs:
                got[f'{at}/{name}'] = None
            for name in files:
                got[f'{at}/{name}'] = os.path.join(base, name)
        # mtools shows characters beyond 16 bits as one '_' a unit.
        want = {''.join('__' if ord(c) > 0xFFFF else c for c in p): n
                for p, n in want.items()}
        if set(got) != set(want):
            raise Mismatch('mtools tree: only mtools '
                           f'{sorted(set(got) - set(want))[:4]}, only model '
                           f'{sorted(set(want) - set(got))[:4]}: {r.stderr}')
        for path, node in want.items():
            if isinstance(node, File):
                with open(got[path], 'rb') as f:
                    if f.read() != node.data:
                        raise Mismatch(f'mtools reads {path} differently')
                self.same(f'mtools mtime {path}',
                          int(os.stat(got[path]).st_mtime), node.mtime)

    def foreign(self):
        """Let mtools change the volume; the library must see it."""
        m = self.model
        src = os.path.join(self.work, 'src')
        for i in range(12):
            name = self.rnd.choice(['By mtools', 'MT.BIN', 'mt.low']) + str(i)
            if fold(name) in m.root.kids:
                continue
            data = self.rnd.randbytes(self.rnd.randint(0, 20000))
            with open(src, 'wb') as f:
                f.write(data)
            r = run('mcopy', '-i', self.drive(), src, '::/' + name)
            if r.returncode:
                run('mdel', '-i', self.drive(), '::/' + name)
                break  # full
            node = File(0)
            node.data = bytearray(data)
            m.root.kids[fold(name)] = (name, node)
        files = [p for p, n in m.walk() if isinstance(n, File) and
                 p.isascii() and not set(p) & set("[]'~;*?")]
        for p in self.rnd.sample(files, min(3, len(files))):
            r = run('mdel', '-i', self.drive(), '::' + p)
            if r.returncode == 0:
                self.same(f'mdel {p}', m.unlink(p), 0)
        self.attach()
        for path, node in list(m.walk()):
            if isinstance(node, Dir):
                self.check_list(path, node)
            else:
                self.same(f'open {path}', self.cli.rc('open', 0, path, READ),
                          0)
                self.same(f'bytes of {path}', self.cli.read(0, 0, 1 << 26),
                          bytes(node.data))
                node.mtime = int(self.cli.call('fstat', 0)[4])
                self.cli.rc('close', 0)
        self.check_list('/', m.root)


def build(work):
    binary = os.path.join(work, 'fat_cli')
    src = os.path.join(ROOT, 'libos/fat')
    files = sorted(os.path.join(src, f) for f in os.listdir(src)
                   if f.endswith('.c'))
    subprocess.run(['gcc', '-std=gnu11', '-g', '-O1', '-Wall', '-Wextra',
                    '-fsanitize=address,undefined',
                    '-fno-sanitize-recover=all', '-I', ROOT, '-o', binary,
                    os.path.join(ROOT, 'tests/oracle/fat_cli.c')] + files,
                   check=True)
    return binary


def run_shape(binary, shape, seed, batches, ops):
    with tempfile.TemporaryDirectory() as work:
        r = Run(binary, shape, seed, work)
        try:
            for batch in range(batches):
                for _ in range(ops):
                    r.step()
                r.finish()
                if r.mtools_reads:
                    r.foreign()
                else:
                    r.attach()
            r.finish()
        except (Mismatch, ValueError) as e:
            for line in r.log[-8:]:
                print('#', line)
            print(f'# {shape} seed {seed}, after {len(r.log)} operations: {e}')
            if os.environ.get('FAT_KEEP'):
                r.cli.p.kill()
                shutil.copy(r.image, os.environ['FAT_KEEP'])
            return None
        return len(r.log), r.full_ok


def main():
    a = argparse.ArgumentParser()
    a.add_argument('--ops', type=int, default=300)
    a.add_argument('--batches', type=int, default=4)
    a.add_argument('--seed', type=int, default=1)
    a.add_argument('--only')
    a.add_argument('--cli')
    a = a.parse_args()
    shapes = [s for s in SHAPES if not a.only or a.only == s]
    print(f'1..{len(shapes)}')
    failed = 0
    with tempfile.TemporaryDirectory() as work:
        binary = a.cli or build(work)
        for i, shape in enumerate(shapes, 1):
            r = run_shape(binary, shape, a.seed, a.batches, a.ops)
            failed += r is None
            note = '' if r is None else \
                f' # {r[0]} operations, {r[1]} met a full volume'
            print(f"{'ok' if r else 'not ok'} {i} - {shape}{note}",
                  flush=True)
    return 1 if failed or not shapes else 0


if __name__ == '__main__':
    sys.exit(main())
