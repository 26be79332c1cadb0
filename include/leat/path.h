/* SPDX-License-Identifier: MIT */
/*
 * Files and folders by their names.
 *
 *	const leat_error *e;
 *	size_t bytes;
 *	char *text = leat_read_file("config.json", &bytes, &e);
 *	if (!text)
 *		return e;                       open config.json: no such file or directory
 *
 * All of it may wait for a device: other goroutines run meanwhile, none of it can be cancelled.  Any goroutine, any thread.
 *
 * Those that return an int return 0 or a negative errno code; those that return a pointer NULL where they fail.  Then
 * *error (NULL: not wanted) is what failed, with the name, in Go's words; the caller's.  After Go's packages os and
 * path/filepath.
 */
#ifndef LEAT_PATH_H
#define LEAT_PATH_H

#include <leat/error.h>

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

LEAT__BEGIN

/* --- whole files */

/* All that is in a file, in memory of the caller's (free), and a NUL behind it that is not counted in *bytes (NULL: not
   wanted).  After os.ReadFile. */
LEAT_API void *leat_read_file(const char *path, size_t *bytes,
                              const leat_error **error) LEAT__WARN_UNUSED;

/* Let a file be just that: what was in it goes first, so after a failure there may be less.  mode: its permissions before
   the umask, if it is not there yet.  After os.WriteFile. */
LEAT_API int leat_write_file(const char *path, const void *from, size_t bytes, unsigned mode,
                             const leat_error **error);

/*
 * The same, all or nothing: whoever looks, even after the power has failed, finds the old file or the new one.  It is
 * written beside the old one, to path (its beginning, where that would be too long) with some digits behind it, brought to the device, and renamed; then the folder is
 * brought there, too.  Where there was a file the new one has its permissions (but it is another file, with another owner if
 * that was not the caller, and other names of the old one keep it); a symbolic link is replaced itself.
 * Costs two writes to the device.
 */
LEAT_API int leat_write_file_atomic(const char *path, const void *from, size_t bytes, unsigned mode,
                                    const leat_error **error);

/* --- asking and changing */

/* What stat(2) and lstat(2) tell: of the file that path leads to, and of a link itself.  After os.Stat and Lstat. */
LEAT_API int leat_stat(const char *path, struct stat *to, const leat_error **error);
LEAT_API int leat_lstat(const char *path, struct stat *to, const leat_error **error);

/* Replaces what has the new name, where the system does.  After os.Rename. */
LEAT_API int leat_rename(const char *from, const char *to, const leat_error **error);

/* Another name, to, for the file from, which it may not replace (-EEXIST).  Where from is a symbolic link, for that.
   "link FROM TO: WHY".  After os.Link. */
LEAT_API int leat_link(const char *from, const char *to, const leat_error **error);

/* A symbolic link of this path, which leads to target, as it stands, there or not.  "symlink TARGET PATH: WHY".
   After os.Symlink. */
LEAT_API int leat_symlink(const char *target, const char *path, const leat_error **error);

/* Where a symbolic link leads; the caller's (free).  After os.Readlink. */
LEAT_API char *leat_readlink(const char *path, const leat_error **error) LEAT__WARN_UNUSED;

/* Its permissions; where path is a link, those of what it leads to.  The umask does not matter.  After os.Chmod. */
LEAT_API int leat_chmod(const char *path, unsigned mode, const leat_error **error);

/* When it was accessed and modified last, since 1970 UTC; NULL: as it is.  The file system may round.  After os.Chtimes. */
LEAT_API int leat_chtimes(const char *path, const struct timespec *accessed,
                          const struct timespec *modified, const leat_error **error);

/* Cut it to, or fill it with zeros up to, bytes bytes.  After os.Truncate. */
LEAT_API int leat_truncate(const char *path, int64_t bytes, const leat_error **error);

/* A folder; with all that are missing above it, and then it may be there already.  mode: before the umask.
   After os.Mkdir and MkdirAll. */
LEAT_API int leat_mkdir(const char *path, unsigned mode, const leat_error **error);
LEAT_API int leat_mkdir_all(const char *path, unsigned mode, const leat_error **error);

/* A new folder, of mode 0700, in dir (NULL: that of the environment's TMPDIR, else /tmp), its name made of pattern as that
   of leat_file_temp; the caller's (free).  After os.MkdirTemp. */
LEAT_API char *leat_mkdir_temp(const char *dir, const char *pattern,
                               const leat_error **error) LEAT__WARN_UNUSED;

/* A file, a link itself, or an empty folder.  After os.Remove. */
LEAT_API int leat_remove(const char *path, const leat_error **error);

/*
 * path and all that is below it; 0 where there is nothing.  What cannot be removed is passed over, and the first such is
 * what failed.  Links are removed, never followed, whatever others change meanwhile.  -EINVAL for a path that ends in ".".
 * Takes a descriptor for each level.  After os.RemoveAll.
 */
LEAT_API int leat_remove_all(const char *path, const leat_error **error);

/* --- folders */

typedef struct leat_dir_entry {
	const char *name;
	mode_t type; /* S_IFREG, S_IFDIR, S_IFLNK, ...: a link is not followed */
} leat_dir_entry;

typedef struct leat_dir_list {
	size_t n;
	leat_dir_entry *entries;
} leat_dir_list;

/* What is in a folder, but "." and "..", by names in the order of their bytes; the caller's, all in one piece of memory
   (free).  After os.ReadDir. */
LEAT_API leat_dir_list *leat_read_dir(const char *path, const leat_error **error) LEAT__WARN_UNUSED;

/* What a function called by leat_walk_dir may return, beside a negative errno code. */
enum {
	LEAT_WALK_ON = 0,
	LEAT_WALK_SKIP_DIR =
	    1, /* not into this folder; of a file: nothing more of the folder that it is in */
	LEAT_WALK_SKIP_ALL = 2, /* enough */
};

/*
 * Called for path, which is root or root/...: as long as the call lasts, as all it is given.
 * error is NULL; or it tells why root is not there (then entry is NULL, too), or why a folder cannot be read, for which fn
 * has been called before.  fn decides: WALK_ON passes over it.
 */
typedef int leat_walk_fn(void *arg, const char *path, const leat_dir_entry *entry,
                         const leat_error *error);

/*
 * Call fn for root and all that is below it, a folder before what is in it, in the order of leat_read_dir.  Links are not
 * followed, root neither.
 * Returns 0 in the end, and after SKIP_ALL; or what fn returned below 0, at once.  -ENOMEM where memory is out.
 * Memory: a list of entries for each level.  fn may do anything: remove what it is called for, park, panic.
 * After filepath.WalkDir.
 */
LEAT_API int leat_walk_dir(const char *root, leat_walk_fn *fn, void *arg);

LEAT__END

#endif
