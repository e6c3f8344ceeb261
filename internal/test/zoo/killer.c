// SPDX-License-Identifier: Apache-2.0
// Killers that are hard to catch or to print: gone at once, with long or odd
// arguments, with threads, with another identity.
#include "zoo.h"

#include <pthread.h>

static int deed_signal = SIGTERM;

static void strike(void)
{
	need(kill(victim, deed_signal), "kill");
}

static void wait_here(void)
{
	ready();
	hold();
}

// strike_alone: a killer that nobody waits with; `hidden` is exec'd or run.
static void hit_and_run(const char *comm, body run)
{
	victim = spawn("zoo-victim", wait_here);
	await(1);
	say_start("victim_start_ticks", victim);
	killer = spawn(comm, run);
	if (end_of(killer) != 0)
		fail("the killer failed");
	say_status("status", end_of(victim));
	say_int("victim", victim);
	say_int("killer", killer);
	say_int("signal", deed_signal);
}

static void strike_and_exit(void)
{
	kill(victim, deed_signal);
	_exit(0);
}

static void exits_run(char **argv)
{
	(void)argv;
	deed_signal = SIGKILL;
	hit_and_run("zoo-killer", strike_and_exit);
}

// _strike VICTIM SIGNAL …: what the killers below exec; ends at once.
static void hidden_strike_run(char **argv)
{
	_exit(kill(atoi(argv[0]), atoi(argv[1])) == 0 ? 0 : 1);
}

static char **extra_args;

static void exec_strike(void)
{
	static char self[4096], pid[16], sig[16];
	char *args[64] = {self, "_strike", pid, sig};
	ssize_t len = need(readlink("/proc/self/exe", self, sizeof(self) - 1), "readlink");
	int n = 4;

	self[len] = 0;
	snprintf(pid, sizeof(pid), "%d", victim);
	snprintf(sig, sizeof(sig), "%d", deed_signal);
	for (char **a = extra_args; *a && n < 63; a++)
		args[n++] = *a;
	execv(self, args);
	fail("exec failed");
}

// long-args BYTES: that many bytes of arguments behind _strike VICTIM SIGNAL,
// in words of 100 "a", "b", …, the last one being "END".
static void long_args_run(char **argv)
{
	static char words[60][101], *list[62];
	long left = atol(argv[0]);
	int n = 0;

	for (; left > 0 && n < 60; n++, left -= 100) {
		memset(words[n], 'a' + n % 26, left < 100 ? left : 100);
		list[n] = words[n];
	}
	list[n] = "END";
	extra_args = list;
	hit_and_run("zoo-killer", exec_strike);
}

// odd-args: escape sequences, newlines, quotes, an empty one, no UTF-8.
static void odd_args_run(char **argv)
{
	static char *list[] = {"\033[31mred\033[0m", "two\nlines", "tab\tand\r", "\"quoted\\\"", "",
			       "\xff\xfe",	     "end",	   NULL};

	(void)argv;
	extra_args = list;
	hit_and_run("zoo-killer", exec_strike);
}

static void odd_comm_run(char **argv)
{
	(void)argv;
	hit_and_run("\033[31m\nx\t\"\\", strike_and_exit);
}

static void named_run(char **argv)
{
	hit_and_run(argv[0], strike_and_exit);
}

static void *strike_from_thread(void *unused)
{
	(void)unused;
	slots[0] = gettid();
	prctl(PR_SET_NAME, "zoo-thread");
	strike();
	return NULL;
}

static void threaded(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, strike_from_thread, NULL))
		fail("pthread_create failed");
	pthread_join(t, NULL);
}

static void thread_run(char **argv)
{
	(void)argv;
	play(NULL, threaded, DIES);
	say_int("killer_tid", slots[0]);
	say_int("signal", deed_signal);
}

static void as_uid(void)
{
	// Real uid 1234, effective 0: both are to be printed.
	need(setresuid(1234, 0, 0), "setresuid");
	strike_and_exit();
}

static void uid_run(char **argv)
{
	(void)argv;
	hit_and_run("zoo-killer", as_uid);
}

static void as_login(void)
{
	int fd = open("/proc/self/loginuid", O_WRONLY);

	slots[0] = fd >= 0 && write(fd, "1234", 4) == 4;
	strike_and_exit();
}

static void login_run(char **argv)
{
	(void)argv;
	hit_and_run("zoo-killer", as_login);
	if (slots[0])
		say_int("login_uid", 1234);
	else
		say_str("skipped", "the login uid cannot be set here");
}

const struct scenario killer_scenarios[] = {
	{"killer-exits", 0, exits_run},	   {"long-args", 1, long_args_run},
	{"odd-args", 0, odd_args_run},	   {"odd-comm", 0, odd_comm_run},
	{"named-killer", 1, named_run},	   {"killer-thread", 0, thread_run},
	{"killer-uid", 0, uid_run},	   {"killer-login", 0, login_run},
	{"_strike", 2, hidden_strike_run}, {},
};
