#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=240
"""thumb.py BUILD_TREE [TEST...]: what examples/apps/thumb promises, with images made here, read back independently."""
import os
import pty
import resource
import signal
import struct
import subprocess
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tools"))
import app  # noqa: E402
from app import check, finish, make, run, start, until  # noqa: E402

RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 200, 20), (20, 20, 220), (250, 250, 250)


def chunk(kind, data):
	return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, pixel, alpha=False):
	"""A PNG file; pixel(x, y) gives a colour."""
	rows = b"".join(b"\0" + b"".join(bytes(pixel(x, y)) for x in range(width)) for y in range(height))
	head = struct.pack(">IIBBBBB", width, height, 8, 6 if alpha else 2, 0, 0, 0)
	return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def unfilter(kind, row, above, channels):
	for i, byte in enumerate(row):
		left = row[i - channels] if i >= channels else 0
		corner = above[i - channels] if i >= channels else 0
		up = above[i]
		if kind == 1:
			byte += left
		elif kind == 2:
			byte += up
		elif kind == 3:
			byte += (left + up) // 2
		elif kind == 4:
			p = left + up - corner
			byte += min((left, up, corner), key=lambda v: abs(p - v))
		row[i] = byte & 255


def read_png(path):
	"""Width, height, channels and rows."""
	with open(path, "rb") as file:
		data = file.read()
	check(data.startswith(b"\x89PNG\r\n\x1a\n"), path, "is no PNG file")
	at, packed, head = 8, b"", None
	while at < len(data):
		length, kind = struct.unpack(">I4s", data[at:at + 8])
		body = data[at + 8:at + 8 + length]
		check(zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0], "a bad sum")
		head = struct.unpack(">IIBBBBB", body) if kind == b"IHDR" else head
		packed += body if kind == b"IDAT" else b""
		at += 12 + length
	width, height, depth, colour = head[:4]
	channels = {2: 3, 6: 4}[colour]
	check(depth == 8, "depth", depth)
	raw, rows, above = zlib.decompress(packed), [], bytes(width * channels)
	for y in range(height):
		line = raw[y * (width * channels + 1):(y + 1) * (width * channels + 1)]
		row = bytearray(line[1:])
		unfilter(line[0], row, above, channels)
		rows.append(row)
		above = row
	return width, height, channels, rows


def tool():
	"""The helper for JPEG, compiled once."""
	path = os.path.abspath("../thumb_jpeg")
	if not os.path.exists(path):
		subprocess.run(["cc", "-O1", "-o", path, os.path.join(HERE, "thumb_jpeg.c"), "-lturbojpeg"], check=True)
	return path


def jpeg(width, height, pixel, orientation=None):
	rows = b"".join(bytes(pixel(x, y)) for y in range(height) for x in range(width))
	data = subprocess.run([tool(), str(width), str(height)], input=rows, stdout=subprocess.PIPE, check=True).stdout
	if orientation is None:
		return data
	tiff = b"II*\0\x08\0\0\0" + struct.pack("<HHHIHHI", 1, 0x112, 3, 1, orientation, 0, 0)
	exif = b"Exif\0\0" + tiff
	return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def read_jpeg(path):
	with open(path, "rb") as file:
		out = subprocess.run([tool()], stdin=file, stdout=subprocess.PIPE, check=True).stdout
	size, _, rows = out.partition(b"\n")
	width, height = map(int, size.split())
	return width, height, 3, [rows[y * width * 3:(y + 1) * width * 3] for y in range(height)]


def at(image, x, y):
	"""The colour at a place given as shares of width and height."""
	width, height, channels, rows = image
	x, y = min(int(x * width), width - 1), min(int(y * height), height - 1)
	return tuple(rows[y][x * channels:(x + 1) * channels])


def check_colour(image, x, y, wanted, what):
	got = at(image, x, y)
	check(all(abs(a - b) <= 24 for a, b in zip(got, wanted)), f"{what}: at {x}, {y} is {got}, not {wanted}")


def quarters(width, height):
	def pixel(x, y):
		return ((RED, GREEN), (BLUE, WHITE))[y >= height / 2][x >= width / 2]
	return pixel


def check_quarters(image, colours, what):
	for (x, y), colour in zip(((.2, .2), (.8, .2), (.2, .8), (.8, .8)), colours):
		check_colour(image, x, y, colour, what)


def check_runs(*arguments, code=0, err=b"", **how):
	got, out, complaints = run(*arguments, **how)
	check((got, out, complaints) == (code, b"", err), arguments, got, out, complaints)


