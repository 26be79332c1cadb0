/* SPDX-License-Identifier: MIT */
#ifndef HTTPD_TYPES_H
#define HTTPD_TYPES_H

/* The media type of a file of that name, by what stands behind its last dot. */
const char *type_of(const char *name);

#endif
