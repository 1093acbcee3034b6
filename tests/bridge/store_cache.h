/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_STORE_CACHE_H
#define TESTS_BRIDGE_STORE_CACHE_H

/*
 * A kernel between the store and its disk, which outlives processes: what they wrote
 * is read back by the next one, whether it is on the disk or not. When a sync fails,
 * pages stay that are not on the disk and are held for clean: no later sync writes
 * them, unless somebody writes them again. That is what Linux does.
 */

#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_PAGE  4096
#define CACHE_PAGES 8192 /* of one file */
#define CACHE_FILES 4
#define CACHE_EXIT  77 /* how a process exits that dies at a sync */

enum cache_state { CACHE_CLEAN, CACHE_DIRTY, CACHE_LOST };

struct cache_file {
	unsigned char states[CACHE_PAGES];
	sqlite3_int64 size; /* on the disk */
	char disk[CACHE_PAGES * CACHE_PAGE];
};

/* What all processes see. */
struct cache {
	struct cache_file files[CACHE_FILES];
	unsigned random;
	unsigned failing; /* syncs out of a hundred that fail */
	unsigned failed;  /* syncs */
	unsigned revived; /* pages that were lost and were written again */
	bool dies;        /* at the next sync of a log */
};

static const char *const CACHE_NAMES[CACHE_FILES] = {
	"primd.db",
	"primd.db-wal",
	"queue.db",
	"queue.db-wal",
};

/* Of one kind of file; begins with what SQLite sees of it. */
struct cache_methods {
	sqlite3_io_methods own;
	const sqlite3_io_methods *real;
};

/* Of this process. */
static struct {
	struct cache *cache;
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	struct cache_methods kinds[2]; /* the file, and what is beside it */

	struct {
		sqlite3_file *file;
		struct cache_file *of;
	} open[16];
} cached;

static inline unsigned cache_random(unsigned below)
{
	return (unsigned)rand_r(&cached.cache->random) % below;
}

static inline struct cache_file *cache_named(const char *path)
{
	const char *name = path ? strrchr(path, '/') : NULL;

	for (unsigned i = 0; name && i < CACHE_FILES; i++)
		if (strcmp(name + 1, CACHE_NAMES[i]) == 0)
			return &cached.cache->files[i];
	return NULL;
}

static inline struct cache_file *cache_of(sqlite3_file *file)
{
	for (unsigned i = 0; i < 16; i++)
		if (cached.open[i].file == file)
			return cached.open[i].of;
	return NULL;
}

static inline const sqlite3_io_methods *cache_real(const sqlite3_file *file)
{
	return ((const struct cache_methods *)file->pMethods)->real;
}

static inline int cache_write(sqlite3_file *file, const void *octets, int len,
    sqlite3_int64 at)
{
	struct cache_file *f = cache_of(file);
	sqlite3_int64 end = (at + len - 1) / CACHE_PAGE;

	if (f && end >= CACHE_PAGES)
		return SQLITE_FULL;
	for (sqlite3_int64 page = at / CACHE_PAGE; f && page <= end; page++) {
		cached.cache->revived += f->states[page] == CACHE_LOST;
		f->states[page] = CACHE_DIRTY;
	}
	return cache_real(file)->xWrite(file, octets, len, at);
}

static inline void cache_page_write(struct cache_file *f, unsigned page,
    const char *octets, sqlite3_int64 size)
{
	sqlite3_int64 end = ((sqlite3_int64)page + 1) * CACHE_PAGE;

	memcpy(f->disk + (size_t)page * CACHE_PAGE, octets, CACHE_PAGE);
	if (end > size)
		end = size;
	if (end > f->size)
		f->size = end;
	f->states[page] = CACHE_CLEAN;
}

