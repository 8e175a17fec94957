#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Write the boot archive: a cpio archive (newc) that is used in place.

    mkarchive.py OUT [--epoch N] NAME=PATH ...

NAME is the file's name in the archive, PATH where its content is now. The
data of each file begins at a multiple of 4096 bytes: the name field before it
is padded with NULs, which every cpio reader skips. The same input gives the
same bytes: files are sorted by name, belong to 0:0 and carry the time N
(seconds since 1970; default SOURCE_DATE_EPOCH, else 0).
"""

import argparse
import os
import re
import sys
import tempfile

ALIGN_BYTES = 4096
HEADER_BYTES = 110
NAME_MAX_BYTES = 255
FIELD_MAX = 0xFFFFFFFF
MODE_REGULAR_755 = 0o100755
TRAILER = "TRAILER!!!"
NAME = re.compile(r"[A-Za-z0-9._+-]+(/[A-Za-z0-9._+-]+)*")


class ArchiveError(Exception):
    """What is wrong with the arguments or a file, for the user."""


def round_up(number, multiple):
    return (number + multiple - 1) // multiple * multiple


def name_check(name):
    """Only plain relative paths: what is unpacked stays below one folder."""
    parts = name.split("/")
    if not NAME.fullmatch(name) or "." in parts or ".." in parts:
        raise ArchiveError(f"bad name {name!r}: use letters, digits, ._+-, "
                           "and / between them")
    if len(name) > NAME_MAX_BYTES:
        raise ArchiveError(f"name {name!r} is longer than {NAME_MAX_BYTES}")
    if name == TRAILER:
        raise ArchiveError(f"{TRAILER} is the name of the archive's end")


def files_parse(arguments):
    """NAME=PATH ... as a dictionary."""
    files = {}
    for argument in arguments:
        name, equals, path = argument.partition("=")
        if not equals or not path:
            raise ArchiveError(f"{argument!r} is not NAME=PATH")
        name_check(name)
        if name in files:
            raise ArchiveError(f"{name!r} is given twice")
        files[name] = path
    for name in files:
        for other in files:
            if other.startswith(name + "/"):
                raise ArchiveError(f"{name!r} is a file and also a folder "
                                   f"(of {other!r})")
    return files


def entry_header(number, mode, epoch, data_bytes, name_bytes):
    fields = (number, mode, 0, 0, 1, epoch, data_bytes, 0, 0, 0, 0,
              name_bytes, 0)
    return b"070701" + b"".join(b"%08x" % field for field in fields)


def entry_write(archive, number, epoch, name, data):
    """Appends a file to the bytearray, its data aligned."""
    name_at = len(archive) + HEADER_BYTES
    data_at = round_up(name_at + len(name) + 1, ALIGN_BYTES)
    archive += entry_header(number, MODE_REGULAR_755, epoch, len(data),
                            data_at - name_at)
    archive += name.encode("ascii").ljust(data_at - name_at, b"\0")
    archive += data.ljust(round_up(len(data), 4), b"\0")


def archive_make(files, epoch):
    archive = bytearray()
    for number, name in enumerate(sorted(files), start=1):
        with open(files[name], "rb") as file:
            data = file.read()
        if len(data) > FIELD_MAX:
            raise ArchiveError(f"{files[name]} has more than 4 GiB")
        entry_write(archive, number, epoch, name, data)
    archive += entry_header(0, 0, 0, 0, len(TRAILER) + 1)
    archive += TRAILER.encode("ascii") + b"\0"
    # cpio reads blocks of 512; a whole page lets the archive be mapped.
    return archive.ljust(round_up(len(archive), ALIGN_BYTES), b"\0")


def file_replace(path, content):
    """Writes a file so that a reader sees the old or the new one, whole."""
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".mkarchive-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def arguments_parse():
    parser = argparse.ArgumentParser(
        description="Write the boot archive (cpio newc, data page-aligned).")
    parser.add_argument("out", metavar="OUT")
    parser.add_argument("files", metavar="NAME=PATH", nargs="+")
    parser.add_argument("--epoch", metavar="N", type=int,
                        default=os.environ.get("SOURCE_DATE_EPOCH", "0"),
                        help="time of all files, seconds since 1970")
    arguments = parser.parse_intermixed_args()
    if not 0 <= arguments.epoch <= FIELD_MAX:
        parser.error(f"epoch {arguments.epoch} is not within 0..{FIELD_MAX}")
    return arguments


def main():
    arguments = arguments_parse()
    try:
        files = files_parse(arguments.files)
        file_replace(arguments.out, archive_make(files, arguments.epoch))
    except (ArchiveError, OSError) as error:
        print(f"mkarchive.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