def test_sizes_and_colours():
	os.mkdir("out")
	shapes = {"wide": (400, 200, 160, 80), "tall": (90, 300, 48, 160), "line": (1000, 2, 160, 1), "odd": (333, 321, 160, 154)}
	for name, (width, height, _, _) in shapes.items():
		make(name + ".png", png(width, height, quarters(width, height)))
		make(name + ".jpg", jpeg(width, height, quarters(width, height)))
	check_runs("-o", "out", *[n + e for n in shapes for e in (".png", ".jpg")], procs=4)
	for name, (_, _, width, height) in shapes.items():
		for image in (read_png(f"out/{name}.png"), read_jpeg(f"out/{name}.jpg")):
			check(image[:2] == (width, height), name, "is", image[:2])
			check(image[2] == 3, name, "has", image[2], "channels")
			if height > 1:
				check_quarters(image, (RED, GREEN, BLUE, WHITE), name)


def test_images_of_this_system():
	"""Whatever there is below /usr/share: each has a thumbnail that fits, or a complaint."""
	os.mkdir("out")
	images = {}
	for folder, _, names in os.walk("/usr/share"):
		for name in names:
			if name.lower().endswith((".png", ".jpg", ".jpeg")) and len(images) < 300:
				images.setdefault(name, os.path.join(folder, name))
	if not images:
		raise app.Skip("it has none")
	code, out, err = run("-o", "out", *images.values(), procs=2)
	check(code in (0, 1) and out == b"", code, out)
	check(len(os.listdir("out")) + len(err.splitlines()) == len(images), len(images), "images,", err[-200:])
	for name in os.listdir("out"):
		image = read_png("out/" + name) if name.lower().endswith("png") else read_jpeg("out/" + name)
		check(0 < image[0] <= 160 and 0 < image[1] <= 160, name, image[:2])


def test_small_images_stay():
	os.mkdir("out")
	make("a.jpg", jpeg(30, 20, quarters(30, 20)))
	check_runs("-s", "30", "-o", "out", "a.jpg")
	check(read_jpeg("out/a.jpg")[:2] == (30, 20))


def test_alpha():
	"""It is kept, and what cannot be seen does not colour what can."""
	os.mkdir("out")
	make("a.png", png(320, 320, lambda x, y: (*GREEN, 255) if x % 2 else (255, 0, 255, 0), alpha=True))
	check_runs("-o", "out", "a.png")
	image = read_png("out/a.png")
	check(image[:3] == (160, 160, 4), image[:3])
	check_colour(image, .5, .5, (*GREEN, 128), "alpha")


def test_orientations():
	"""The eight ways to hold a camera: the picture is upright."""
	os.mkdir("out")
	upright = (RED, GREEN, BLUE, WHITE)
	stored = {1: "abcd", 2: "badc", 3: "dcba", 4: "cdab", 5: "acbd", 6: "bdac", 7: "dbca", 8: "cadb"}
	for orientation, order in stored.items():
		# What was stored so that, turned, its quarters are a b / c d.
		colours = [upright["abcd".index(letter)] for letter in order]
		size = (200, 120) if orientation < 5 else (120, 200)
		make(f"{orientation}.jpg", jpeg(*size, lambda x, y, s=size, c=colours: c[2 * (y >= s[1] / 2) + (x >= s[0] / 2)], orientation))
	check_runs("-s", "100", "-o", "out", *[f"{o}.jpg" for o in stored])
	for orientation in stored:
		image = read_jpeg(f"out/{orientation}.jpg")
		check(image[:2] == (100, 60), orientation, image[:2])
		check_quarters(image, upright, f"orientation {orientation}")


