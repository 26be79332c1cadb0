/* SPDX-License-Identifier: MIT */
/*
 * Three ways, the cheapest first:
 *
 *  1. What is in memory is copied there and then: RWF_NOWAIT, one system call, which takes no longer than the plain one.
 *  2. What the kernel said would wait for the device, and what is known to (syncs, O_DIRECT, O_SYNC), goes through the ring.
 *  3. Else a plain call, announced as blocking: where there is no ring, and where the file system cannot say whether it
 *     would wait.  For those (tmpfs; ext4, when it writes) the ring would have the call made by a thread of the kernel,
 *     which is two to three times as dear as making it here, and it seldom waits.
 *
 * The position of a file is not left to the ring, as kernels forget to move it on where a write was cut short (Linux 6.18).
 * So who reads or writes there, in the turn of both, says where, and moves it himself; and where others may have the same
 * open file, and the position with it, plain calls are made, in which the kernel sees to it that nobody comes between.
 *
 * docs/design/files.md has the figures.  The results are the same, whichever way: the ring leaves to the plain call
 * whatever failed in a way of its own.
 *
 * Of a read that brings less than was asked for, the rest is asked for again, until nothing comes: there may have been more
 * in the file than in memory.  A read that brings nothing at first is made again plainly, since there have been kernels that
 * said so for what is not in memory.
 */
#include "file/disk.h"

#include "io/sock.h"
#include "sched/scheduler.h"
#include "sched/settings.h"
#include "sched/uring.h"

#include <errno.h>
#include <unistd.h>

#define AT_ONCE ((size_t)1 << 30) /* the kernel takes a little less than 2 GiB */

void leat__disk_init(struct leat__disk *d, int fd, int flags, bool shared)
{
	d->fd = fd;
	d->direct = leat__os_reads_device(flags);
	d->through = leat__os_writes_device(flags);
	d->append = leat__os_appends(flags);
	d->forks = load_relaxed(&leat__fork_calls);
	store_relaxed(&d->shared, shared);
}

static int64_t moved(int64_t offset, size_t by)
{
	return offset < 0 ? offset : offset + (int64_t)by;
}

static bool try_now(bool to_device, const _Atomic bool *blind)
{
	return !to_device && !load_relaxed(blind) && leat__settings.uring != LEAT__URING_ALWAYS;
}

/* The position is ours to move. */
static bool alone(const struct leat__disk *d)
{
	return !load_relaxed(&d->shared) && d->forks == load_relaxed(&leat__fork_calls);
}

/* By the ring; false: nothing was done. */
static bool leat__disk_ring(const struct leat__disk *d, struct leat__uring_request *r, ssize_t *n)
{
	bool at_position = r->offset < 0;
	int result;

	if (at_position) {
		if (!alone(d) || (d->append && r->op == LEAT__URING_WRITE))
			return false;
		r->offset = leat__os_seek(d->fd, 0, SEEK_CUR);
		if (r->offset < 0)
			return false;
	}
	if (!leat__uring_do(r, &result))
		return false;
	*n = result;
	if (at_position && result > 0)
		leat__os_seek(d->fd, r->offset + result, SEEK_SET);
	return true;
}

/* The second way, and where that is none the third; true: it was the second. */
static bool leat__disk_wait(const struct leat__disk *d, enum leat__uring_op op, void *memory,
                            size_t bytes, int64_t offset, bool ring, ssize_t *n)
{
	struct leat__uring_request r = {op, d->fd, memory, (uint32_t)bytes, offset};

	if ((ring || leat__settings.uring == LEAT__URING_ALWAYS) && leat__disk_ring(d, &r, n))
		return true;
	*n = op == LEAT__URING_READ
	         ? LEAT__ANNOUNCED(leat__os_read_file(d->fd, memory, bytes, offset))
	         : LEAT__ANNOUNCED(leat__os_write_file(d->fd, memory, bytes, offset));
	return false;
}

/*
 * At most AT_ONCE.  *end: there is no more to come, as far as this call is concerned.  A plain read that brings less is at the
 * end of a regular file, but files of /proc come in pieces.
 */
static int leat__disk_read_some(struct leat__disk *d, char *to, size_t bytes, int64_t offset,
                                size_t *done, bool *end)
{
	bool ring = d->direct;
	ssize_t n;

	*end = true;
	*done = 0;
	if (try_now(d->direct, &d->blind_read)) {
		while ((n = leat__os_read_now(d->fd, to + *done, bytes - *done, moved(offset, *done))) >
		       0) {
			*done += (size_t)n;
			if (*done == bytes) {
				*end = false;
				return 0;
			}
		}
		if (n == 0 && *done)
			return 0;
		ring = n == -EAGAIN;
		if (n == -EOPNOTSUPP)
			store_relaxed(&d->blind_read, true);
	}
	bytes -= *done;
	ring = leat__disk_wait(d, LEAT__URING_READ, to + *done, bytes, moved(offset, *done), ring, &n);
	*end = n <= 0 || (!ring && offset < 0 && (size_t)n < bytes);
	*done += n > 0 ? (size_t)n : 0;
	return n < 0 ? (int)n : 0;
}

int leat__disk_read_all(struct leat__disk *d, void *to, size_t bytes, int64_t offset, size_t *done)
{
	bool end = false;
	int err = 0;

	leat__sock_settle();
	*done = 0;
	while (!end && *done < bytes) {
		size_t part = bytes - *done < AT_ONCE ? bytes - *done : AT_ONCE;

		err = leat__disk_read_some(d, (char *)to + *done, part, moved(offset, *done), &part, &end);
		*done += part;
	}
	return err;
}

ssize_t leat__disk_read(struct leat__disk *d, void *to, size_t bytes, int64_t offset)
{
	size_t done;
	int err = leat__disk_read_all(d, to, bytes, offset, &done);

	return done ? (ssize_t)done : err;
}

int leat__disk_write(struct leat__disk *d, const void *from, size_t bytes, int64_t offset,
                     size_t *written)
{
	char *at = (char *)(uintptr_t)from;
	size_t done = 0;
	ssize_t n = 0;

	leat__sock_settle();
	while (n >= 0 && done < bytes) {
		size_t part = bytes - done < AT_ONCE ? bytes - done : AT_ONCE;
		bool ring = d->through;

		n = -EAGAIN;
		if (try_now(d->through, &d->blind_write)) {
			n = leat__os_write_now(d->fd, at + done, part, moved(offset, done));
			ring = n == -EAGAIN;
			if (n == -EOPNOTSUPP)
				store_relaxed(&d->blind_write, true);
		}
		if (n <= 0)
			leat__disk_wait(d, LEAT__URING_WRITE, at + done, part, moved(offset, done), ring, &n);
		if (n == 0) /* never of a file, and not to be tried for ever */
			n = -EIO;
		if (n > 0)
			done += (size_t)n;
	}
	*written = done;
	return n < 0 ? (int)n : 0;
}

int leat__disk_sync(const struct leat__disk *d, bool data_only)
{
	struct leat__uring_request r = {data_only ? LEAT__URING_SYNC_DATA : LEAT__URING_SYNC, d->fd,
	                                NULL, 0, 0};
	int result;

	leat__sock_settle();
	if (leat__uring_do(&r, &result))
		return result;
	return LEAT__ANNOUNCED(leat__os_sync(d->fd, data_only));
}