static inline int cache_sync(sqlite3_file *file, int flags)
{
	struct cache *cache = cached.cache;
	struct cache_file *f = cache_of(file);
	bool fails = cache_random(100) < cache->failing;
	sqlite3_int64 size = 0;
	char octets[CACHE_PAGE];

	(void)flags;
	if (!f)
		return SQLITE_OK;
	if (cache->dies && (f - cache->files) % 2 == 1)
		_exit(CACHE_EXIT);
	(void)cache_real(file)->xFileSize(file, &size);
	for (unsigned page = 0; page < CACHE_PAGES; page++) {
		if (f->states[page] != CACHE_DIRTY)
			continue;
		memset(octets, 0, sizeof(octets));
		(void)cache_real(file)->xRead(file, octets, CACHE_PAGE,
		    (sqlite3_int64)page * CACHE_PAGE);
		if (fails && cache_random(2))
			f->states[page] = CACHE_LOST;
		else
			cache_page_write(f, page, octets, size);
	}
	cache->failed += fails;
	return fails ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static inline void cache_cut(struct cache_file *f, sqlite3_int64 size)
{
	if (f->size > size) {
		memset(f->disk + size, 0, (size_t)(f->size - size));
		f->size = size;
	}
	for (sqlite3_int64 page = (size + CACHE_PAGE - 1) / CACHE_PAGE;
	     page < CACHE_PAGES; page++)
		f->states[page] = CACHE_CLEAN;
}

static inline int cache_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct cache_file *f = cache_of(file);

	if (f)
		cache_cut(f, size);
	return cache_real(file)->xTruncate(file, size);
}

static inline int cache_close(sqlite3_file *file)
{
	for (unsigned i = 0; i < 16; i++)
		if (cached.open[i].file == file)
			cached.open[i].file = NULL;
	return cache_real(file)->xClose(file);
}

static inline int cache_open(sqlite3_vfs *vfs, const char *path,
    sqlite3_file *file, int flags, int *out_flags)
{
	int code = cached.real->xOpen(cached.real, path, file, flags,
	    out_flags);
	struct cache_file *f = cache_named(path);
	struct cache_methods *kind;
	unsigned i = 0;

	(void)vfs;
	if (code != SQLITE_OK || !f)
		return code;
	while (i < 15 && cached.open[i].file)
		i++;
	cached.open[i].file = file;
	cached.open[i].of = f;
	kind = &cached.kinds[(flags & SQLITE_OPEN_MAIN_DB) != 0];
	kind->real = file->pMethods;
	kind->own = *file->pMethods;
	kind->own.xWrite = cache_write;
	kind->own.xSync = cache_sync;
	kind->own.xTruncate = cache_truncate;
	kind->own.xClose = cache_close;
	file->pMethods = &kind->own;
	return code;
}

static inline int cache_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
	struct cache_file *f = cache_named(path);

	(void)vfs;
	if (f)
		cache_cut(f, 0);
	return cached.real->xDelete(cached.real, path, sync);
}

/* An empty one, for this process and those that it forks. */
static inline void cache_new(unsigned random)
{
	void *room = mmap(NULL, sizeof(struct cache), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (room == MAP_FAILED)
		abort();
	cached.cache = room;
	cached.cache->random = random;
}

static inline void cache_free(void)
{
	(void)munmap(cached.cache, sizeof(struct cache));
	cached.cache = NULL;
}

/* From now on every database of this process goes through it. */
static inline void cache_install(void)
{
	cached.real = sqlite3_vfs_find(NULL);
	cached.vfs = *cached.real;
	cached.vfs.zName = "cache";
	cached.vfs.xOpen = cache_open;
	cached.vfs.xDelete = cache_delete;
	(void)sqlite3_vfs_register(&cached.vfs, 1);
}

/* Some of what nobody synced gets to the disk all the same. */
static inline void cache_flush_some(struct cache_file *f, int fd)
{
	char octets[CACHE_PAGE];
	struct stat st = { 0 };

	(void)fstat(fd, &st);
	for (unsigned page = 0; page < CACHE_PAGES; page++) {
		if (f->states[page] != CACHE_DIRTY || cache_random(2))
			continue;
		memset(octets, 0, sizeof(octets));
		if (pread(fd, octets, CACHE_PAGE, (off_t)page * CACHE_PAGE) > 0)
			cache_page_write(f, page, octets, st.st_size);
	}
}

/* The power goes, and comes again: the files in `dir` are as the disk has them. */
static inline bool cache_power_cut(const char *dir)
{
	char path[512];

	for (unsigned i = 0; i < CACHE_FILES; i++) {
		struct cache_file *f = &cached.cache->files[i];
		bool fine;
		int fd;

		(void)snprintf(path, sizeof(path), "%s/%s", dir,
		    CACHE_NAMES[i]);
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return false;
		cache_flush_some(f, fd);
		fine = ftruncate(fd, 0) == 0 &&
		    write(fd, f->disk, (size_t)f->size) == (ssize_t)f->size;
		close(fd);
		memset(f->states, CACHE_CLEAN, sizeof(f->states));
		(void)snprintf(path, sizeof(path), "%s/%.8s-shm", dir,
		    CACHE_NAMES[i]);
		(void)unlink(path);
		if (!fine)
			return false;
	}
	return true;
}

#endif
