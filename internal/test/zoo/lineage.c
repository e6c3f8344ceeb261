// SPDX-License-Identifier: Apache-2.0
// Killers with a past: dead parents, subreapers, deep families.
// "lineage" holds the pids that forked the killer, nearest first, up to and
// including the zoo; "dead" those of them that had died before the deed.
#include "zoo.h"

#define DEPTH 8

enum slot { KILLER, PRESENT_PARENT, FIRST };

static void wait_here(void)
{
	ready();
	hold();
}

static void gone(pid_t pid)
{
	for (int i = 0; i < 5000 && kill(pid, 0) == 0; i++)
		nap(1);
	if (kill(pid, 0) == 0)
		fail("%d is not reaped", pid);
}

static void strike(void)
{
	slots[KILLER] = getpid();
	slots[PRESENT_PARENT] = getppid();
	need(kill(victim, SIGTERM), "kill");
	ready();
	hold();
}

static void orphan_strike(void)
{
	gone(slots[FIRST + 1]); // then the one above it is gone as well
	gone(slots[FIRST]);
	strike();
}

static void second_fork(void)
{
	slots[FIRST + 1] = getpid();
	gone(slots[FIRST]);
	need(setsid(), "setsid");
	spawn("zoo-daemon", orphan_strike);
	_exit(0);
}

static void first_fork(void)
{
	slots[FIRST] = getpid();
	spawn("zoo-fork2", second_fork);
	_exit(0);
}

static void meet_victim(void)
{
	victim = spawn("zoo-victim", wait_here);
	await(1);
	say_start("victim_start_ticks", victim);
}

static void say_lineage(const pid_t *lineage, int n, const pid_t *dead, int n_dead)
{
	say_pids("lineage", lineage, n);
	say_pids("dead", dead, n_dead);
	say_int("victim", victim);
	say_int("killer", slots[KILLER]);
	say_int("present_parent", slots[PRESENT_PARENT]);
	say_int("signal", SIGTERM);
}

// daemon: the classic double fork; both middle parents are dead and reaped.
static void daemon_run(char **argv)
{
	(void)argv;
	meet_victim();
	end_of(spawn("zoo-fork1", first_fork));
	await(1);
	say_start("killer_start_ticks", slots[KILLER]);
	say_status("status", end_of(victim));
	release();
	say_lineage((pid_t[]){slots[FIRST + 1], slots[FIRST], getpid()}, 3,
		    (pid_t[]){slots[FIRST + 1], slots[FIRST]}, 2);
}

static int level;

static void deeper(void)
{
	char comm[32];

	slots[FIRST + level] = getpid();
	if (++level == DEPTH) {
		strike();
		return;
	}
	snprintf(comm, sizeof(comm), "zoo-level%d", level + 1);
	end_of(spawn(comm, deeper));
}

static void levels_run(char **argv)
{
	pid_t lineage[DEPTH], first;

	(void)argv;
	meet_victim();
	first = spawn("zoo-level1", deeper);
	await(1);
	say_start("killer_start_ticks", slots[KILLER]);
	say_status("status", end_of(victim));
	release();
	end_of(first);
	for (int i = 0; i < DEPTH - 1; i++)
		lineage[i] = slots[FIRST + DEPTH - 2 - i];
	lineage[DEPTH - 1] = getpid();
	say_lineage(lineage, DEPTH, NULL, 0);
}

static void reaped_strike(void)
{
	gone(slots[FIRST + 1]);
	strike();
}

static void middle(void)
{
	slots[FIRST + 1] = getpid();
	spawn("zoo-killer", reaped_strike);
	_exit(0);
}

static void reaper(void)
{
	need(prctl(PR_SET_CHILD_SUBREAPER, 1), "PR_SET_CHILD_SUBREAPER");
	slots[FIRST] = getpid();
	end_of(spawn("zoo-middle", middle));
	need(wait(NULL), "wait for the orphan");
}

static void subreaper_run(char **argv)
{
	pid_t pid;

	(void)argv;
	meet_victim();
	pid = spawn("zoo-reaper", reaper);
	await(1);
	say_start("killer_start_ticks", slots[KILLER]);
	say_status("status", end_of(victim));
	release();
	end_of(pid);
	say_lineage((pid_t[]){slots[FIRST + 1], slots[FIRST], getpid()}, 3,
		    (pid_t[]){slots[FIRST + 1]}, 1);
}

const struct scenario lineage_scenarios[] = {
	{"daemon", 0, daemon_run},
	{"levels", 0, levels_run},
	{"subreaper", 0, subreaper_run},
	{},
};
