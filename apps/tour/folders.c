/* SPDX-License-Identifier: BSL-1.0
 *
 * Folders: make, list, rename, how full the card is.
 */
#include "tour.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* doc: list */
static int folder_print(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    int count = 0;

    if (folder == NULL) {
        return -1;
    }
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.') {
            printf("# %s%s\n", entry->d_name,
                   entry->d_type == DT_DIR ? "/" : "");
            count++;
        }
    }
    closedir(folder);
    return count;
}
/* end */

/* doc: tree */
static bool tree_build(void)
{
    struct stat s;

    return mkdir("plans", 0755) == 0 && mkdir("plans/old", 0755) == 0 &&
           rename("plans/old", "plans/The old ones") == 0 &&
           stat("plans/The old ones", &s) == 0 && S_ISDIR(s.st_mode);
}
/* end */

/* doc: space */
static long long free_bytes(void)
{
    struct statvfs s;

    if (statvfs("/", &s) != 0) {
        return -1;
    }
    return (long long)s.f_bavail * (long long)s.f_frsize;
}
/* end */

void tour_folders(void)
{
    tour_check(chdir(TOUR_FOLDER) == 0, "change the working directory");
    tour_check(tree_build(), "make and rename folders");
    tour_check(folder_print("plans") == 1, "list a folder");
    tour_check(rmdir("plans") == -1 && errno == ENOTEMPTY,
               "a folder that is not empty stays");
    tour_check(rmdir("plans/The old ones") == 0 && rmdir("plans") == 0,
               "remove them");
    tour_check(free_bytes() > 0, "ask for the room on the card");
    tour_check(chdir("/") == 0, "go back");
}
