/* Loaded into a broker under test: makes single system calls fail, ends the process or the power at one of them, and
 * moves the clock. What to do stands in a file that both sides map: ESCROW_FAULT_CONTROL; see FaultControl.swift for
 * its layout. Without that variable every call goes straight through. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum operation { op_write = 1, op_flush, op_length, op_rename, op_remove, op_open, op_read };
enum action {
    act_eio = 1, act_enospc, act_short, act_power_before, act_power_after, act_kill_before, act_kill_after,
    act_eio_drop, act_erofs
};

struct rule {
    int32_t operation;
    int32_t action;
    int64_t skip;  /* matching calls that pass first */
    int64_t times; /* calls it acts on then; negative: all */
    int64_t seen;
    int64_t fired;
    char path[80]; /* acts on paths that contain it; a pattern of its own starts with nothing */
};

enum { rule_count = 8 };

struct control {
    int64_t clock_nanoseconds;
    int64_t reserved[7];
    struct rule rules[rule_count];
};

/* Written and not yet flushed, for act_eio_drop: what the system may drop after a failed flush. */
struct range { int descriptor; int64_t offset, length; };
enum { range_count = 4096 };

static struct control *control;
static const char *root;
static struct range dirty[range_count];
static int dirty_count;
static char dirty_lock;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("ESCROW_FAULT_CONTROL");
    root = getenv("ESCROW_FAULT_ROOT");
    if (path == NULL) return;
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return;
    void *map = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (map != MAP_FAILED) control = map;
}

#define NEXT(type, name) \
    static type next; \
    if (next == NULL) next = (type)dlsym(RTLD_NEXT, name)

static int is_armed(int operation) {
    if (control == NULL) return 0;
    for (int i = 0; i < rule_count; i++)
        if (__atomic_load_n(&control->rules[i].operation, __ATOMIC_ACQUIRE) == operation) return 1;
    return 0;
}

static int action_for(int operation, const char *path) {
    for (int i = 0; i < rule_count; i++) {
        struct rule *rule = &control->rules[i];
        if (__atomic_load_n(&rule->operation, __ATOMIC_ACQUIRE) != operation) continue;
        if (strstr(path, rule->path) == NULL) continue;
        int64_t seen = __atomic_fetch_add(&rule->seen, 1, __ATOMIC_ACQ_REL);
        if (seen < rule->skip) continue;
        if (rule->times >= 0 && seen >= rule->skip + rule->times) continue;
        __atomic_fetch_add(&rule->fired, 1, __ATOMIC_ACQ_REL);
        return rule->action;
    }
    return 0;
}

static int action_at(int operation, int descriptor) {
    if (!is_armed(operation)) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return action_for(operation, path);
}

static int action_on(int operation, const char *path) {
    return path != NULL && is_armed(operation) ? action_for(operation, path) : 0;
}

