// SPDX-License-Identifier: Apache-2.0
// What a debugger does to its tracee.
#include "zoo.h"

#include <sys/ptrace.h>

static int injected;

// attach brings the victim into the signal-delivery stop of ptrace's SIGSTOP;
// only from such a stop can a signal be injected.
static void attach(void)
{
	int status;

	need(ptrace(PTRACE_ATTACH, victim, 0, 0), "PTRACE_ATTACH");
	need(waitpid(victim, &status, __WALL), "waitpid the tracee");
	if (!WIFSTOPPED(status))
		fail("the tracee did not stop");
}

static void inject(void)
{
	attach();
	need(ptrace(PTRACE_CONT, victim, 0, injected), "PTRACE_CONT");
	need(waitpid(victim, NULL, __WALL), "waitpid the tracee's end");
}

static void ptrace_kill(void)
{
	attach();
	need(ptrace(PTRACE_KILL, victim, 0, 0), "PTRACE_KILL");
	need(waitpid(victim, NULL, __WALL), "waitpid the tracee's end");
}

static void exitkill(void)
{
	need(ptrace(PTRACE_SEIZE, victim, 0, PTRACE_O_EXITKILL), "PTRACE_SEIZE");
	ready();
	_exit(0);
}

static void inject_run(char **argv)
{
	injected = atoi(argv[0]);
	play(NULL, inject, DIES);
	say_int("signal", injected);
}

static void ptrace_kill_run(char **argv)
{
	(void)argv;
	play(NULL, ptrace_kill, DIES);
	say_int("signal", SIGKILL);
}

static void exitkill_run(char **argv)
{
	(void)argv;
	play(NULL, exitkill, DIES);
	say_int("signal", SIGKILL);
}

// The zoo itself traces, asked to see the exit, and never looks: what it traces
// stays in that stop until the zoo is killed. Only the victim's pid is printed.
static void held_by_tracer_run(char **argv)
{
	(void)argv;
	victim = spawn("zoo-victim", hold);
	need(ptrace(PTRACE_SEIZE, victim, 0, PTRACE_O_TRACEEXIT), "PTRACE_SEIZE");
	printf("%d\n", victim);
	fflush(stdout);
	for (;;)
		pause();
}

const struct scenario debug_scenarios[] = {
	{"ptrace-inject", 1, inject_run},
	{"ptrace-kill", 0, ptrace_kill_run},
	{"ptrace-exitkill", 0, exitkill_run},
	{"held-by-tracer", 0, held_by_tracer_run},
	{},
};
