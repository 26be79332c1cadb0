/* SPDX-License-Identifier: MIT */
/*
 * Images: JPEG by libjpeg-turbo, PNG by libpng, the orientation that cameras note by libexif.  A file's words are
 * not to be trusted: its size is checked before memory is asked for.
 */
#include "image.h"

#include <libexif/exif-data.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

enum { JPEG_QUALITY = 85 };

void image_done(struct image *image)
{
	free(image->pixels);
	*image = (struct image){0};
}

static const leat_error *make(struct image *image, int width, int height, int channels)
{
	*image =
	    (struct image){.width = width, .height = height, .channels = channels, .png = image->png};
	if (width < 1 || height < 1)
		return leat_errorf(NULL, "it has no pixels");
	if ((size_t)width * (size_t)height > MOST_PIXELS)
		return leat_errorf(NULL, "%d x %d pixels are too many", width, height);
	image->pixels = malloc((size_t)width * (size_t)height * (size_t)channels);
	return image->pixels ? NULL : &leat_out_of_memory;
}

/* --- JPEG */

/* 1 to 8, as EXIF has it: 1 is upright. */
static int orientation(const unsigned char *file, size_t bytes)
{
	ExifData *data = exif_data_new_from_data(file, (unsigned)bytes);
	ExifEntry *entry = data ? exif_data_get_entry(data, EXIF_TAG_ORIENTATION) : NULL;
	int value = 1;

	if (entry && entry->format == EXIF_FORMAT_SHORT && entry->size >= 2)
		value = exif_get_short(entry->data, exif_data_get_byte_order(data));
	if (data)
		exif_data_unref(data);
	return value >= 1 && value <= 8 ? value : 1;
}

/* Turn what was stored in that orientation upright. */
static const leat_error *turn(struct image *image, int stored)
{
	struct image old = *image;
	bool sides = stored >= 5; /* rows become columns */
	bool right = stored == 2 || stored == 3 || stored == 7 || stored == 8;
	bool down = stored == 3 || stored == 4 || stored == 6 || stored == 7;
	const leat_error *e;

	if (stored == 1)
		return NULL;
	e = make(image, sides ? old.height : old.width, sides ? old.width : old.height, 3);
	for (int y = 0; !e && y < image->height; y++)
		for (int x = 0; x < image->width; x++) {
			int from_x = sides ? y : x, from_y = sides ? x : y;

			if (right)
				from_x = old.width - 1 - from_x;
			if (down)
				from_y = old.height - 1 - from_y;
			memcpy(image->pixels + ((size_t)y * (size_t)image->width + (size_t)x) * 3,
			       old.pixels + ((size_t)from_y * (size_t)old.width + (size_t)from_x) * 3, 3);
		}
	image_done(&old);
	return e;
}

/* The decoder can give a half, a quarter, an eighth for less work: as little as is enough. */
static int reduced(int length, int size, int *by)
{
	while (*by > 1 && (length + *by - 1) / *by < size)
		*by /= 2;
	return (length + *by - 1) / *by;
}

static const leat_error *decode_jpeg(struct image *image, tjhandle jpeg, const unsigned char *file,
                                     size_t bytes, int size)
{
	int width, height, subsampling, colours, by = 8;
	const leat_error *e;

	if (tjDecompressHeader3(jpeg, file, bytes, &width, &height, &subsampling, &colours) != 0)
		return leat_errorf(NULL, "%s", tjGetErrorStr2(jpeg));
	reduced(width, size, &by);
	height = reduced(height, size, &by);
	width = reduced(width, size, &by);
	e = make(image, width, height, 3);
	if (!e && tjDecompress2(jpeg, file, bytes, image->pixels, width, 0, height, TJPF_RGB,
	                        TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS) != 0)
		e = leat_errorf(NULL, "%s", tjGetErrorStr2(jpeg));
	return e ? e : turn(image, orientation(file, bytes));
}

static const leat_error *read_jpeg(struct image *image, const unsigned char *file, size_t bytes,
                                   int size)
{
	tjhandle jpeg = tjInitDecompress();
	const leat_error *e;

	if (!jpeg)
		return &leat_out_of_memory;
	e = decode_jpeg(image, jpeg, file, bytes, size);
	tjDestroy(jpeg);
	return e;
}

static const leat_error *write_jpeg(const struct image *image, unsigned char **file, size_t *bytes)
{
	tjhandle jpeg = tjInitCompress();
	unsigned long room = tjBufSize(image->width, image->height, TJSAMP_420), length = room;
	const leat_error *e = NULL;

	*file = malloc(room);
	if (!jpeg || !*file)
		e = &leat_out_of_memory;
	else if (tjCompress2(jpeg, image->pixels, image->width, 0, image->height, TJPF_RGB, file,
	                     &length, TJSAMP_420, JPEG_QUALITY, TJFLAG_NOREALLOC) != 0)
		e = leat_errorf(NULL, "%s", tjGetErrorStr2(jpeg));
	*bytes = length;
	if (jpeg)
		tjDestroy(jpeg);
	return e;
}