/* EXT4_IOC_SHUTDOWN without a flush of the journal: from here on nothing reaches the disk. */
static void lose_power(void) {
    uint32_t flag = 2;
    int descriptor = root == NULL ? -1 : open(root, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) ioctl(descriptor, 0x8004587dUL, &flag);
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void end_process(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void before(int action) {
    if (action == act_power_before) lose_power();
    if (action == act_kill_before) end_process();
}

static void after(int action) {
    int number = errno;
    if (action == act_power_after) lose_power();
    if (action == act_kill_after) end_process();
    errno = number;
}

static int failure(int action) {
    switch (action) {
    case act_eio: case act_eio_drop: return EIO;
    case act_enospc: return ENOSPC;
    case act_erofs: return EROFS;
    default: return 0;
    }
}

static void lock_dirty(void) { while (__atomic_test_and_set(&dirty_lock, __ATOMIC_ACQUIRE)) ; }
static void unlock_dirty(void) { __atomic_clear(&dirty_lock, __ATOMIC_RELEASE); }

static void note_dirty(int descriptor, int64_t offset, int64_t length) {
    if (length <= 0 || !is_armed(op_flush)) return;
    lock_dirty();
    if (dirty_count < range_count) dirty[dirty_count++] = (struct range){ descriptor, offset, length };
    unlock_dirty();
}

static void forget_dirty(int descriptor) {
    lock_dirty();
    int kept = 0;
    for (int i = 0; i < dirty_count; i++) if (dirty[i].descriptor != descriptor) dirty[kept++] = dirty[i];
    dirty_count = kept;
    unlock_dirty();
}

typedef ssize_t (*pwrite_call)(int, const void *, size_t, off_t);

/* The pages are gone: reading brings back what the disk had, which is zeros ahead of the log's end. */
static void drop_dirty(int descriptor) {
    static const char zeros[65536];
    NEXT(pwrite_call, "pwrite");
    lock_dirty();
    int kept = 0;
    for (int i = 0; i < dirty_count; i++) {
        if (dirty[i].descriptor != descriptor) { dirty[kept++] = dirty[i]; continue; }
        int64_t done = 0;
        while (done < dirty[i].length) {
            int64_t left = dirty[i].length - done;
            ssize_t moved = next(
                descriptor, zeros, left < (int64_t)sizeof zeros ? left : (int64_t)sizeof zeros, dirty[i].offset + done);
            if (moved <= 0) break;
            done += moved;
        }
    }
    dirty_count = kept;
    unlock_dirty();
}

static ssize_t write_at(int descriptor, const void *bytes, size_t count, off_t offset) {
    NEXT(pwrite_call, "pwrite");
    int action = action_at(op_write, descriptor);
    before(action);
    int number = failure(action);
    if (number != 0) { errno = number; return -1; }
    if (action == act_short && count > 1) count = count / 2;
    ssize_t result = next(descriptor, bytes, count, offset);
    note_dirty(descriptor, offset, result);
    after(action);
    return result;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    return write_at(descriptor, bytes, count, offset);
}
ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off_t offset) {
    return write_at(descriptor, bytes, count, offset);
}

typedef ssize_t (*pwritev_call)(int, const struct iovec *, int, off_t);
ssize_t pwritev(int descriptor, const struct iovec *pieces, int count, off_t offset) {
    NEXT(pwritev_call, "pwritev");
    int action = action_at(op_write, descriptor);
    before(action);
    int number = failure(action);
    if (number != 0) { errno = number; return -1; }
    if (action == act_short && count > 1) count = count / 2;
    ssize_t result = next(descriptor, pieces, count, offset);
    note_dirty(descriptor, offset, result);
    after(action);
    return result;
}

typedef ssize_t (*pread_call)(int, void *, size_t, off_t);
static ssize_t read_at(int descriptor, void *bytes, size_t count, off_t offset) {
    NEXT(pread_call, "pread");
    int action = action_at(op_read, descriptor);
    before(action);
    int number = failure(action);
    if (number != 0) { errno = number; return -1; }
    if (action == act_short && count > 1) count = count / 2;
    return next(descriptor, bytes, count, offset);
}
ssize_t pread(int descriptor, void *bytes, size_t count, off_t offset) {
    return read_at(descriptor, bytes, count, offset);
}
ssize_t pread64(int descriptor, void *bytes, size_t count, off_t offset) {
    return read_at(descriptor, bytes, count, offset);
}

typedef int (*flush_call)(int);
static int flush(flush_call next, int descriptor) {
    int action = action_at(op_flush, descriptor);
    before(action);
    int number = failure(action);
    if (action == act_eio_drop) drop_dirty(descriptor);
    if (number != 0) { errno = number; return -1; }
    int result = next(descriptor);
    if (result == 0) forget_dirty(descriptor);
    after(action);
    return result;
}
int fdatasync(int descriptor) { NEXT(flush_call, "fdatasync"); return flush(next, descriptor); }
int fsync(int descriptor) { NEXT(flush_call, "fsync"); return flush(next, descriptor); }

typedef int (*ftruncate_call)(int, off_t);
static int set_length(int descriptor, off_t length) {
    NEXT(ftruncate_call, "ftruncate");
    int action = action_at(op_length, descriptor);
    before(action);
    int number = failure(action);
    if (number != 0) { errno = number; return -1; }
    int result = next(descriptor, length);
    after(action);
    return result;
}
int ftruncate(int descriptor, off_t length) { return set_length(descriptor, length); }
int ftruncate64(int descriptor, off_t length) { return set_length(descriptor, length); }

typedef int (*rename_call)(const char *, const char *);
int rename(const char *from, const char *to) {
    NEXT(rename_call, "rename");
    int action = action_on(op_rename, to);
    before(action);
    int number = failure(action);
    if (number != 0) { errno = number; return -1; }
    int result = next(from, to);
    after(action);
    return result;
}

typedef int (*remove_call)(const char *);
static int remove_path(remove_call next, const char *path) {
    int action = action_on(op_remove, path);
    before(action);
    int number = failure(action);
    if (number != 0) { errno = number; return -1; }
    int result = next(path);
    after(action);
    return result;
}
int unlink(const char *path) { NEXT(remove_call, "unlink"); return remove_path(next, path); }
int remove(const char *path) { NEXT(remove_call, "remove"); return remove_path(next, path); }

typedef int (*open_call)(const char *, int, ...);
static int open_path(open_call next, const char *path, int flags, mode_t mode) {
    int action = action_on(op_open, path);
    before(action);
    int number = failure(action);
    if (number != 0) { errno = number; return -1; }
    int result = next(path, flags, mode);
    after(action);
    return result;
}
static mode_t mode_of(int flags, va_list list) { return flags & O_CREAT ? va_arg(list, mode_t) : 0; }

int open(const char *path, int flags, ...) {
    NEXT(open_call, "open");
    va_list list;
    va_start(list, flags);
    mode_t mode = mode_of(flags, list);
    va_end(list);
    return open_path(next, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    NEXT(open_call, "open64");
    va_list list;
    va_start(list, flags);
    mode_t mode = mode_of(flags, list);
    va_end(list);
    return open_path(next, path, flags, mode);
}

/* Only the wall clock: waiting is measured on the monotonic one. */
typedef int (*clock_call)(clockid_t, struct timespec *);
int clock_gettime(clockid_t clock, struct timespec *time) {
    NEXT(clock_call, "clock_gettime");
    int result = next(clock, time);
    if (result != 0 || control == NULL || clock != CLOCK_REALTIME) return result;
    int64_t shift = __atomic_load_n(&control->clock_nanoseconds, __ATOMIC_ACQUIRE);
    int64_t total = time->tv_sec * 1000000000LL + time->tv_nsec + shift;
    time->tv_sec = total / 1000000000LL;
    time->tv_nsec = total % 1000000000LL;
    return 0;
}
