// SPDX-License-Identifier: Apache-2.0
// One act, many victims: process groups, kill -1, the end of a PID namespace;
// and what PID 1 of a namespace is spared.
#include "zoo.h"

#define GROUP 8
#define SURVIVORS 3

static pid_t many[MAX_PIDS];

static void wait_here(void)
{
	ready();
	hold();
}

static void join_group(void)
{
	need(setpgid(0, many[0]), "setpgid");
	wait_here();
}

static void kill_group(void)
{
	need(kill(-many[0], SIGTERM), "kill the group");
	ready();
	hold();
}

static void say_many(int n, int sig)
{
	int status = 0;

	for (int i = 0; i < n; i++) {
		status = end_of(many[i]);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != sig)
			fail("victim %d ended otherwise: status %d", many[i], status);
	}
	say_pids("victims", many, n);
	say_int("victim", many[0]);
	say_status("status", status);
	say_int("signal", sig);
}

static void killpg_run(char **argv)
{
	(void)argv;
	for (int i = 0; i < GROUP; i++) { // many[0] is 0 for the first: its own group
		many[i] = spawn("zoo-victim", join_group);
		await(1); // the group must be there before the next one joins it
	}
	say_start("victim_start_ticks", many[0]);
	killer = spawn("zoo-killer", kill_group);
	await(1);
	say_start("killer_start_ticks", killer);
	say_many(GROUP, SIGTERM);
	release();
	end_of(killer);
	say_int("killer", killer);
}

static void kill_all(void)
{
	need(kill(-1, SIGTERM), "kill -1");
	ready();
	hold();
}

// After new_pidns the zoo's children live in the new namespace, while fork
// still returns to the zoo their pids as seen from outside.
static pid_t new_pidns_with_init(body init)
{
	pid_t pid;

	new_pidns();
	pid = spawn("zoo-init", init);
	await(1);
	return pid;
}

static void kill_minus_one_run(char **argv)
{
	pid_t init = new_pidns_with_init(wait_here);

	(void)argv;
	for (int i = 0; i < SURVIVORS; i++)
		many[i] = spawn("zoo-victim", wait_here);
	await(SURVIVORS);
	say_start("victim_start_ticks", many[0]);
	killer = spawn("zoo-killer", kill_all);
	await(1);
	say_many(SURVIVORS, SIGTERM);
	release();
	end_of(killer);
	end_of(init);
	say_int("killer", killer);
	say_int("init", init);
}

static void kill_init(void)
{
	need(kill(victim, SIGKILL), "kill the init");
	ready();
	hold();
}

// The killer must be outside, so it is forked before the namespace is made and
// reads the init's pid from a slot.
static void kill_init_from_outside(void)
{
	while (!slots[0])
		nap(1);
	victim = slots[0];
	kill_init();
}

static void pidns_exit_run(char **argv)
{
	(void)argv;
	killer = spawn("zoo-killer", kill_init_from_outside);
	victim = new_pidns_with_init(wait_here);
	for (int i = 0; i < SURVIVORS; i++)
		many[i] = spawn("zoo-survivor", wait_here);
	await(SURVIVORS);
	say_start("victim_start_ticks", many[0]);
	slots[0] = victim;
	await(1);
	// The init's own end waits until its namespace is empty.
	say_many(SURVIVORS, SIGKILL);
	say_status("init_status", end_of(victim));
	release();
	end_of(killer);
	say_int("killer", killer);
	say_int("init", victim);
}

static int init_signal;

static void signal_init(void)
{
	need(kill(slots[0], init_signal), "kill");
	ready();
	hold();
}

static void signal_init_from_outside(void)
{
	while (!slots[0])
		nap(1);
	signal_init();
}

static void signal_init_from_inside(void)
{
	slots[0] = 1;
	signal_init();
}

static void pid1(int sig, bool inside)
{
	init_signal = sig;
	if (!inside)
		killer = spawn("zoo-killer", signal_init_from_outside);
	victim = new_pidns_with_init(wait_here);
	say_start("victim_start_ticks", victim);
	if (inside)
		killer = spawn("zoo-killer", signal_init_from_inside);
	else
		slots[0] = victim;
	await(1);
	release();
	// The killer first: an init that ends waits for the rest of its namespace.
	end_of(killer);
	say_status("status", end_of(victim));
	say_int("victim", victim);
	say_int("killer", killer);
	say_int("signal", sig);
}

static void pid1_term_run(char **argv)
{
	(void)argv, pid1(SIGTERM, false);
}
static void pid1_kill_inside_run(char **argv)
{
	(void)argv, pid1(SIGKILL, true);
}
static void pid1_kill_outside_run(char **argv)
{
	(void)argv, pid1(SIGKILL, false);
}

const struct scenario group_scenarios[] = {
	{"killpg", 0, killpg_run},
	{"kill-minus-one", 0, kill_minus_one_run},
	{"pidns-exit", 0, pidns_exit_run},
	{"pid1-term", 0, pid1_term_run},
	{"pid1-kill-inside", 0, pid1_kill_inside_run},
	{"pid1-kill-outside", 0, pid1_kill_outside_run},
	{},
};
