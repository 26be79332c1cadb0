/* SPDX-License-Identifier: MIT */
/* Images of thumb.c: 8 bits a channel, rows from the top.  Errors are the caller's, with words for people. */
#ifndef THUMB_IMAGE_H
#define THUMB_IMAGE_H

#include <leat.h>

struct image {
	int width, height, channels; /* 3: red, green, blue; 4: alpha, too */
	bool png;                    /* it was read from a PNG file, and is written as one; else JPEG */
	unsigned char *pixels;
};

/* What more pixels than this are told to be too large; a worker has one of them at a time. */
#define MOST_PIXELS ((size_t)200 * 1000 * 1000)

/*
 * Read a JPEG or PNG file of so many bytes, upright; a large one perhaps smaller than it is, but neither side below
 * size pixels.  On failure *image is empty.
 */
const leat_error *image_read(struct image *image, const unsigned char *file, size_t bytes,
                             int size);

/* Make it smaller, if need be, to fit into a square of size pixels. */
const leat_error *image_shrink(struct image *image, int size);

/* As the bytes of a file such as it was read from; to be freed. */
const leat_error *image_write(const struct image *image, unsigned char **file, size_t *bytes);

/* Also of an empty one. */
void image_done(struct image *image);

#endif