def test_what_is_no_image():
	"""Each is told of, the others are made, and nothing else is left."""
	os.mkdir("out")
	os.mkdir("folder.png")
	good = jpeg(300, 200, quarters(300, 200))
	bad_png = png(50, 50, quarters(50, 50))
	make("good.jpg", good)
	make("empty.jpg")
	make("text.jpg", b"hello")
	make("short.jpg", good[:len(good) // 2])
	make("sum.png", bad_png[:60] + bytes([bad_png[60] ^ 1]) + bad_png[61:])
	make("huge.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 900000, 900000, 8, 2, 0, 0, 0)))
	os.mkfifo("pipe.jpg")
	names = ["missing.jpg", "folder.png", "empty.jpg", "text.jpg", "short.jpg", "sum.png", "huge.png", "pipe.jpg"]
	code, out, err = run("-o", "out", *names, "good.jpg")
	check((code, out) == (1, b""), code, out, err)
	complaints = dict(line.split(": ", 2)[1:] for line in err.decode().splitlines())
	check(sorted(complaints) == sorted(names), err)
	check(complaints["missing.jpg"] == "No such file or directory", complaints)
	check(complaints["folder.png"] == "Is a directory", complaints)
	check(complaints["text.jpg"] == complaints["empty.jpg"] == "neither a JPEG nor a PNG file", complaints)
	check(complaints["pipe.jpg"] == "not a regular file", complaints)
	check(os.listdir("out") == ["good.jpg"], os.listdir("out"))


def test_damaged_files():
	"""Thousands of bytes changed at random: never a crash."""
	import random
	generator = random.Random(3)
	os.mkdir("out")
	images = [jpeg(64, 48, quarters(64, 48), 6), png(64, 48, quarters(64, 48))]
	names = []
	for i in range(400):
		data = bytearray(images[i % 2])
		for _ in range(generator.randint(1, 8)):
			data[generator.randrange(len(data))] = generator.randrange(256)
		names.append(f"{i}.bin")
		make(names[-1], data)
	code, _, err = run("-o", "out", "-s", "20", *names, procs=2)
	check(code in (0, 1) and b"goroutine" not in err, code, err[-300:])
	check(len(os.listdir("out")) + len(err.splitlines()) == 400, len(os.listdir("out")), len(err.splitlines()))


def test_names():
	os.mkdir("out")
	make("x/a.jpg", jpeg(20, 20, quarters(20, 20)))
	make("y/a.jpg", jpeg(20, 20, quarters(20, 20)))
	check_runs("-o", "out", "x/a.jpg", "y/a.jpg", code=2,
	           err=b"thumb: x/a.jpg and y/a.jpg would have the same thumbnail\n")
	check_runs("-o", "x", "x/a.jpg", code=1,
	           err=b"thumb: x/a.jpg: it would be its own thumbnail: x/a.jpg is the same file\n")
	check(os.listdir("out") == [] and os.listdir("x") == ["a.jpg"], "something was written")


def test_no_room():
	"""What cannot be written whole is not there at all."""
	os.mkdir("out")
	make("a.png", png(200, 200, lambda x, y: (x * y % 256, x % 256, y % 256)))

	def limit():
		signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
		resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
	process = subprocess.run([app.program, "-o", "out", "a.png"], preexec_fn=limit, capture_output=True,
	                         check=False, timeout=app.SHORT_S, env=app.ENVIRONMENT)
	check(process.returncode == 1, process)
	check(process.stderr == b"thumb: a.png: cannot write out/a.png: File too large\n", process.stderr)
	check(os.listdir("out") == [], os.listdir("out"))


def test_signal():
	"""It stops soon, says so, and what is there is whole."""
	os.mkdir("out")
	image = png(400, 300, quarters(400, 300))
	names = [f"{i}.png" for i in range(2000)]
	for name in names:
		make(name, image)
	process = start("-o", "out", "-j", "2", *names)
	until(lambda: len(os.listdir("out")) > 5, "there are some")
	process.send_signal(signal.SIGINT)
	code, out, err = finish(process)
	check(code == 130 and out == b"", code, out)
	check(err.startswith(b"thumb: Interrupt: stopped after ") and err.endswith(b" of 2000 files\n"), err)
	made = os.listdir("out")
	check(len(made) < 2000 and all(name in names for name in made), "left behind:", made[:9])
	for name in made:
		check(read_png(os.path.join("out", name))[:2] == (160, 120), name)


def test_usage():
	make("a.jpg", jpeg(20, 20, quarters(20, 20)))
	for wrong in (["a.jpg"], ["-o", "."], ["-o", "none", "a.jpg"], ["-o", "a.jpg", "a.jpg"],
	              ["-s", "0", "-o", ".", "a.jpg"], ["-j", "x", "-o", ".", "a.jpg"]):
		code, out, err = run(*wrong)
		check(code == 2 and out == b"" and err.startswith(b"thumb: "), wrong, code, err)
	code, out, err = run("--help")
	check(code == 0 and out.startswith(b"Usage: thumb") and err == b"", code, out, err)


def test_progress():
	ours, theirs = pty.openpty()
	os.mkdir("out")
	for i in range(5):
		make(f"{i}.jpg", jpeg(300, 200, quarters(300, 200)))
	process = start("-o", "out", *[f"{i}.jpg" for i in range(5)], stderr=theirs)
	code = finish(process)[0]
	os.close(theirs)
	seen = b""
	try:
		while more := os.read(ours, 1000):
			seen += more
	except OSError:
		pass
	os.close(ours)
	check(code == 0 and b"3 of 5" in seen and seen.endswith(b"\r\x1b[K"), code, seen)


if __name__ == "__main__":
	sys.exit(app.main("thumb", globals()))
