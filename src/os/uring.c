/* SPDX-License-Identifier: MIT */
/*
 * The contract of uring.h by three system calls and the memory that the kernel shares.
 *
 *  - The queue of requests: who puts owns tail and the slots from there on (the caller's lock), the kernel owns head.  Slot
 *    and place are the same number modulo the size, so array[] is the identity, written once.
 *  - The queue of ends: the kernel owns tail, who takes (the caller's lock) owns head.  It cannot overflow, as no more than
 *    room are under way.
 *  - Both release what they own, and acquire what is the kernel's.
 *  - Threads in submit need no lock: the kernel lets one after the other take what is in the queue, and head tells each
 *    when its own has been taken, by whomever.  So requests of several threads go in one call.
 *
 * Not by way of liburing, whose share would be the one call that maps the rings: the queues themselves are inline
 * functions of its header, for a queue that one thread fills and submits.  Loading it would make a kernel's feature depend
 * on a library that most machines lack.  The structures are those of the kernel's own header.
 *
 * Raw system calls; the thread sanitizer learns from the scheduler who waits for whom.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/uring.h"

#include "os/poller.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#endif

#if defined SYS_io_uring_setup && defined IORING_FEAT_RW_CUR_POS

#define ENTRIES 256
#define ROOM    4096 /* ends: 64 KiB */

/* Linux 5.6, which has operations that read and write without an iovec, has all of them. */
#define NEEDED (IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_RW_CUR_POS)

static struct {
	int fd; /* -1: there is no ring */
	uint32_t entries, room;
	_Atomic uint32_t *request_head, *request_tail, *end_head, *end_tail;
	struct io_uring_sqe *requests;
	struct io_uring_cqe *ends;
	void *queues;
	size_t queues_bytes;
} ring = {.fd = -1};

static long checked(long result, int saved)
{
	if (result < 0) {
		result = -errno;
		errno = saved;
	}
	return result;
}

/* Shared memory of the ring, or NULL. */
static void *map(int fd, size_t bytes, uint64_t part)
{
	int saved = errno;
	void *at =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, (off_t)part);

	if (at != MAP_FAILED)
		return at;
	errno = saved;
	return NULL;
}

static bool lay_out(int fd, const struct io_uring_params *p)
{
	size_t requests = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
	size_t ends = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
	uint32_t *array;
	char *queues;

	ring.queues_bytes = requests > ends ? requests : ends;
	queues = map(fd, ring.queues_bytes, IORING_OFF_SQ_RING);
	ring.requests = map(fd, p->sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	ring.queues = queues;
	if (!queues || !ring.requests)
		return false;
	ring.entries = p->sq_entries;
	ring.room = p->cq_entries;
	ring.request_head = (_Atomic uint32_t *)(void *)(queues + p->sq_off.head);
	ring.request_tail = (_Atomic uint32_t *)(void *)(queues + p->sq_off.tail);
	ring.end_head = (_Atomic uint32_t *)(void *)(queues + p->cq_off.head);
	ring.end_tail = (_Atomic uint32_t *)(void *)(queues + p->cq_off.tail);
	ring.ends = (void *)(queues + p->cq_off.cqes);
	array = (void *)(queues + p->sq_off.array);
	for (uint32_t i = 0; i < p->sq_entries; i++)
		array[i] = i;
	return true;
}

static void unmap(void)
{
	if (ring.queues)
		leat__os_unmap(ring.queues, ring.queues_bytes);
	if (ring.requests)
		leat__os_unmap(ring.requests, ring.entries * sizeof *ring.requests);
	ring.queues = NULL;
	ring.requests = NULL;
}

int leat__os_uring_open(void)
{
	struct io_uring_params p = {.flags = IORING_SETUP_CQSIZE, .cq_entries = ROOM};
	int saved = errno, fd = (int)checked(syscall(SYS_io_uring_setup, ENTRIES, &p), saved);

	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM)
		return fd;
	if (fd < 0)
		return -ENOSYS;
	ring.entries = p.sq_entries;
	if ((p.features & NEEDED) != NEEDED || !lay_out(fd, &p)) {
		unmap();
		leat__os_fd_close(fd);
		return (p.features & NEEDED) == NEEDED ? -ENOMEM : -ENOSYS;
	}
	ring.fd = fd;
	return fd;
}

void leat__os_uring_drop(void)
{
	if (ring.fd < 0)
		return;
	unmap();
	leat__os_fd_close(ring.fd);
	ring.fd = -1;
}

uint32_t leat__os_uring_room(void)
{
	return ring.room;
}

bool leat__os_uring_put(const struct leat__uring_request *r, uint64_t token, uint32_t *place)
{
	static const uint8_t codes[] = {
	    [LEAT__URING_READ] = IORING_OP_READ,
	    [LEAT__URING_WRITE] = IORING_OP_WRITE,
	    [LEAT__URING_SYNC] = IORING_OP_FSYNC,
	    [LEAT__URING_SYNC_DATA] = IORING_OP_FSYNC,
	};
	uint32_t tail = load_relaxed(ring.request_tail);

	*place = tail - 1;
	if (tail - load_acquire(ring.request_head) == ring.entries)
		return false;
	ring.requests[tail & (ring.entries - 1)] = (struct io_uring_sqe){
	    .opcode = codes[r->op],
	    .fd = r->fd,
	    .addr = (uint64_t)(uintptr_t)r->memory,
	    .len = r->bytes,
	    .off = (uint64_t)r->offset,
	    .fsync_flags = r->op == LEAT__URING_SYNC_DATA ? IORING_FSYNC_DATASYNC : 0,
	    .user_data = token,
	};
	store_release(ring.request_tail, tail + 1);
	*place = tail;
	return true;
}

int leat__os_uring_submit(uint32_t place)
{
	for (unsigned attempt = 0;; attempt++) {
		uint32_t head = load_acquire(ring.request_head);
		int saved = errno;
		long n;

		if ((int32_t)(head - place) > 0)
			return 0;
		n = checked(syscall(SYS_io_uring_enter, ring.fd, load_acquire(ring.request_tail) - head, 0,
		                    0, NULL, 0),
		            saved);
		if (n == -EBADF || n == -EOPNOTSUPP || n == -ENXIO)
			return -EBADF;
		if (n == -EPERM || n == -EACCES || n == -ENOSYS)
			return -EPERM;
		if (n < 0 && n != -EINTR) /* memory is short, for the moment */
			leat__os_backoff(attempt);
	}
}

bool leat__os_uring_take(struct leat__uring_end *e)
{
	uint32_t head = load_relaxed(ring.end_head);
	const struct io_uring_cqe *ended = &ring.ends[head & (ring.room - 1)];

	if (head == load_acquire(ring.end_tail))
		return false;
	*e = (struct leat__uring_end){ended->user_data, ended->res};
	store_release(ring.end_head, head + 1);
	return true;
}

#else /* a C library whose kernel headers are older */

int leat__os_uring_open(void)
{
	return -ENOSYS;
}

void leat__os_uring_drop(void)
{
}

uint32_t leat__os_uring_room(void)
{
	return 0;
}

bool leat__os_uring_put(const struct leat__uring_request *r, uint64_t token, uint32_t *place)
{
	(void)r;
	(void)token;
	(void)place;
	return false;
}

int leat__os_uring_submit(uint32_t place)
{
	(void)place;
	return -EBADF;
}

bool leat__os_uring_take(struct leat__uring_end *e)
{
	(void)e;
	return false;
}

#endif
