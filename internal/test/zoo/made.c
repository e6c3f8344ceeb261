// SPDX-License-Identifier: Apache-2.0
// Signals that the kernel makes for somebody's deed or for the time that passed.
#include "zoo.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#define THREADS 3

static const char *cgroup_dir;

static void *idle(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static void threads_in_cgroup(void)
{
	join_cgroup(cgroup_dir);
	for (int i = 0; i < THREADS; i++) {
		pthread_t t;

		if (pthread_create(&t, NULL, idle, NULL))
			fail("pthread_create failed");
	}
	ready();
	hold();
}

static void cgroup_kill(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/cgroup.kill", cgroup_dir);
	write_file(path, "1");
}

// cgroup-kill DIR: DIR is an empty directory of cgroup v2.
static void cgroup_kill_run(char **argv)
{
	cgroup_dir = argv[0];
	play(threads_in_cgroup, cgroup_kill, DIES);
	say_int("signal", SIGKILL);
	say_int("threads", THREADS + 1);
}

static void kill_own_cgroup(void)
{
	join_cgroup(cgroup_dir);
	ready();
	hold();
	cgroup_kill();
}

// cgroup-kill-self DIR: whoever is in a cgroup may write its cgroup.kill.
static void cgroup_kill_self_run(char **argv)
{
	cgroup_dir = argv[0];
	victim = spawn("zoo-victim", kill_own_cgroup);
	await(1);
	say_start("victim_start_ticks", victim);
	release();
	say_status("status", end_of(victim));
	say_int("victim", victim);
	say_int("signal", SIGKILL);
}

static int sigio_signal;
static int sockets[2];

// The zoo itself arms the socket; the writer is innocent.
static void innocent_write(void)
{
	need(write(sockets[1], "x", 1), "write");
}

static void arm_then_wait(void)
{
	need(fcntl(sockets[0], F_SETOWN, getpid()), "F_SETOWN");
	need(fcntl(sockets[0], F_SETSIG, sigio_signal), "F_SETSIG");
	need(fcntl(sockets[0], F_SETFL, O_ASYNC), "O_ASYNC");
	ready();
	hold();
}

static void sigio_run(char **argv)
{
	sigio_signal = atoi(argv[0]);
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), "socketpair");
	play(arm_then_wait, innocent_write, DIES);
	say_int("signal", sigio_signal);
}

static int death_signal;

static void mourner(void)
{
	need(prctl(PR_SET_PDEATHSIG, death_signal), "PR_SET_PDEATHSIG");
	slots[0] = getpid();
	ready();
	hold();
}

static void dying_parent(void)
{
	spawn("zoo-victim", mourner);
	while (!slots[1])
		nap(1);
	_exit(0);
}

// pdeathsig SIG: the parent exits. The zoo is the subreaper, so that
// it can wait for the orphan.
static void pdeathsig_run(char **argv)
{
	death_signal = atoi(argv[0]);
	need(prctl(PR_SET_CHILD_SUBREAPER, 1), "PR_SET_CHILD_SUBREAPER");
	killer = spawn("zoo-parent", dying_parent);
	await(1);
	victim = slots[0];
	say_start("victim_start_ticks", victim);
	say_start("killer_start_ticks", killer);
	slots[1] = 1;
	end_of(killer);
	say_status("status", end_of(victim));
	say_int("victim", victim);
	say_int("killer", killer);
	say_int("signal", death_signal);
}

static void alone(body run, int sig)
{
	victim = spawn("zoo-victim", run);
	await(1);
	say_start("victim_start_ticks", victim);
	say_status("status", end_of(victim));
	say_int("victim", victim);
	say_int("signal", sig);
}

static void set_alarm(void)
{
	alarm(1);
	ready();
	hold();
}

static void set_itimer(void)
{
	struct itimerval soon = {.it_value = {.tv_usec = 50000}};

	need(setitimer(ITIMER_REAL, &soon, NULL), "setitimer");
	ready();
	hold();
}

static void set_posix_timer(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	struct itimerspec soon = {.it_value = {.tv_nsec = 50000000}};
	timer_t timer;

	need(timer_create(CLOCK_MONOTONIC, &ev, &timer), "timer_create");
	need(timer_settime(timer, 0, &soon, NULL), "timer_settime");
	ready();
	hold();
}

static void write_to_nobody(void)
{
	int fds[2];

	ready();
	need(pipe(fds), "pipe");
	close(fds[0]);
	nap(20); // the zoo reads the start time meanwhile
	(void)!write(fds[1], "x", 1);
}

static void alarm_run(char **argv)
{
	(void)argv, alone(set_alarm, SIGALRM);
}
static void itimer_run(char **argv)
{
	(void)argv, alone(set_itimer, SIGALRM);
}
static void posix_timer_run(char **argv)
{
	(void)argv, alone(set_posix_timer, SIGUSR2);
}
static void sigpipe_run(char **argv)
{
	(void)argv, alone(write_to_nobody, SIGPIPE);
}

const struct scenario made_scenarios[] = {
	{"cgroup-kill", 1, cgroup_kill_run},
	{"cgroup-kill-self", 1, cgroup_kill_self_run},
	{"sigio", 1, sigio_run},
	{"pdeathsig", 1, pdeathsig_run},
	{"alarm", 0, alarm_run},
	{"itimer", 0, itimer_run},
	{"posix-timer", 0, posix_timer_run},
	{"sigpipe", 0, sigpipe_run},
	{},
};
