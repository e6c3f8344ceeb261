// SPDX-License-Identifier: Apache-2.0
// What a victim makes of a signal: ignores, handles, blocks, waits, re-raises.
#include "zoo.h"

#include <pthread.h>

static int deed_signal = SIGTERM;

static void strike(void)
{
	need(kill(victim, deed_signal), "kill");
}

static void ignores(void)
{
	signal(deed_signal, SIG_IGN);
	ready();
	hold();
}

static void leave(int sig)
{
	_exit(sig == SIGTERM ? 0 : 1);
}
static void notice(int sig)
{
	(void)sig;
}

static void handles_and_leaves(void)
{
	handle(SIGTERM, leave);
	ready();
	hold();
}

static void handles_and_stays(void)
{
	handle(deed_signal, notice);
	ready();
	hold();
}

static int blocked_ms;

static void unblocks_later(void)
{
	block(SIGTERM);
	ready();
	for (sigset_t pending;;) {
		sigpending(&pending);
		if (sigismember(&pending, SIGTERM))
			break;
		nap(1);
	}
	nap(blocked_ms);
	unblock(SIGTERM);
}

static void waits_for_it(void)
{
	sigset_t set;
	int sig;

	block(SIGTERM);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	ready();
	sigwait(&set, &sig);
}

static void raise_again(int sig)
{
	signal(sig, SIG_DFL);
	unblock(sig);
	raise(sig);
}

static void reraises(void)
{
	handle(SIGTERM, raise_again);
	ready();
	hold();
}

static void blocks(void)
{
	block(deed_signal);
	ready();
	hold();
}

static void strike_twice(void)
{
	strike();
	strike();
}

static void stop_and_go(void)
{
	need(kill(victim, SIGSTOP), "kill STOP");
	ready(); // the zoo, the parent, sees the stop
	while (!slots[0])
		nap(1);
	need(kill(victim, SIGCONT), "kill CONT");
}

static void wait_here(void)
{
	ready();
	hold();
}

static void *idle(void *unused)
{
	(void)unused;
	slots[0] = gettid();
	ready();
	for (;;)
		pause();
	return NULL;
}

static void has_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, idle, NULL))
		fail("pthread_create failed");
	hold();
}

static void strike_thread(void)
{
	need(syscall(SYS_tgkill, victim, slots[0], SIGKILL), "tgkill");
}

static void run(body b, body deed, enum outcome o, int sig)
{
	deed_signal = sig;
	play(b, deed, o);
	say_int("signal", sig);
}

static void ignored_run(char **argv)
{
	(void)argv, run(ignores, strike, LIVES, SIGTERM);
}
static void handled_run(char **argv)
{
	(void)argv, run(handles_and_leaves, strike, DIES, SIGTERM);
}
static void sigwait_run(char **argv)
{
	(void)argv, run(waits_for_it, strike, DIES, SIGTERM);
}
static void reraise_run(char **argv)
{
	(void)argv, run(reraises, strike, DIES, SIGTERM);
}
static void pending_run(char **argv)
{
	(void)argv, run(blocks, strike_twice, LIVES, SIGUSR1);
}
static void usr1_run(char **argv)
{
	(void)argv, run(NULL, strike, DIES, SIGUSR1);
}
static void usr1_handled_run(char **argv)
{
	(void)argv, run(handles_and_stays, strike, LIVES, SIGUSR1);
}

// blocked MS: unblocked that long after the signal came; dies of it then.
static void blocked_run(char **argv)
{
	blocked_ms = atoi(argv[0]);
	run(unblocks_later, strike, DIES, SIGTERM);
}

static void thread_target_run(char **argv)
{
	(void)argv;
	run(has_thread, strike_thread, DIES, SIGKILL);
	say_int("tid", slots[0]);
}

static void killer_stop_and_go(void)
{
	stop_and_go();
	ready();
	hold();
}

static void stop_cont_run(char **argv)
{
	int status;

	(void)argv;
	victim = spawn("zoo-victim", wait_here);
	await(1);
	say_start("victim_start_ticks", victim);
	killer = spawn("zoo-killer", killer_stop_and_go);
	await(1);
	need(waitpid(victim, &status, WUNTRACED), "waitpid the stop");
	if (!WIFSTOPPED(status))
		fail("the victim did not stop");
	slots[0] = 1;
	await(1);
	need(waitpid(victim, &status, WCONTINUED), "waitpid the continuation");
	release();
	say_status("status", end_of(victim));
	end_of(killer);
	say_int("victim", victim);
	say_int("killer", killer);
}

const struct scenario outcome_scenarios[] = {
	{"ignored", 0, ignored_run},
	{"handled", 0, handled_run},
	{"sigwait", 0, sigwait_run},
	{"reraise", 0, reraise_run},
	{"pending", 0, pending_run},
	{"usr1", 0, usr1_run},
	{"usr1-handled", 0, usr1_handled_run},
	{"blocked", 1, blocked_run},
	{"thread-target", 0, thread_target_run},
	{"stop-cont", 0, stop_cont_run},
	{},
};
