// SPDX-License-Identifier: Apache-2.0
// Memory cgroups over their limit. Belts: the limit is refused above 32 MiB,
// and nothing may map more than four times as much.
#include "zoo.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define MIB (1024L * 1024)

static const char *dir;
static long limit;

static void enter(void)
{
	struct rlimit belt = {4 * limit + 64 * MIB, 4 * limit + 64 * MIB};

	need(setrlimit(RLIMIT_AS, &belt), "setrlimit as");
	join_cgroup(dir);
}

static void touch(long bytes)
{
	for (long done = 0; done < bytes; done += MIB) {
		char *p =
			mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			fail("the safety belt held: no OOM kill before it");
		memset(p, 1, MIB);
	}
}

static void grow(void)
{
	enter();
	slots[0] = getpid();
	ready();
	nap(20);
	touch(3 * limit);
	fail("three times the limit, and no OOM kill");
}

static void *grow_thread(void *unused)
{
	(void)unused;
	slots[1] = gettid();
	nap(20);
	touch(3 * limit);
	return NULL;
}

static void grow_in_thread(void)
{
	pthread_t t;

	enter();
	slots[0] = getpid();
	if (pthread_create(&t, NULL, grow_thread, NULL))
		fail("pthread_create failed");
	ready();
	hold();
}

static void parent_of_grower(void)
{
	int status;

	enter();
	status = end_of(spawn("zoo-victim", grow));
	slots[2] = status;
	hold();
}

static void fat(void)
{
	enter();
	write_file("/proc/self/oom_score_adj", "900");
	touch(limit / 2);
	ready();
	hold();
}

static void thin(void)
{
	enter();
	touch(limit * 3 / 4); // over the limit together with the fat one
	hold();
}

static void limits(char **argv)
{
	dir = argv[0];
	limit = atol(argv[1]);
	if (limit <= 0 || limit > 32 * MIB)
		fail("the limit must be at most 32 MiB");
}

static void grown(body run)
{
	victim = spawn("zoo-victim", run);
	await(1);
	say_start("victim_start_ticks", victim);
	say_status("status", end_of(victim));
	say_int("victim", victim);
	say_int("signal", SIGKILL);
}

// oom DIR LIMIT: the process itself.
static void self_run(char **argv)
{
	limits(argv);
	grown(grow);
}

static void thread_run(char **argv)
{
	limits(argv);
	grown(grow_in_thread);
	say_int("tid", slots[1]);
}

// oom-child DIR LIMIT: a child dies, its parent in the same cgroup lives on.
static void child_run(char **argv)
{
	pid_t parent;

	limits(argv);
	parent = spawn("zoo-parent", parent_of_grower);
	await(1);
	victim = slots[0];
	say_start("victim_start_ticks", victim);
	release();
	say_status("parent_status", end_of(parent));
	say_status("status", slots[2]);
	say_int("victim", victim);
	say_int("parent", parent);
	say_int("signal", SIGKILL);
}

// oom-other DIR LIMIT: another process allocates; the fat one pays.
static void other_run(char **argv)
{
	pid_t other;

	limits(argv);
	victim = spawn("zoo-victim", fat);
	await(1);
	say_start("victim_start_ticks", victim);
	// It may die as well: while the fat one is being reaped, the memory is
	// still charged.
	other = spawn("zoo-thin", thin);
	say_status("status", end_of(victim));
	release();
	end_of(other);
	say_int("victim", victim);
	say_int("trigger", other);
	say_int("signal", SIGKILL);
}

const struct scenario oom_scenarios[] = {
	{"oom", 2, self_run},
	{"oom-thread", 2, thread_run},
	{"oom-child", 2, child_run},
	{"oom-other", 2, other_run},
	{},
};
