/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_STORE_POWER_H
#define TESTS_BRIDGE_STORE_POWER_H

/*
 * A disk whose power can be cut: what was written and not synced lives in this
 * process only, so that killing it loses what a power cut would. A kill alone
 * loses nothing that reached the kernel, and so proves no fsync.
 *
 * With power_cut_after() it kills itself, at a write or a sync. Then some of what
 * was not synced is on the disk all the same, in no order, as a disk is free to
 * do.
 */

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "prim/base.h"

/* A write that waits for its sync. */
struct power_extent {
	TAILQ_ENTRY(power_extent) link;
	sqlite3_int64 at;
	int len;
	char octets[];
};

/* What one path holds back, whoever has it open. */
struct power_node {
	TAILQ_HEAD(, power_extent) extents;
	struct power_node *next;
	sqlite3_file *real; /* somebody who has it open */
	char path[512];
};

struct power_file {
	sqlite3_file base;
	struct power_node *node;
	sqlite3_file *real; /* stands behind this struct */
};

static struct {
	pthread_mutex_t lock;
	struct power_node *nodes;
	sqlite3_vfs *real;
	sqlite3_vfs vfs;
	sqlite3_io_methods methods;
	bool lies;      /* says that it synced, and did not */
	long cut_after; /* writes and syncs; 0: never */
	unsigned scatter;
} power = { .lock = PTHREAD_MUTEX_INITIALIZER };

static inline struct power_file *power_of(sqlite3_file *file)
{
	return (struct power_file *)file;
}

static inline struct power_node *power_node_find(const char *path)
{
	struct power_node *node = power.nodes;

	while (node && strcmp(node->path, path) != 0)
		node = node->next;
	if (node)
		return node;
	node = prim_new(struct power_node);
	TAILQ_INIT(&node->extents);
	(void)snprintf(node->path, sizeof(node->path), "%s", path);
	node->next = power.nodes;
	power.nodes = node;
	return node;
}

static inline void power_extent_drop(struct power_node *node,
    struct power_extent *extent)
{
	TAILQ_REMOVE(&node->extents, extent, link);
	prim_free(extent);
}

#define POWER_EXIT 77 /* how a process exits whose power is cut */

/* Under the lock. */
static inline void power_cut(void)
{
	struct power_extent *extent;

	for (struct power_node *n = power.nodes; n; n = n->next) {
		TAILQ_FOREACH(extent, &n->extents, link)
			if (n->real && rand_r(&power.scatter) % 2)
				(void)n->real->pMethods->xWrite(n->real,
				    extent->octets, extent->len, extent->at);
	}
	_exit(POWER_EXIT);
}

static inline void power_tick(void)
{
	if (power.cut_after > 0 && --power.cut_after == 0)
		power_cut();
}

static inline int power_flush(struct power_file *f)
{
	struct power_extent *extent;
	int code = SQLITE_OK;

	while (code == SQLITE_OK && (extent = TAILQ_FIRST(&f->node->extents))) {
		code = f->real->pMethods->xWrite(f->real, extent->octets,
		    extent->len, extent->at);
		power_extent_drop(f->node, extent);
		power_tick();
	}
	return code;
}

static inline int power_write(sqlite3_file *file, const void *octets, int len,
    sqlite3_int64 at)
{
	struct power_extent *extent = prim_alloc(sizeof(*extent) + (size_t)len);

	extent->at = at;
	extent->len = len;
	memcpy(extent->octets, octets, (size_t)len);
	pthread_mutex_lock(&power.lock);
	TAILQ_INSERT_TAIL(&power_of(file)->node->extents, extent, link);
	power_tick();
	pthread_mutex_unlock(&power.lock);
	return SQLITE_OK;
}

static inline void power_overlay(const struct power_extent *extent,
    char *octets, int len, sqlite3_int64 at)
{
	sqlite3_int64 from = extent->at > at ? extent->at : at;
	sqlite3_int64 to = extent->at + extent->len;

	if (to > at + len)
		to = at + len;
	if (from < to)
		memcpy(octets + (from - at),
		    extent->octets + (from - extent->at), (size_t)(to - from));
}

static inline int power_size_locked(struct power_file *f,
    sqlite3_int64 *out_size)
{
	struct power_extent *extent;
	int code = f->real->pMethods->xFileSize(f->real, out_size);

	TAILQ_FOREACH(extent, &f->node->extents, link)
		if (extent->at + extent->len > *out_size)
			*out_size = extent->at + extent->len;
	return code;
}

static inline int power_size(sqlite3_file *file, sqlite3_int64 *out_size)
{
	int code;

	pthread_mutex_lock(&power.lock);
	code = power_size_locked(power_of(file), out_size);
	pthread_mutex_unlock(&power.lock);
	return code;
}

static inline int power_read(sqlite3_file *file, void *octets, int len,
    sqlite3_int64 at)
{
	struct power_file *f = power_of(file);
	struct power_extent *extent;
	sqlite3_int64 size = 0;
	int code;

	pthread_mutex_lock(&power.lock);
	code = f->real->pMethods->xRead(f->real, octets, len, at);
	TAILQ_FOREACH(extent, &f->node->extents, link)
		power_overlay(extent, octets, len, at);
	if (code == SQLITE_IOERR_SHORT_READ &&
	    power_size_locked(f, &size) == SQLITE_OK && size >= at + len)
		code = SQLITE_OK;
	pthread_mutex_unlock(&power.lock);
	return code;
}

