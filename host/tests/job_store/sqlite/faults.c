/* Makes a disk fail for one file, for as long as a trigger file is there.
 *
 * In the directory TARP_FAULTS: "limit" with a number: the file may not grow beyond so many bytes
 * (ENOSPC); "write", "sync", "read": such calls fail (EIO); "hang": a sync does not return. TARP_FAULTS_ON is the end of the file's
 * name, or with "*" behind it, any part. Loaded with LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int is_ours(int fd) {
    char link[64], name[4096];
    const char *end = getenv("TARP_FAULTS_ON");
    if (!end) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length < 0) return 0;
    name[length] = 0;
    size_t size = strlen(end);
    if (size && end[size - 1] == '*') return memmem(name, length, end, size - 1) != NULL;
    return (size_t)length >= size && strcmp(name + length - size, end) == 0;
}

static int trigger(const char *what, char *path, size_t size) {
    const char *directory = getenv("TARP_FAULTS");
    if (!directory) return 0;
    snprintf(path, size, "%s/%s", directory, what);
    return access(path, F_OK) == 0;
}

static int fails(int fd, const char *what) {
    char path[4096];
    if (!trigger(what, path, sizeof path) || !is_ours(fd)) return 0;
    errno = EIO;
    return 1;
}

static int is_full(int fd, off_t end) {
    char path[4096];
    if (!trigger("limit", path, sizeof path) || !is_ours(fd)) return 0;
    FILE *file = fopen(path, "r");
    long long limit = 0;
    int read = file ? fscanf(file, "%lld", &limit) : 0;
    if (file) fclose(file);
    if (read != 1 || end <= limit) return 0;
    errno = ENOSPC;
    return 1;
}

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count) {
    if (fails(fd, "write")) return -1;
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at >= 0 && is_full(fd, at + (off_t)count)) return -1;
    return REAL(write)(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    if (fails(fd, "write") || is_full(fd, at + (off_t)count)) return -1;
    return REAL(pwrite)(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    if (fails(fd, "write") || is_full(fd, at + (off_t)count)) return -1;
    return REAL(pwrite64)(fd, bytes, count, at);
}

ssize_t read(int fd, void *bytes, size_t count) {
    return fails(fd, "read") ? -1 : REAL(read)(fd, bytes, count);
}

ssize_t pread(int fd, void *bytes, size_t count, off_t at) {
    return fails(fd, "read") ? -1 : REAL(pread)(fd, bytes, count, at);
}

ssize_t pread64(int fd, void *bytes, size_t count, off64_t at) {
    return fails(fd, "read") ? -1 : REAL(pread64)(fd, bytes, count, at);
}

/* Keeps a call from returning for as long as "hang" is there. */
static void hang(int fd) {
    char path[4096];
    while (trigger("hang", path, sizeof path) && is_ours(fd)) usleep(1000);
}

int fsync(int fd) { hang(fd); return fails(fd, "sync") ? -1 : REAL(fsync)(fd); }

int fdatasync(int fd) { hang(fd); return fails(fd, "sync") ? -1 : REAL(fdatasync)(fd); }
