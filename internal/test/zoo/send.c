// SPDX-License-Identifier: Apache-2.0
// Signals that a process truly sends: kill and its relatives, forged ones too.
#include "zoo.h"

#define FORGED_PID 4242

static int deed_signal = SIGTERM;

static void by_kill(void)
{
	need(kill(victim, deed_signal), "kill");
}

static void by_pidfd(void)
{
	int fd = need(syscall(SYS_pidfd_open, victim, 0), "pidfd_open");

	need(syscall(SYS_pidfd_send_signal, fd, deed_signal, NULL, 0), "pidfd_send_signal");
}

static void by_tgkill(void)
{
	need(syscall(SYS_tgkill, victim, victim, deed_signal), "tgkill");
}

static void by_tkill(void)
{
	need(syscall(SYS_tkill, victim, deed_signal), "tkill");
}

static void by_sigqueue(void)
{
	union sigval v = {.sival_int = 7};

	need(sigqueue(victim, deed_signal, v), "sigqueue");
}

static void queue_forged(int code, pid_t pid)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = deed_signal;
	info.si_code = code;
	info.si_pid = pid;
	info.si_uid = 4242;
	need(syscall(SYS_rt_sigqueueinfo, victim, deed_signal, &info), "rt_sigqueueinfo");
}

static void by_forged_pid(void)
{
	queue_forged(SI_QUEUE, FORGED_PID);
	slots[0] = FORGED_PID;
}

static void by_forged_timer(void)
{
	queue_forged(SI_TIMER, 1);
}

static void forge_own_segv(void)
{
	siginfo_t info;

	ready();
	hold();
	memset(&info, 0, sizeof(info));
	info.si_signo = SIGSEGV;
	info.si_code = SEGV_MAPERR;
	need(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGSEGV, &info),
	     "rt_tgsigqueueinfo");
	hold();
}

static void sent(body deed)
{
	play(NULL, deed, DIES);
	say_int("signal", deed_signal);
}

// kill SIG: the plain kill(2), with any signal.
static void kill_run(char **argv)
{
	deed_signal = atoi(argv[0]);
	sent(by_kill);
}

static void pidfd_run(char **argv)
{
	(void)argv, sent(by_pidfd);
}
static void tgkill_run(char **argv)
{
	(void)argv, sent(by_tgkill);
}
static void tkill_run(char **argv)
{
	(void)argv, sent(by_tkill);
}
static void sigqueue_run(char **argv)
{
	(void)argv, sent(by_sigqueue);
}
static void forged_timer_run(char **argv)
{
	(void)argv, sent(by_forged_timer);
}

static void forged_pid_run(char **argv)
{
	(void)argv;
	sent(by_forged_pid);
	say_int("forged_pid", slots[0]);
}

static void forged_segv_run(char **argv)
{
	(void)argv;
	victim = spawn("zoo-victim", forge_own_segv);
	await(1);
	say_start("victim_start_ticks", victim);
	release();
	say_status("status", end_of(victim));
	say_int("victim", victim);
	say_int("killer", victim);
	say_int("signal", SIGSEGV);
}

const struct scenario send_scenarios[] = {
	{"kill", 1, kill_run},
	{"pidfd", 0, pidfd_run},
	{"tgkill", 0, tgkill_run},
	{"tkill", 0, tkill_run},
	{"sigqueue", 0, sigqueue_run},
	{"sigqueue-forged-pid", 0, forged_pid_run},
	{"sigqueue-forged-timer", 0, forged_timer_run},
	{"forged-segv", 0, forged_segv_run},
	{},
};