/* --- PNG */

static const leat_error *read_png(struct image *image, const unsigned char *file, size_t bytes)
{
	png_image png = {.version = PNG_IMAGE_VERSION};
	const leat_error *e;

	if (!png_image_begin_read_from_memory(&png, file, bytes))
		return leat_errorf(NULL, "%s", png.message);
	png.format = png.format & PNG_FORMAT_FLAG_ALPHA ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
	if (png.width > MOST_PIXELS || png.height > MOST_PIXELS)
		e = leat_errorf(NULL, "%u x %u pixels are too many", png.width, png.height);
	else
		e = make(image, (int)png.width, (int)png.height, (int)PNG_IMAGE_PIXEL_CHANNELS(png.format));
	if (!e && !png_image_finish_read(&png, NULL, image->pixels, 0, NULL))
		e = leat_errorf(NULL, "%s", png.message);
	png_image_free(&png);
	return e;
}

static const leat_error *write_png(const struct image *image, unsigned char **file, size_t *bytes)
{
	png_image png = {.version = PNG_IMAGE_VERSION,
	                 .width = (png_uint_32)image->width,
	                 .height = (png_uint_32)image->height,
	                 .format = image->channels == 4 ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB};

	*bytes = PNG_IMAGE_PNG_SIZE_MAX(png);
	*file = malloc(*bytes);
	if (!*file)
		return &leat_out_of_memory;
	if (!png_image_write_to_memory(&png, *file, bytes, 0, image->pixels, 0, NULL))
		return leat_errorf(NULL, "%s", png.message);
	return NULL;
}

/* --- both */

const leat_error *image_read(struct image *image, const unsigned char *file, size_t bytes, int size)
{
	const leat_error *e;

	*image = (struct image){.png = bytes >= 8 && png_sig_cmp(file, 0, 8) == 0};
	if (bytes >= 3 && memcmp(file, "\xff\xd8\xff", 3) == 0)
		e = read_jpeg(image, file, bytes, size);
	else if (image->png)
		e = read_png(image, file, bytes);
	else
		e = leat_errorf(NULL, "neither a JPEG nor a PNG file");
	if (e)
		image_done(image);
	return e;
}

/* The mean of the pixels of `from` in [x0, x1) x [y0, y1).  Colours count as much as they are opaque. */
static void mean(const struct image *from, int x0, int x1, int y0, int y1, unsigned char *to)
{
	uint64_t sum[4] = {0}, weight = 0, n = (uint64_t)(x1 - x0) * (uint64_t)(y1 - y0);
	int channels = from->channels;

	for (int y = y0; y < y1; y++) {
		const unsigned char *p =
		    from->pixels + ((size_t)y * (size_t)from->width + (size_t)x0) * (size_t)channels;

		for (int x = x0; x < x1; x++, p += channels) {
			unsigned alpha = channels == 4 ? p[3] : 255;

			for (int c = 0; c < 3; c++)
				sum[c] += (uint64_t)p[c] * alpha;
			weight += alpha;
		}
	}
	for (int c = 0; c < 3; c++)
		to[c] = (unsigned char)(weight ? (sum[c] + weight / 2) / weight : 0);
	if (channels == 4)
		to[3] = (unsigned char)((weight + n / 2) / n);
}

const leat_error *image_shrink(struct image *image, int size)
{
	struct image old = *image;
	int longer = old.width > old.height ? old.width : old.height;
	int width, height;
	const leat_error *e;

	if (longer <= size)
		return NULL;
	width = (int)((int64_t)old.width * size / longer);
	height = (int)((int64_t)old.height * size / longer);
	width += !width;
	height += !height;
	e = make(image, width, height, old.channels);
	for (int y = 0; !e && y < height; y++)
		for (int x = 0; x < width; x++)
			mean(&old, (int)((int64_t)x * old.width / width),
			     (int)((int64_t)(x + 1) * old.width / width),
			     (int)((int64_t)y * old.height / height),
			     (int)((int64_t)(y + 1) * old.height / height),
			     image->pixels + ((size_t)y * (size_t)width + (size_t)x) * (size_t)old.channels);
	image_done(&old);
	return e;
}

const leat_error *image_write(const struct image *image, unsigned char **file, size_t *bytes)
{
	const leat_error *e;

	*file = NULL;
	e = image->png ? write_png(image, file, bytes) : write_jpeg(image, file, bytes);
	if (e) {
		free(*file);
		*file = NULL;
	}
	return e;
}
