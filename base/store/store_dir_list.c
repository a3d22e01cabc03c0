/* store_dir_list.c - walks folders for the directory store's listing; changes nothing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/store/store_dir_impl.h"

#define WALK_DEPTH_MAX 32

struct walk {
	const struct dir_store *dir;
	const char *prefix;
	struct store_list *into;
	struct err_info *ei;
	char name[STORE_NAME_MAX + 256 + 2]; /* of the object or folder at hand */
};

static int walk_folder(struct walk *w, size_t len, int depth);

/* Could a name that begins with `name` (a folder) or is it (a file) be asked for? */
static bool
is_wanted(const struct walk *w, const char *name, bool is_folder)
{
	size_t n = strlen(name), want = strlen(w->prefix);

	if (n < want)
		return is_folder && strncmp(name, w->prefix, n) == 0 && w->prefix[n] == '/';
	return strncmp(name, w->prefix, want) == 0;
}

/*
 * Describe an entry.  Links to files are files; links to folders are not followed,
 * since they can form circles.
 */
static int
examine(const struct walk *w, int fd, const char *entry, struct stat *ret)
{
	bool link;

	if (fstatat(fd, entry, ret, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? ERR_NOENT
				       : dir_error(w->ei, errno, "examining", w->name);
	link = S_ISLNK(ret->st_mode);
	if (link && fstatat(fd, entry, ret, 0) != 0)
		return ERR_NOENT;
	if (S_ISDIR(ret->st_mode) && !link)
		return 0;
	return S_ISREG(ret->st_mode) ? 0 : ERR_NOENT;
}

/* One directory entry; `len` is the length of its folder's part in w->name. */
static int
visit(struct walk *w, int fd, const char *entry, size_t len, int depth)
{
	int n = snprintf(w->name + len, sizeof(w->name) - len, "%s", entry);
	struct store_object meta;
	struct stat st;
	int rc;

	if (n < 0 || store_name_check(w->name, NULL) != 0)
		return 0; /* ".", "..", our own files, and names that no object can have */
	rc = examine(w, fd, entry, &st);
	if (rc != 0)
		return rc == ERR_NOENT ? 0 : rc;
	if (!is_wanted(w, w->name, S_ISDIR(st.st_mode)))
		return 0;
	if (S_ISDIR(st.st_mode)) {
		w->name[len + (size_t)n] = '/';
		w->name[len + (size_t)n + 1] = '\0';
		return walk_folder(w, len + (size_t)n + 1, depth + 1);
	}
	meta = dir_describe(&st);
	return store_list_add(w->into, w->name, &meta);
}

/* Everything in the folder whose name is the first `len` bytes of w->name. */
static int
walk_folder(struct walk *w, size_t len, int depth)
{
	char path[PATH_MAX];
	struct dirent *e;
	int rc;
	DIR *d;

	if (depth > WALK_DEPTH_MAX)
		return err_set(w->ei, ERR_LIMIT, "folders below %s are too deep", w->dir->root);
	rc = dir_path(w->dir, w->name, path, w->ei);
	if (rc != 0)
		return rc;
	d = opendir(path);
	if (d == NULL && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (d == NULL)
		return dir_error(w->ei, errno, "listing", path);
	for (errno = 0; rc == 0 && (e = readdir(d)) != NULL; errno = 0) {
		rc = visit(w, dirfd(d), e->d_name, len, depth);
		w->name[len] = '\0';
	}
	if (rc == 0 && errno != 0)
		rc = dir_error(w->ei, errno, "listing", path);
	closedir(d);
	return rc;
}

int
dir_list(struct store *s, const char *prefix, struct store_list *into, struct err_info *ei)
{
	struct walk w = {
		.dir = (struct dir_store *)s, .prefix = prefix, .into = into, .ei = ei
	};
	const char *slash = strrchr(prefix, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - prefix) + 1;

	/* Only the folder that the prefix names is walked, not its neighbours. */
	memcpy(w.name, prefix, len);
	w.name[len] = '\0';
	if (len > 1) {
		w.name[len - 1] = '\0';
		if (store_name_check(w.name, NULL) != 0)
			return 0; /* no object can have such a name */
		w.name[len - 1] = '/';
	} else if (len == 1) {
		return 0;
	}
	return walk_folder(&w, len, 0);
}
