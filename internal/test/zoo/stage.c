// SPDX-License-Identifier: Apache-2.0
// The stage: forking, readiness, release and ends.
#include "zoo.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

volatile int *slots;
pid_t victim, killer;

static int ready_pipe[2], hold_pipe[2];

void fail(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "zoo: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, " (errno: %s)\n", strerror(err));
	va_end(ap);
	_exit(3);
}

long need(long result, const char *what)
{
	if (result == -1)
		fail("%s failed", what);
	return result;
}

static void too_long(int sig)
{
	static const char msg[] = "zoo: the scenario did not end within 30 s\n";

	(void)sig;
	(void)!write(2, msg, sizeof(msg) - 1);
	_exit(3);
}

// What the zoo inherits must not change its signals: perf and nohup ignore
// some, a shell may block some.
static void default_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	need(sigprocmask(SIG_SETMASK, &none, NULL), "sigprocmask");
}

// A runner that the OOM killer shall spare has children like any other. In a
// container that was given a score, lowering it is refused, and not needed.
static void ordinary_to_the_oom_killer(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "0", 1) < 0 && errno != EACCES)
		fail("writing oom_score_adj failed");
	close(fd);
}

void stage_open(void)
{
	struct rlimit no_core = {0, 0};

	default_signals();
	ordinary_to_the_oom_killer();
	slots = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (slots == MAP_FAILED)
		fail("mmap failed");
	need(pipe2(ready_pipe, O_CLOEXEC), "pipe");
	need(pipe2(hold_pipe, O_CLOEXEC), "pipe");
	need(setrlimit(RLIMIT_CORE, &no_core), "setrlimit core");
	handle(SIGALRM, too_long);
	alarm(30);
}

pid_t spawn(const char *comm, body run)
{
	pid_t pid = need(fork(), "fork");

	if (pid)
		return pid;
	prctl(PR_SET_NAME, comm);
	// Children of a zoo that died must not stay: hold ends at EOF, and what
	// does not hold is ended by this alarm.
	close(hold_pipe[1]);
	signal(SIGALRM, SIG_DFL);
	alarm(40);
	run();
	_exit(0);
}

void ready(void)
{
	need(write(ready_pipe[1], "r", 1), "write ready");
}

void await(int n)
{
	char c;

	while (n > 0) {
		ssize_t got = read(ready_pipe[0], &c, 1);

		if (got == 1)
			n--;
		else if (got == 0 || errno != EINTR)
			fail("a child was not ready");
	}
}

void hold(void)
{
	char c;

	while (read(hold_pipe[0], &c, 1) == -1 && errno == EINTR)
		;
}

void release(void)
{
	if (hold_pipe[1] >= 0)
		close(hold_pipe[1]);
	hold_pipe[1] = -1;
}

int end_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			fail("waitpid %d failed", pid);
	return status;
}

void nap(int ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000L};

	while (nanosleep(&left, &left) == -1 && errno == EINTR)
		;
}

void handle(int sig, void (*handler)(int))
{
	struct sigaction sa = {.sa_handler = handler};

	need(sigaction(sig, &sa, NULL), "sigaction");
}

static void change_mask(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	need(sigprocmask(how, &set, NULL), "sigprocmask");
}

void block(int sig)
{
	change_mask(SIG_BLOCK, sig);
}
void unblock(int sig)
{
	change_mask(SIG_UNBLOCK, sig);
}

void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail("writing %s failed", path);
	close(fd);
}

void join_cgroup(const char *dir)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	write_file(path, "0");
}

void new_pidns(void)
{
	need(unshare(CLONE_NEWPID), "unshare a PID namespace");
}

static body play_deed, play_victim;

static void victim_run(void)
{
	if (play_victim) {
		play_victim();
		return;
	}
	ready();
	hold();
}

static void killer_run(void)
{
	play_deed();
	ready();
	hold();
}

void play(body victim_body, body deed, enum outcome outcome)
{
	int status;

	play_victim = victim_body;
	play_deed = deed;
	victim = spawn("zoo-victim", victim_run);
	await(1);
	say_start("victim_start_ticks", victim);
	killer = spawn("zoo-killer", killer_run);
	await(1);
	say_start("killer_start_ticks", killer);
	if (outcome == LIVES)
		release();
	status = end_of(victim);
	release();
	end_of(killer);
	say_int("victim", victim);
	say_int("killer", killer);
	say_status("status", status);
}
