/* SPDX-License-Identifier: MIT */
/* Fields of heads. */
#ifndef HTTPD_FIELD_H
#define HTTPD_FIELD_H

/* Fields that somebody here asks for. */
enum known {
	FIELD_HOST,
	FIELD_CONNECTION,
	FIELD_CONTENT_LENGTH,
	FIELD_TRANSFER_ENCODING,
	FIELD_EXPECT,
	FIELD_RANGE,
	FIELD_IF_RANGE,
	FIELD_IF_MATCH,
	FIELD_IF_NONE_MATCH,
	FIELD_IF_MODIFIED_SINCE,
	FIELD_IF_UNMODIFIED_SINCE,
	FIELD_OTHER, /* all others */
};

struct field {
	const char *name, *value;
	enum known known;
};

/* Small and capital letters are the same. */
enum known field_known(const char *name);

#endif
