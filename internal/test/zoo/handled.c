// SPDX-License-Identifier: Apache-2.0
// Signals that are handled and do not ask a process to end: some are why it ends all
// the same, others have nothing to do with it.
#include "zoo.h"

#include <pthread.h>
#include <setjmp.h>
#include <sys/time.h>

enum { FAULTS = 1000 };

static int *volatile nowhere = (int *)8;
static int deed_signal;
static int exit_status;
static int wait_ms;

static void strike(void)
{
	need(kill(victim, deed_signal), "kill");
}

static volatile sig_atomic_t came;

static void leave(int sig)
{
	(void)sig;
	_exit(exit_status);
}

static void notice(int sig)
{
	(void)sig;
	came = 1;
}

static void leaves_at_once(void)
{
	handle(deed_signal, leave);
	ready();
	hold();
}

// The signal and the exit have nothing to do with each other.
static void leaves_later(void)
{
	handle(deed_signal, notice);
	ready();
	while (!came)
		nap(1);
	nap(wait_ms);
	_exit(exit_status);
}

static void waits_then_leaves(void)
{
	sigset_t set;
	int sig;

	block(deed_signal);
	sigemptyset(&set);
	sigaddset(&set, deed_signal);
	ready();
	sigwait(&set, &sig);
	_exit(exit_status);
}

static void run(body b, int sig, int status, int ms)
{
	deed_signal = sig;
	exit_status = status;
	wait_ms = ms;
	play(b, strike, DIES);
	say_int("signal", sig);
}

static void abort_exit_run(char **argv)
{
	(void)argv, run(leaves_at_once, SIGABRT, 1, 0);
}
static void abort_later_run(char **argv)
{
	(void)argv, run(leaves_later, SIGABRT, 0, 1500);
}
static void abort_outlived_run(char **argv)
{
	(void)argv, run(leaves_later, SIGABRT, 4, 10500);
}
static void usr1_exit_run(char **argv)
{
	(void)argv, run(leaves_at_once, SIGUSR1, 3, 0);
}
static void usr1_wait_run(char **argv)
{
	(void)argv, run(waits_then_leaves, SIGUSR1, 3, 0);
}
static void usr1_success_run(char **argv)
{
	(void)argv, run(leaves_at_once, SIGUSR1, 0, 0);
}
static void usr1_later_run(char **argv)
{
	(void)argv, run(leaves_later, SIGUSR1, 5, 1500);
}

static void alarm_leaves(void)
{
	struct itimerval soon = {.it_value = {.tv_usec = 50000}};

	exit_status = 3;
	handle(SIGALRM, leave);
	need(setitimer(ITIMER_REAL, &soon, NULL), "setitimer");
	ready();
	hold();
}

static void fault(void)
{
	*nowhere = 1;
}

static void crash(int sig)
{
	(void)sig;
	abort();
}

// A crash handler makes faults of its own before it aborts, as the JVM's does.
static sigjmp_buf back;

static void fault_in_handler(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static void crash_with_faults(int sig)
{
	(void)sig;
	handle(SIGSEGV, fault_in_handler);
	for (volatile int i = 0; i < 20; i++)
		if (!sigsetjmp(back, 1))
			fault();
	abort();
}

static void *faulting_thread(void *unused)
{
	(void)unused;
	nap(20);
	fault();
	return NULL;
}

static void in_thread(void (*handler)(int))
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_NODEFER};
	pthread_t t;

	need(sigaction(SIGSEGV, &sa, NULL), "sigaction");
	if (pthread_create(&t, NULL, faulting_thread, NULL))
		fail("pthread_create failed");
	ready();
	hold();
}

static void fault_abort(void)
{
	in_thread(crash);
}
static void fault_faults_abort(void)
{
	in_thread(crash_with_faults);
}
static void fault_exit(void)
{
	exit_status = 1;
	in_thread(leave);
}

// 1,000 faults that mean nothing, as a JVM's null checks.
static void faults_then_exit(void)
{
	ready();
	nap(20);
	handle(SIGSEGV, fault_in_handler);
	for (volatile int i = 0; i < FAULTS; i++)
		if (!sigsetjmp(back, 1))
			fault();
	_exit(0);
}

static void alone(body b, int sig)
{
	victim = spawn("zoo-victim", b);
	await(1);
	say_start("victim_start_ticks", victim);
	say_status("status", end_of(victim));
	say_int("victim", victim);
	say_int("signal", sig);
}

static void alarm_exit_run(char **argv)
{
	(void)argv, alone(alarm_leaves, SIGALRM);
}
static void fault_abort_run(char **argv)
{
	(void)argv, alone(fault_abort, SIGSEGV);
}
static void fault_faults_abort_run(char **argv)
{
	(void)argv, alone(fault_faults_abort, SIGSEGV);
}
static void fault_exit_run(char **argv)
{
	(void)argv, alone(fault_exit, SIGSEGV);
}
static void faults_exit_run(char **argv)
{
	(void)argv, alone(faults_then_exit, SIGSEGV);
}

// A supervisor that is asked to reload by SIGUSR2 ends its worker, as php-fpm does.
static void worker(void)
{
	slots[0] = getpid();
	ready();
	hold();
}

static void supervisor(void)
{
	handle(SIGUSR2, notice);
	spawn("zoo-victim", worker);
	while (!came)
		nap(1);
	need(kill(slots[0], SIGTERM), "kill TERM");
	slots[1] = end_of(slots[0]);
	slots[2] = 1;
	hold();
}

static pid_t master;

static void ask_to_reload(void)
{
	need(kill(master, SIGUSR2), "kill USR2");
	ready();
	hold();
}

static void reload_run(char **argv)
{
	(void)argv;
	master = spawn("zoo-master", supervisor);
	await(1);
	victim = slots[0];
	say_start("victim_start_ticks", victim);
	killer = spawn("zoo-killer", ask_to_reload);
	await(1);
	say_start("killer_start_ticks", killer);
	while (!slots[2])
		nap(1);
	say_status("status", slots[1]);
	say_int("victim", victim);
	say_int("killer", killer);
	say_int("parent", master);
	say_int("signal", SIGTERM);
	release();
	end_of(master);
	end_of(killer);
}

const struct scenario handled_scenarios[] = {
	{"abort-exit", 0, abort_exit_run},
	{"abort-later", 0, abort_later_run},
	{"abort-outlived", 0, abort_outlived_run},
	{"usr1-exit", 0, usr1_exit_run},
	{"usr1-wait", 0, usr1_wait_run},
	{"usr1-success", 0, usr1_success_run},
	{"usr1-later", 0, usr1_later_run},
	{"alarm-exit", 0, alarm_exit_run},
	{"fault-abort", 0, fault_abort_run},
	{"fault-faults-abort", 0, fault_faults_abort_run},
	{"fault-exit", 0, fault_exit_run},
	{"faults-exit", 0, faults_exit_run},
	{"reload", 0, reload_run},
	{},
};
