/* SPDX-License-Identifier: MIT */
/*
 * JPEG for thumb.py.  thumb_jpeg WIDTH HEIGHT: reads rows of red, green, blue, writes a file.  Without arguments: reads
 * a file, writes a line of width and height, and the rows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <turbojpeg.h>

static unsigned char bytes[1 << 24];

int main(int argc, char **argv)
{
	size_t n = fread(bytes, 1, sizeof bytes, stdin);
	tjhandle jpeg = argc == 3 ? tjInitCompress() : tjInitDecompress();
	unsigned char *out = NULL;
	unsigned long length = 0;
	int width, height, subsampling, colours, failed;

	if (!jpeg)
		return 1;
	if (argc == 3) {
		failed = tjCompress2(jpeg, bytes, atoi(argv[1]), 0, atoi(argv[2]), TJPF_RGB, &out, &length,
		                     TJSAMP_444, 95, 0);
	} else {
		failed = tjDecompressHeader3(jpeg, bytes, n, &width, &height, &subsampling, &colours);
		if (!failed) {
			length = (unsigned long)width * (unsigned long)height * 3;
			out = tjAlloc((int)length);
			failed = tjDecompress2(jpeg, bytes, n, out, width, 0, height, TJPF_RGB, 0);
			printf("%d %d\n", width, height);
		}
	}
	if (failed) {
		fprintf(stderr, "%s\n", tjGetErrorStr2(jpeg));
		return 1;
	}
	fwrite(out, 1, length, stdout);
	tjFree(out);
	tjDestroy(jpeg);
	return 0;
}
