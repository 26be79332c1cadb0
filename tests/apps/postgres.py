#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# CTEST: timeout=300
"""
postgres.py BUILD_TREE [TEST...]: what examples/descriptors/postgres promises, against a PostgreSQL of this script's, on a Unix
socket in a folder of its own.  Without PostgreSQL's server (Debian: postgresql, 60 MB) it is skipped.
"""
import glob
import os
import pwd
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import app  # noqa: E402
from app import check, finish, run, start, until  # noqa: E402


def programs():
	"""The folder of initdb and postgres, the newest; None: there is none."""
	found = shutil.which("initdb")
	folders = [os.path.dirname(os.path.realpath(found))] if found else []
	folders += sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda f: float(f.split("/")[4]), reverse=True)
	for folder in folders:
		if all(os.access(os.path.join(folder, p), os.X_OK) for p in ("initdb", "postgres", "psql")):
			return folder
	return None


class Database:
	"""A server and its files.  It refuses to be root's, so then it is the user postgres'."""
	def __init__(self, folder, programs):
		self.folder, self.programs = folder, programs
		self.user = []
		if os.getuid() == 0:
			account = pwd.getpwnam("postgres")
			os.chown(folder, account.pw_uid, account.pw_gid)
			self.user = ["runuser", "-u", "postgres", "--"]
		self.call("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "tester", "--no-sync", "-E", "UTF8",
		          "--locale=C")
		self.conninfo = f"host={folder} user=tester dbname=postgres"
		self.start()

	def call(self, program, *arguments):
		subprocess.run([*self.user, os.path.join(self.programs, program), *arguments], check=True, cwd="/",
		               env=app.ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)

	def start(self):
		self.call("pg_ctl", "-D", f"{self.folder}/data", "-w", "-t", "100", "-l", f"{self.folder}/log", "-o",
		          f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off -c max_connections=200",
		          "start")

	def stop(self, how):
		self.call("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", how, "stop")

	def psql(self, *sql, **how):
		commands = [word for statement in sql for word in ("-c", statement)]
		return subprocess.Popen([os.path.join(self.programs, "psql"), "-XAtq", self.conninfo, *commands],
		                        env=app.ENVIRONMENT, text=True, stdout=subprocess.PIPE, **how)

	def ask(self, sql):
		return self.psql(sql).communicate(timeout=60)[0].strip()

	def running(self, words):
		"""How many others are in a statement with these words."""
		return int(self.ask("select count(*) from pg_stat_activity where state = 'active' and "
		                    f"pid <> pg_backend_pid() and query like '%{words}%'"))


def go(*arguments, **rest):
	return run("-c", DATABASE.conninfo, *arguments, **rest)


def words(err):
	return [re.sub(r"^postgres: ", "", line) for line in err.decode().splitlines()]


def test_many_over_few_connections():
	for procs, connections in ((1, 1), (1, 4), (4, 4)):
		code, out, err = go("-p", str(connections), "-r", "300", "select $1::int, pg_backend_pid()", procs=procs)
		check((code, err) == (0, b""), code, err)
		rows = [tuple(map(int, line.split(b"\t"))) for line in out.splitlines()]
		check(sorted(n for n, _ in rows) == list(range(1, 301)), out[:200])
		check(len({pid for _, pid in rows}) <= connections, "too many connections")


def test_hundred_at_once_on_few_threads():
	"""All wait, in the server, for one who has a lock; meanwhile there are no more threads than for few."""
	holder = DATABASE.psql(stdin=subprocess.PIPE)
	holder.stdin.write("select pg_advisory_lock(1), 'held';\n")
	holder.stdin.flush()
	check("held" in holder.stdout.readline())
	process = start("-c", DATABASE.conninfo, "-p", "100", "-r", "100",
	                "select count(pg_advisory_lock_shared(1)) + $1::int - $1::int", procs=2)
	until(lambda: DATABASE.running("lock_shared") == 100, "all wait for the lock")
	with open(f"/proc/{process.pid}/status") as status:
		threads = int(re.search(r"^Threads:\s*(\d+)", status.read(), re.M)[1])
	holder.communicate("select pg_advisory_unlock(1);\n", timeout=60)
	code, out, err = finish(process)
	check((code, err) == (0, b"") and out == b"1\n" * 100, code, err, out[:100])
	check(threads <= 25, threads, "threads")


