/* SPDX-License-Identifier: ISC */
/* Processor time and memory of another process. */

#include "tests/bench/process.h"

#include <dirent.h>
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The first number of schedstat: nanoseconds on a processor. */
static uint64_t thread_cpu_ns(pid_t pid, const char *thread)
{
	char path[64];
	uint64_t ns = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/schedstat", (int)pid,
	    thread);
	file = fopen(path, "re");
	if (!file)
		return 0; /* it has just ended */
	if (fscanf(file, "%" SCNu64, &ns) != 1)
		errx(1, "%s: no schedstat in this kernel", path);
	fclose(file);
	return ns;
}

uint64_t bench_process_cpu_ns(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	uint64_t ns = 0;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	if (!threads)
		err(1, "%s: is the server running? ", path);
	while ((entry = readdir(threads))) {
		if (entry->d_name[0] != '.')
			ns += thread_cpu_ns(pid, entry->d_name);
	}
	closedir(threads);
	return ns;
}

void bench_process_memory(pid_t pid, struct bench_memory *out)
{
	char path[64], line[128];
	FILE *file;

	*out = (struct bench_memory){ 0, 0 };
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	file = fopen(path, "re");
	if (!file)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "Pss: %ld", &out->pss_kb);
		sscanf(line, "Private_Dirty: %ld", &out->private_kb);
	}
	fclose(file);
}
