/* SPDX-License-Identifier: MIT */
/* Pipes of the system's as connections. */
#ifndef LEAT_IO_FIFO_H
#define LEAT_IO_FIFO_H

#include "io/sock.h"

/* A connection that owns fd, an end of a pipe, and makes it non-blocking; or NULL with *err, fd being the caller's still:
   -ENOTSOCK for what is no pipe. */
leat_conn *leat__conn_of_pipe(int fd, int *err);

#endif