def test_large_both_ways():
	"""More than the buffers of the sockets hold, in the statement and in the result."""
	text = "x" * 100_000  # an argument may be 128 KiB
	code, out, err = go("-p", "2", f"select length('{text}')", f"select repeat('{text}', 200)")
	check((code, err) == (0, b""), code, err)
	check(sorted(map(len, out.splitlines())) == [6, 20_000_000], [len(line) for line in out.splitlines()])


def test_prepared_once_for_each_connection():
	code, out, err = go("-p", "1", "-r", "50", "select count(*), $1::int < 0 from pg_prepared_statements")
	check((code, err) == (0, b"") and out == b"1\tf\n" * 50, code, err, out[:100])


def test_refused_statements():
	"""They say why, and leave the connection as good as it was; so do those that say nothing."""
	code, out, err = go("-p", "1", "-r", "3", "selec 1", "select 1/0", "copy (select 1) to stdout", "",
	                    "select 'good'")
	check(code == 1 and out == b"good\n" * 3, code, out)
	check(sorted(words(err)) == ["query: Operation not supported"] * 3 + ["query: division by zero 22012"] * 3 +
	      ['query: syntax error at or near "selec" 42601'] * 3, err)


def test_listen():
	code, out, err = go("-l", "news of \"all\" kinds", "-n", "20", "-r", "20",
	                    "select pg_notify('news of \"all\" kinds', $1::text)")
	check(code == 0 and words(err) == ["listening"], code, err)
	heard = [line for line in out.decode().splitlines() if line]
	check(sorted(heard) == sorted(f'news of "all" kinds: {n}' for n in range(1, 21)), out)
	check(go("-l", "x" * 300, "select 1")[0] == 1, "a name that is too long")


def listener(channel):
	process = start("-c", DATABASE.conninfo, "-l", channel, "-n", "1000")
	check(process.stderr.readline() == b"postgres: listening\n")
	return process


def test_listener_loses_its_connection():
	process = listener("lost")
	DATABASE.ask("notify lost, 'last words'")
	check(process.stdout.readline() == b"lost: last words\n")
	DATABASE.ask("select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%'")
	code, out, err = finish(process)
	check(code == 1 and out == b"" and len(words(err)) == 1 and words(err)[0].startswith("listen: "), code, out, err)


def test_deadline_cancels_in_the_server():
	"""Who waits for a connection and who has one, at one deadline; then the server has nothing left to do."""
	code, out, err = go("-p", "3", "-r", "9", "-t", "1", "select pg_sleep(1000), $1::int")
	check(code == 1 and out == b"", code, out)
	said = words(err)
	check(set(said) <= {"query: context deadline exceeded", "wait for a connection: context deadline exceeded",
	                    "connect: context deadline exceeded"} and len(said) == 9, said)
	until(lambda: DATABASE.running("pg_sleep") == 0, "the server has cancelled them")


def test_connection_lost_while_idle_and_while_busy():
	"""Its place gets a new one."""
	code, out, err = go("-p", "1", "-r", "5", "select pg_terminate_backend(pg_backend_pid())", "select 'good'")
	check(code == 1 and out == b"good\n" * 5, code, out)
	check(words(err) == ["query: terminating connection due to administrator command 57P01"] * 5, err)


def test_shutdown_while_queries_run():
	for how in ("fast", "immediate"):
		process = start("-c", DATABASE.conninfo, "-p", "20", "-r", "20", "select pg_sleep(1000), $1::int")
		until(lambda: DATABASE.running("pg_sleep") == 20, "all run")
		news = listener("news")
		DATABASE.stop(how)
		code, out, err = finish(process)
		ended, _, complaint = finish(news)
		DATABASE.start()
		check(code == 1 and out == b"" and len(words(err)) == 20, code, out, err)
		check(all(re.match("query: (terminating connection |server closed )", line) for line in words(err)), err)
		check(ended == 1 and words(complaint)[0].startswith("listen: "), ended, complaint)
	check(go("select 'again'")[1] == b"again\n")


