# SPDX-License-Identifier: MIT
"""Requests of HTTP that have gone wrong: what a random choice makes of good ones, the same for the same seed."""

SEEDS = [
	b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	b"GET /f?q=1#x HTTP/1.1\r\nHost: a.example:80\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n",
	b"HEAD /f HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	b"GET /f HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1,3-,-2\r\nIf-Range: \"x\"\r\n\r\n",
	b"GET /f HTTP/1.1\r\nHost: a\r\nRange: bytes=1-2,4-5\r\n\r\nGET /f HTTP/1.1\r\nHost: a\r\n\r\n",
	b"GET /f HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"a\", W/\"b\", *\r\nIf-Match: *\r\n\r\n",
	b"GET /f HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
	b"POST /f HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
	b"POST /f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: u\r\n\r\n",
	b"GET /%66%2e%2e/./x/../f HTTP/1.1\r\nHost: a\r\nConnection: close, x\r\n\r\n",
	b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
	b"GET http://a/f HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
	b"GET /sub HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
	b"GET /sub/ HTTP/1.1\r\nHost: a\r\n" + b"X-Many: y\r\n" * 40 + b"\r\n",
]
WORDS = [b"\r\n", b"\n", b"\r", b"\x00", b" ", b"\t", b":", b",", b"%", b"%00", b"..", b"/", b"\xff", b"\r\n\r\n", b"\r\n ",
         b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: b\r\n", b"0\r\n\r\n", b"ffffffffffffffff",
         b"18446744073709551615", b"9" * 30, b"HTTP/1.1", b"HTTP/2.0", b"bytes=", b"-", b"\"", b"*", b"A" * 3000]


def mutant(choose):
	data = bytearray(choose.choice(SEEDS))
	for _ in range(choose.randrange(1, 6)):
		at = choose.randrange(len(data) + 1)
		end = min(len(data), at + choose.randrange(1, 20))
		how = choose.randrange(7)
		if how == 0 and at < len(data):
			data[at] = choose.randrange(256)
		elif how == 1:
			data[at:at] = choose.choice(WORDS)
		elif how == 2:
			del data[at:end]
		elif how == 3:
			data[at:at] = data[at:end] * choose.randrange(1, 50)
		elif how == 4:
			other = choose.choice(SEEDS)
			data[at:] = other[choose.randrange(len(other)):]
		elif how == 5:
			data[at:end] = choose.choice(WORDS)
		else:
			data += choose.choice(SEEDS)
	return bytes(data)
