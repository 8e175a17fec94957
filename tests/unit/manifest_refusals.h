/* SPDX-License-Identifier: BSL-1.0 */
/*
 * manifest_refusals.h - texts with one mistake, and what must be said about it.
 *
 * The data of manifest_test.c: place and message are compared as a whole.
 */
#pragma once

struct refusal {
    const char *text;
    unsigned line;
    unsigned column;
    const char *message; /* all of it */
};

#define A "domain a\nfile a\n"
#define B "domain b\nfile b\n"

static const struct refusal refusals[] = {
    {"", 0, 0, "manifest has no domain"},
    {"# nothing\n\n  \t\n", 0, 0, "manifest has no domain"},
    {A "devcie 0x3f201000 4096", 3, 1, "unknown key \"devcie\""},
    {"Domain a", 1, 1, "unknown key \"Domain\""},
    {"\"\" a", 1, 1, "unknown key \"\""},
    {"file a\n", 1, 1, "key \"file\" before the first \"domain\""},
    {A "  epoch 1", 3, 3,
     "key \"epoch\" must come before the first \"domain\""},
    {A "pins 1 input", 3, 1,
     "key \"pins\" must come before the first \"domain\""},
    {"epoch 1\nepoch 2", 2, 1, "key \"epoch\" given twice"},
    {A "file b", 3, 1, "key \"file\" given twice"},
    {A "memory 4K\nmemory 8K", 4, 1, "key \"memory\" given twice"},
    {"domain", 1, 1, "key \"domain\" lacks a value"},
    {A "device 0x3f201000", 3, 1, "key \"device\" lacks a value"},
    {"domain a b", 1, 10, "\"b\" is one value too many for key \"domain\""},
    {A "args 1 2 3 4 5 6 7 8 9", 3, 22, "more words than any key takes"},
    {A "irq 1 2", 3, 7, "\"2\" is one value too many for key \"irq\""},
    {"domain a\n", 1, 8, "domain \"a\" has no \"file\""},
    {"domain a\n" B, 1, 8, "domain \"a\" has no \"file\""},
    {"domain A", 1, 8, "domain \"A\" has characters other than a-z 0-9 _ -"},
    {"domain \"\"", 1, 8, "domain \"\" is not 1 to 31 characters long"},
    {"domain abcdefghijklmnopqrstuvwxyz012345", 1, 8,
     "domain \"abcdefghijklmnopqrstuvwxyz012345\" "
     "is not 1 to 31 characters long"},
    {A B "domain a\nfile c", 5, 8,
     "domain \"a\" is there twice, first on line 1"},
    {"domain a\nfile \"\"", 2, 6, "file \"\" is empty"},
    {"epoch x", 1, 7, "epoch \"x\" is not a number"},
    {"epoch -1", 1, 7, "epoch \"-1\" is not a number"},
    {"epoch 18446744073709551616", 1, 7,
     "epoch \"18446744073709551616\" is not a number"},
    {"epoch 253402300800", 1, 7,
     "epoch \"253402300800\" is out of range 0..253402300799"},
    {"pins 54 alt0", 1, 6, "pins \"54\" is not FIRST-LAST within 0..53"},
    {"pins 5-4 alt0", 1, 6, "pins \"5-4\" is not FIRST-LAST within 0..53"},
    {"pins 5- alt0", 1, 6, "pins \"5-\" is not FIRST-LAST within 0..53"},
    {"pins 1-2-3 alt0", 1, 6, "pins \"1-2-3\" is not FIRST-LAST within 0..53"},
    {"pins 5 alt6", 1, 8, "pins \"alt6\" is none of input output alt0..alt5"},
    {"pins 5-9 alt0\npins 9 input\n" A, 2, 6,
     "pins 9 are set already on line 1"},
    {A "device 0x3f201001 4096", 3, 8,
     "device \"0x3f201001\" is no multiple of 4096"},
    {A "device 0x3f201000 100", 3, 19,
     "device \"100\" is not 4096 bytes or a multiple"},
    {A "device 0x3f201000 0", 3, 19,
     "device \"0\" is not 4096 bytes or a multiple"},
    {A "device 0x 4096", 3, 8, "device \"0x\" is not a number"},
    {A "device 0xfffffffffffff000 4096", 3, 27,
     "device \"4096\" ends past the last address"},
    {A "device 0 4096\ndevice 4096 4096\ndevice 8192 4096\n"
       "device 12288 4096\ndevice 16384 4096",
     7, 8, "domain \"a\" has more than 4 of \"device\""},
    {"domain uart\nfile u\ndevice 0x3f201000 8192\ndomain sd\nfile s\n"
     "device 0x3f202000 4096",
     6, 8, "device 0x3f202000 given to both \"uart\" and \"sd\""},
    {A "device 0x1000 8192\ndevice 0 8192", 4, 8,
     "device 0 given twice to \"a\""},
    {A "irq 96", 3, 5, "irq \"96\" is out of range 0..95"},
    {A "irq 1\nirq 2\nirq 3\nirq 4\nirq 5", 7, 5,
     "domain \"a\" has more than 4 of \"irq\""},
    {A "irq 57\n" B "irq 0x39", 6, 5,
     "irq 0x39 given to both \"a\" and "
     "\"b\""},
    {A "memory 512", 3, 8, "memory \"512\" is not a size such as 512K or 2M"},
    {A "memory 5G", 3, 8, "memory \"5G\" is not a size such as 512K or 2M"},
    {A "memory K", 3, 8, "memory \"K\" is not a size such as 512K or 2M"},
    {A "memory 4KM", 3, 8, "memory \"4KM\" is not a size such as 512K or 2M"},
    {A "memory 0M", 3, 8, "memory \"0M\" is not 4K or a multiple"},
    {A "memory 3K", 3, 8, "memory \"3K\" is not 4K or a multiple"},
    {A "memory 4294967296M", 3, 8,
     "memory \"4294967296M\" is not a size such as 512K or 2M"},
    {A "priority 0", 3, 10, "priority \"0\" is out of range 1..255"},
    {A "priority 256", 3, 10, "priority \"256\" is out of range 1..255"},
    {A "provides x\n" B "provides x", 6, 10,
     "service \"x\" is provided by both \"a\" and \"b\""},
    {A "provides x\nprovides x", 4, 10,
     "service \"x\" is provided twice by \"a\""},
    {A "provides 1\nprovides 2\nprovides 3\nprovides 4\nprovides 5", 7, 10,
     "domain \"a\" has more than 4 of \"provides\""},
    {A "needs x y x", 3, 11, "needs \"x\" is there twice"},
    {A "needs 1 2 3 4 5\nneeds 6 7 8 9", 4, 13,
     "domain \"a\" has more than 8 of \"needs\""},
    {"domain shell\nfile a\nneeds consle\n", 3, 7,
     "service \"consle\" is provided by no domain (needed by \"shell\")"},
    {A "stdio x", 3, 7,
     "service \"x\" is provided by no domain (needed by \"a\")"},
    {A "restart often", 3, 9,
     "restart \"often\" is none of always, never or a number"},
    {A "restart 3x", 3, 9, "restart \"3x\" is not a number"},
    {A "restart 1001", 3, 9, "restart \"1001\" is out of range 0..1000"},
    {A "critical maybe", 3, 10, "critical \"maybe\" is neither yes nor no"},
    {"domain shell\nfile a\nneeds files\nprovides sh\n"
     "domain files\nfile b\nprovides files\nneeds sh\n",
     3, 7, "cycle: shell -> files -> shell"},
    {A "needs x\nprovides x", 3, 7, "cycle: a -> a"},
    {A "stdio x\nprovides x", 3, 7, "cycle: a -> a"},
    {"domain z\nfile z\nneeds a\n" A "needs b\nprovides a\n" B
     "needs a\nprovides b",
     6, 7, "cycle: a -> b -> a"},
    {A "domain b\nfile b\nneeds c\nprovides b\ndomain c\nfile c\nneeds b\n"
       "provides c",
     5, 7, "cycle: b -> c -> b"},
    {A "args \"open", 3, 6, "quote without an end"},
    {A "args op\"en", 3, 8, "quote inside a word"},
    {A "args \"a\"b", 3, 9, "no blank behind a quoted word"},
    {A "args \"a\"\"b\"", 3, 9, "no blank behind a quoted word"},
    {A "# caf\xc3\xa9", 3, 6, "byte 0xc3 is not printable ASCII"},
    {A "arg\x1b", 3, 4, "byte 0x1b is not printable ASCII"},
    {A "irq\r1", 3, 4, "byte 0x0d is not printable ASCII"},
    {"domain a # \x7f", 1, 12, "byte 0x7f is not printable ASCII"},
};