def test_no_server():
	code, out, err = run("-c", f"host={os.getcwd()}", "-r", "2", "select 1")
	check(code == 1 and out == b"" and all("No such file" in line for line in words(err)), code, err)
	code, out, err = run("-c", DATABASE.conninfo + " dbname=nowhere", "select 1")
	check(code == 1 and 'database "nowhere" does not exist' in err.decode(), code, err)
	code, out, err = run("-c", "colour=blue", "select 1")
	check(code == 1 and 'invalid connection option "colour"' in err.decode(), code, err)
	code, out, err = run("-c", "host=127.0.0.1 port=1 sslmode=disable", "-l", "news")
	check(code == 1 and "refused" in err.decode(), code, err)


class Impostor:
	"""Listens where a server would, and does what test says with each connection."""
	def __init__(self, behave):
		self.socket = socket.socket(socket.AF_UNIX)
		self.socket.bind(".s.PGSQL.5432")
		self.socket.listen(10)
		self.behave = behave
		self.conninfo = f"host={os.getcwd()} user=tester sslmode=disable gssencmode=disable"
		threading.Thread(target=self.serve, daemon=True).start()

	def serve(self):
		while True:
			try:
				connection, _ = self.socket.accept()
			except OSError:
				return
			threading.Thread(target=self.meet, args=(connection,), daemon=True).start()

	def meet(self, connection):
		try:
			self.behave(connection)
		except OSError:
			pass  # the other end has gone


def message(kind, body=b""):
	return kind + struct.pack("!I", len(body) + 4) + body


CANCEL = struct.pack("!II", 16, 80877102)  # how a request to cancel begins


def greet(connection):
	if connection.recv(10000).startswith(CANCEL):
		connection.recv(1)  # it is not answered
	connection.sendall(message(b"R", b"\0\0\0\0") + message(b"K", b"\0\0\0\1\0\0\0\2") + message(b"Z", b"I"))


def test_hangs_up_in_the_middle():
	def at_once(connection):
		connection.recv(1)
		connection.close()

	def after_half_a_message(connection):
		greet(connection)
		connection.recv(10000)
		connection.sendall(message(b"1") + b"T\0\0")
		connection.close()

	for behave, said in ((at_once, "connect: "), (after_half_a_message, "query: ")):
		impostor = Impostor(behave)
		code, out, err = run("-c", impostor.conninfo, "-p", "3", "-r", "3", "select $1::int")
		impostor.socket.close()
		os.unlink(".s.PGSQL.5432")
		check(code == 1 and out == b"" and len(words(err)) == 3, code, out, err)
		check(all(line.startswith(said) and "server closed the connection" in line for line in words(err)), err)


def test_never_answers():
	"""Neither that it is there, nor a statement, nor that it be cancelled."""
	def nothing(connection):
		while connection.recv(10000):
			pass

	def greeting_only(connection):
		greet(connection)
		nothing(connection)

	for behave, said in ((nothing, "connect"), (greeting_only, "(connect|query)")):
		impostor = Impostor(behave)
		code, out, err = run("-c", impostor.conninfo, "-t", "1", "-p", "2", "-r", "2", "select $1::int")
		impostor.socket.close()
		os.unlink(".s.PGSQL.5432")
		check(code == 1 and len(words(err)) == 2, code, err)
		check(all(re.fullmatch(f"{said}: context deadline exceeded", line) for line in words(err)), err)


def test_usage():
	for wrong in ([], ["-p", "0", "select 1"], ["-t", "-1", "x"], ["-r", "many", "x"], ["-q"]):
		code, out, err = run(*wrong)
		check(code == 2 and out == b"" and b"postgres" in err, wrong, code, err)


def main():
	global DATABASE
	folder = programs()
	if not folder:
		print("no PostgreSQL here (Debian: postgresql, 60 MB)")
		return 77
	if os.getuid() == 0 and (not shutil.which("runuser") or "postgres" not in [a.pw_name for a in pwd.getpwall()]):
		print("PostgreSQL will not run as root, and there is no user postgres")
		return 77
	with tempfile.TemporaryDirectory(prefix="pg") as scratch:
		DATABASE = Database(scratch, folder)
		try:
			return app.main("postgres", globals(), "descriptors")
		finally:
			DATABASE.stop("immediate")


if __name__ == "__main__":
	sys.exit(main())
