/* Makes a disk fail, or be full, or inotify be exhausted, when a test wants it to.
 *
 * To be preloaded. While the file that FAULTS_TRIGGER names exists, writing to files under the
 * directory that FAULTS_UNDER names fails as the file's text says: "write" or "sync", a space, and
 * the number of the error. A write that fails has written nothing; a sync that fails comes after
 * writes that may well have reached the disk, as with real disks. "hang" keeps syncs from
 * returning. "instance" and "watch" are
 * inotify's, which no directory narrows down: FAULTS_UNDER is to be empty. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* The error with which this is to fail, or 0. */
static int fault(const char *what, int file)
{
    const char *trigger = getenv("FAULTS_TRIGGER"), *under = getenv("FAULTS_UNDER");
    char text[32], kind[16], link[64], path[PATH_MAX];
    int error = 0, saved = errno;

    if (!trigger || !under)
        return 0;
    int opened = open(trigger, O_RDONLY | O_CLOEXEC);
    if (opened >= 0) {
        ssize_t length = read(opened, text, sizeof text - 1);
        close(opened);
        text[length > 0 ? length : 0] = 0;
        if (sscanf(text, "%15s %d", kind, &error) != 2 || strcmp(kind, what) != 0)
            error = 0;
    }
    if (error) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t length = readlink(link, path, sizeof path - 1);
        path[length > 0 ? length : 0] = 0;
        if (strncmp(path, under, strlen(under)) != 0)
            error = 0;
    }
    errno = saved;
    return error;
}

#define FAIL_OR_CALL(result, name, what, file, types, arguments) \
    do {                                                         \
        static result(*real) types;                              \
        int error = fault(what, file);                           \
        if (error) {                                             \
            errno = error;                                       \
            return -1;                                           \
        }                                                        \
        if (!real)                                               \
            *(void **)&real = dlsym(RTLD_NEXT, name);            \
        return real arguments;                                   \
    } while (0)

ssize_t write(int file, const void *bytes, size_t count)
{
    FAIL_OR_CALL(ssize_t, "write", "write", file, (int, const void *, size_t), (file, bytes, count));
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at)
{
    FAIL_OR_CALL(ssize_t, "pwrite", "write", file, (int, const void *, size_t, off_t),
                 (file, bytes, count, at));
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at)
{
    FAIL_OR_CALL(ssize_t, "pwrite64", "write", file, (int, const void *, size_t, off64_t),
                 (file, bytes, count, at));
}

ssize_t writev(int file, const struct iovec *pieces, int count)
{
    FAIL_OR_CALL(ssize_t, "writev", "write", file, (int, const struct iovec *, int),
                 (file, pieces, count));
}

/* Keeps a sync from returning while the disk hangs. */
static void hang(int file)
{
    while (fault("hang", file))
        usleep(1000);
}

int fsync(int file)
{
    hang(file);
    FAIL_OR_CALL(int, "fsync", "sync", file, (int), (file));
}

int fdatasync(int file)
{
    hang(file);
    FAIL_OR_CALL(int, "fdatasync", "sync", file, (int), (file));
}

int inotify_init1(int flags)
{
    FAIL_OR_CALL(int, "inotify_init1", "instance", -1, (int), (flags));
}

int inotify_add_watch(int file, const char *path, uint32_t mask)
{
    FAIL_OR_CALL(int, "inotify_add_watch", "watch", file, (int, const char *, uint32_t),
                 (file, path, mask));
}
