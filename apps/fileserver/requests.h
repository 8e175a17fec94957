/* SPDX-License-Identifier: BSL-1.0
 *
 * What the file server does for each kind of request (<vesper/file.h>). Each
 * returns 0 or a positive errno and puts results into value[]; the caller
 * completes the request. data: r->bytes checked bytes, or NULL.
 */
#pragma once

#include <stdint.h>
#include <vesper/channel.h>

struct request {
    struct server_client *client;
    const struct channel_request *r;
    void *data;
    uint64_t value[3];
};

/* names.c: by path */
int request_open(struct request *q);
int request_stat(struct request *q);
int request_stamp(struct request *q);
int request_mkdir(struct request *q);
int request_rmdir(struct request *q);
int request_unlink(struct request *q);
int request_rename(struct request *q);
int request_statfs(struct request *q);

/* contents.c: by handle, except reads and writes of pipes */
struct open_file;
int request_read(struct request *q, struct open_file *file);
int request_write(struct request *q, struct open_file *file);
int request_seek(struct request *q, struct open_file *file);
int request_fstat(struct request *q, struct open_file *file);
int request_truncate(struct request *q, struct open_file *file);
int request_sync(struct request *q, struct open_file *file);
int request_readdir(struct request *q, struct open_file *file);

/* Write a stat of the card's files into the request's data. */
struct fat_info;
int stat_fill(struct request *q, const struct fat_info *info);
