// SPDX-License-Identifier: Apache-2.0
/*
 * Attacks on whoever watches signals and deaths:
 *
 *	flood KIND SECONDS COUNT SIZE UID CGROUP...
 *
 * moves itself into the first cgroup (in kills, into each in turn), becomes UID,
 * and then attacks until the seconds have passed or the count is reached. It ends
 * with a line of what it did. Belts: at most 30 seconds, 4 million signals, 100,000
 * processes altogether and 4,096 at once; it signals only what it has forked.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds;
static long count, size;
static char **cgroups;
static int ngroups;
static double begun;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int over(long done)
{
	return done >= count || now() - begun > seconds;
}

static void join_cgroup(const char *dir)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		fail(path);
	close(fd);
}

static void idle(void)
{
	for (;;)
		pause();
}

static void handle(int sig)
{
	(void)sig;
}

static pid_t fork_child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* SIGTERM to a child that handles it, as fast as it goes. */
static long handled(void)
{
	pid_t child;
	long sent = 0;

	signal(SIGTERM, handle);
	child = fork_child();
	if (!child)
		idle();
	while (!over(sent)) {
		for (int i = 0; i < 256; i++)
			kill(child, SIGTERM);
		sent += 256;
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return sent;
}

/* Groups of children, killed one after the other. */
static long kills(void)
{
	pid_t *group = calloc(size, sizeof(*group));
	long done = 0;

	if (!group)
		fail("calloc");
	while (!over(done)) {
		if (ngroups > 1)
			join_cgroup(cgroups[(done / size) % ngroups]);
		for (int i = 0; i < size; i++) {
			group[i] = fork_child();
			if (!group[i])
				idle();
		}
		for (int i = 0; i < size; i++)
			kill(group[i], SIGKILL);
		for (int i = 0; i < size; i++)
			waitpid(group[i], NULL, 0);
		done += size;
	}
	return done;
}

/* A chain of forks in which each forker exits: its last process alone lives. */
static void chain(long depth, int done)
{
	for (long i = 0; i < depth; i++) {
		pid_t pid = fork();

		if (pid > 0)
			_exit(0);
		if (pid < 0)
			break;
	}
	if (write(done, "", 1) != 1)
		_exit(1);
	alarm(40); /* a belt, for whoever should end it may be gone */
	idle();
}

/* Chains of dead ancestors, each as deep as size, until there are count dead. */
static long ancestors(void)
{
	long made = 0;
	int ends[2], n = 0;
	char byte;

	if (pipe(ends))
		fail("pipe");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (!over(made)) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (!pid)
			chain(size, ends[1]);
		if (read(ends[0], &byte, 1) != 1)
			fail("read");
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		made += size;
		n++;
	}
	fprintf(stderr, "%ld dead, %d alive\n", made, n);
	while (now() - begun < seconds)
		usleep(100000);
	/* What lives are its children now, for it is their subreaper. */
	return made;
}

static void end_children(void)
{
	char path[64], *at, list[1 << 16];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	fd = open(path, O_RDONLY);
	n = read(fd, list, sizeof(list) - 1);
	close(fd);
	list[n > 0 ? n : 0] = 0;
	for (at = strtok(list, " "); at; at = strtok(NULL, " "))
		kill(atoi(at), SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

int main(int argc, char **argv)
{
	long did = 0;

	if (argc < 7)
		fail("arguments");
	seconds = atof(argv[2]);
	count = atol(argv[3]);
	size = atol(argv[4]);
	cgroups = argv + 6;
	ngroups = argc - 6;
	if (seconds > 30 || size < 1 || size > 4096 || count > 4000000 ||
	    (strcmp(argv[1], "handled") && count > 100000)) {
		fprintf(stderr, "beyond the belts\n");
		return 1;
	}
	join_cgroup(cgroups[0]);
	if (atoi(argv[5]) && (setgid(atoi(argv[5])) || setuid(atoi(argv[5]))))
		fail("setuid");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	begun = now();
	if (!strcmp(argv[1], "handled"))
		did = handled();
	else if (!strcmp(argv[1], "kills"))
		did = kills();
	else if (!strcmp(argv[1], "ancestors"))
		did = ancestors();
	else
		return 1;
	printf("%ld in %.1f s\n", did, now() - begun);
	fflush(stdout);
	end_children();
	return 0;
}
