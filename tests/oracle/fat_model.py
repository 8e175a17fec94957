# SPDX-License-Identifier: BSL-1.0
"""A file tree in memory with the promises of libos/fat/fat.h.

The reference that fat_oracle.py compares the library with: written from the
header, sharing no code with it. Errors are negative errno numbers.
"""
import errno as E

SIZE_MAX = 0xFFFFFFFF
ILLEGAL = set('"*:<>?\\|') | {chr(c) for c in range(32)}


def fold(name):
    return name.upper()


class File:
    def __init__(self, mtime):
        self.data = bytearray()
        self.mtime = mtime
        self.opens = 0


class Dir:
    def __init__(self, mtime):
        self.kids = {}  # folded name -> (name, node)
        self.mtime = mtime
        self.opens = 0


def units(name):
    return len(name.encode('utf-16-le')) // 2


def split(path):
    """Components of a path, cleaned; an errno if it cannot be one."""
    if not path:
        return -E.ENOENT
    if path[0] != '/':
        return -E.EINVAL
    if len(path.encode()) > 1024:
        return -E.ENAMETOOLONG
    parts = []
    for part in path.split('/'):
        if part == '..':
            del parts[-1:]
        elif part not in ('', '.'):
            parts.append(part)
    return parts


class Model:
    def __init__(self):
        self.root = Dir(0)
        self.clock = 1_700_000_000

    def now(self):
        return self.clock // 2 * 2

    def find(self, path, avoid=None):
        """(parent, name, node or None, wants_dir), or an errno"""
        parts = split(path)
        if isinstance(parts, int):
            return parts
        wants = path.rsplit('/', 1)[1] in ('', '.', '..')
        if not parts:
            return None, '', self.root, wants
        at = self.root
        for i, part in enumerate(parts):
            if ILLEGAL & set(part):
                return -E.EINVAL
            if units(part) > 255:
                return -E.ENAMETOOLONG
            node = at.kids.get(fold(part), (None, None))[1]
            if i == len(parts) - 1:
                if node and wants and isinstance(node, File):
                    return -E.ENOTDIR
                return at, part, node, wants
            if node is None:
                return -E.ENOENT
            if isinstance(node, File):
                return -E.ENOTDIR
            if node is avoid:
                return -E.EINVAL
            at = node

    def create(self, path, excl):
        """A File, or an errno"""
        r = self.find(path)
        if isinstance(r, int):
            return r
        parent, name, node, wants = r
        if node:
            if excl:
                return -E.EEXIST
            return node if isinstance(node, File) else -E.EISDIR
        if wants:
            return -E.EISDIR
        if name[-1] in '. ':
            return -E.EINVAL
        node = File(self.now())
        parent.kids[fold(name)] = (name, node)
        return node

    def write(self, f, offset, data):
        n = min(len(data), SIZE_MAX - offset)
        if n > 0:
            if offset > len(f.data):
                f.data.extend(bytes(offset - len(f.data)))
            f.data[offset:offset + n] = data[:n]
            f.mtime = self.now()
        return n

    def truncate(self, f, size):
        if size == len(f.data):
            return 0
        del f.data[size:]
        f.data.extend(bytes(size - len(f.data)))
        f.mtime = self.now()
        return 0

    def mkdir(self, path):
        r = self.find(path)
        if r == -E.ENOTDIR and not isinstance(
                self.find(path.rstrip('/.')), int):
            return -E.EEXIST
        if isinstance(r, int):
            return r
        parent, name, node, _ = r
        if node:
            return -E.EEXIST
        if name[-1] in '. ':
            return -E.EINVAL
        parent.kids[fold(name)] = (name, Dir(self.now()))
        return 0

    def unlink(self, path):
        r = self.find(path)
        if isinstance(r, int):
            return r
        parent, name, node, _ = r
        if node is None:
            return -E.ENOENT
        if isinstance(node, Dir):
            return -E.EISDIR
        if node.opens:
            return -E.EBUSY
        del parent.kids[fold(name)]
        return 0

    def rmdir(self, path):
        r = self.find(path)
        if isinstance(r, int):
            return r
        parent, name, node, _ = r
        if node is None:
            return -E.ENOENT
        if node is self.root:
            return -E.EBUSY
        if isinstance(node, File):
            return -E.ENOTDIR
        if node.kids:
            return -E.ENOTEMPTY
        del parent.kids[fold(name)]
        return 0

    def rename(self, old, new):
        r = self.find(old)
        if isinstance(r, int):
            return r
        oparent, oname, node, _ = r
        if node is None:
            return -E.ENOENT
        if node is self.root:
            return -E.EBUSY
        r = self.find(new, avoid=node if isinstance(node, Dir) else None)
        if isinstance(r, int):
            return r
        nparent, nname, target, wants = r
        if target is self.root:
            return -E.EBUSY
        shown = nname
        if target is not None and target is not node:
            if isinstance(node, Dir) != isinstance(target, Dir):
                return -E.EISDIR if isinstance(target, Dir) else -E.ENOTDIR
            if isinstance(target, Dir) and target.kids:
                return -E.ENOTEMPTY
            if target.opens:
                return -E.EBUSY
            shown = nparent.kids[fold(nname)][0]
        elif target is None:
            if wants and isinstance(node, File):
                return -E.ENOTDIR
            if nname[-1] in '. ':
                return -E.EINVAL
        del oparent.kids[fold(oname)]
        nparent.kids[fold(nname)] = (shown, node)
        return 0

    def walk(self, at=None, path=''):
        """Every (path, node) below the root, parents first."""
        for name, node in (at or self.root).kids.values():
            yield f'{path}/{name}', node
            if isinstance(node, Dir):
                yield from self.walk(node, f'{path}/{name}')