static inline int power_sync(sqlite3_file *file, int flags)
{
	int code = SQLITE_OK;

	(void)flags;
	pthread_mutex_lock(&power.lock);
	power_tick();
	if (!power.lies)
		code = power_flush(power_of(file));
	pthread_mutex_unlock(&power.lock);
	return code;
}

static inline int power_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct power_file *f = power_of(file);
	int code;

	pthread_mutex_lock(&power.lock);
	code = power_flush(f);
	if (code == SQLITE_OK)
		code = f->real->pMethods->xTruncate(f->real, size);
	pthread_mutex_unlock(&power.lock);
	return code;
}

static inline int power_close(sqlite3_file *f)
{
	pthread_mutex_lock(&power.lock);
	if (power_of(f)->node->real == power_of(f)->real)
		power_of(f)->node->real = NULL;
	pthread_mutex_unlock(&power.lock);
	return power_of(f)->real->pMethods->xClose(power_of(f)->real);
}

/* The rest goes through as it is. */
static inline int power_lock(sqlite3_file *f, int level)
{
	return power_of(f)->real->pMethods->xLock(power_of(f)->real, level);
}

static inline int power_unlock(sqlite3_file *f, int level)
{
	return power_of(f)->real->pMethods->xUnlock(power_of(f)->real, level);
}

static inline int power_reserved(sqlite3_file *f, int *out)
{
	return power_of(f)
	    ->real->pMethods->xCheckReservedLock(power_of(f)->real, out);
}

static inline int power_control(sqlite3_file *f, int op, void *arg)
{
	return power_of(f)->real->pMethods->xFileControl(power_of(f)->real, op,
	    arg);
}

static inline int power_sector(sqlite3_file *f)
{
	return power_of(f)->real->pMethods->xSectorSize(power_of(f)->real);
}

static inline int power_traits(sqlite3_file *f)
{
	return power_of(f)
	    ->real->pMethods->xDeviceCharacteristics(power_of(f)->real);
}

static inline int power_shm_map(sqlite3_file *f, int page, int size, int extend,
    void volatile **out)
{
	return power_of(f)->real->pMethods->xShmMap(power_of(f)->real, page,
	    size, extend, out);
}

static inline int power_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return power_of(f)->real->pMethods->xShmLock(power_of(f)->real, at, n,
	    flags);
}

static inline void power_shm_barrier(sqlite3_file *f)
{
	power_of(f)->real->pMethods->xShmBarrier(power_of(f)->real);
}

static inline int power_shm_unmap(sqlite3_file *f, int drop)
{
	return power_of(f)->real->pMethods->xShmUnmap(power_of(f)->real, drop);
}

static inline int power_open(sqlite3_vfs *vfs, const char *path,
    sqlite3_file *file, int flags, int *out_flags)
{
	struct power_file *f = power_of(file);
	int code;

	(void)vfs;
	f->real = (sqlite3_file *)(void *)(f + 1);
	code = power.real->xOpen(power.real, path, f->real, flags, out_flags);
	if (code != SQLITE_OK)
		return code;
	pthread_mutex_lock(&power.lock);
	f->node = power_node_find(path ? path : "");
	if (flags & SQLITE_OPEN_READWRITE)
		f->node->real = f->real;
	pthread_mutex_unlock(&power.lock);
	file->pMethods = &power.methods;
	return code;
}

static inline int power_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
	struct power_extent *extent;
	struct power_node *node;

	(void)vfs;
	pthread_mutex_lock(&power.lock);
	node = power_node_find(path);
	while ((extent = TAILQ_FIRST(&node->extents)))
		power_extent_drop(node, extent);
	pthread_mutex_unlock(&power.lock);
	return power.real->xDelete(power.real, path, sync);
}

/* The power is cut at the write or sync with this number, from now on. */
static inline void power_cut_after(long count, unsigned scatter)
{
	power.cut_after = count;
	power.scatter = scatter;
}

/* From now on every database of this process is on such a disk. */
static inline void power_install(bool lies)
{
	power.lies = lies;
	power.real = sqlite3_vfs_find(NULL);
	power.methods = (sqlite3_io_methods){
		.iVersion = 2,
		.xClose = power_close,
		.xRead = power_read,
		.xWrite = power_write,
		.xTruncate = power_truncate,
		.xSync = power_sync,
		.xFileSize = power_size,
		.xLock = power_lock,
		.xUnlock = power_unlock,
		.xCheckReservedLock = power_reserved,
		.xFileControl = power_control,
		.xSectorSize = power_sector,
		.xDeviceCharacteristics = power_traits,
		.xShmMap = power_shm_map,
		.xShmLock = power_shm_lock,
		.xShmBarrier = power_shm_barrier,
		.xShmUnmap = power_shm_unmap,
	};
	power.vfs = *power.real;
	power.vfs.zName = "power";
	power.vfs.szOsFile = (int)sizeof(struct power_file) +
	    power.real->szOsFile;
	power.vfs.xOpen = power_open;
	power.vfs.xDelete = power_delete;
	sqlite3_vfs_register(&power.vfs, 1);
}

#endif
