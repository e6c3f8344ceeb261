// SPDX-License-Identifier: Apache-2.0
//
// zoo: real ways for a Linux process to be signalled and to die. Every scenario
// makes its own victims and killers, lets the deed happen once, waits for the
// outcome and prints one JSON line with the truth, for a tracer to be measured
// against. All pids are those that the zoo's own PID namespace shows.
#ifndef ZOO_H
#define ZOO_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_PIDS 64

// body is what a forked process does; when it returns, the process exits 0.
typedef void (*body)(void);

// ---- stage.c: processes, readiness, ends ----

// slots is memory that all processes of a scenario share, for pids that only a
// descendant knows.
extern volatile int *slots;
// victim is the process that is hit; set before the killer is forked.
extern pid_t victim;
extern pid_t killer;

void stage_open(void);
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
// need turns a -1 into the end of the scenario.
long need(long result, const char *what);
pid_t spawn(const char *comm, body run);
// ready: one "I am ready" from a child. await waits for n of them.
void ready(void);
void await(int n);
// hold blocks until the zoo calls release (or dies).
void hold(void);
void release(void);
// end_of waits for the end of a child and returns its wait status.
int end_of(pid_t pid);
void nap(int ms);
void handle(int sig, void (*handler)(int));
void block(int sig);
void unblock(int sig);
void join_cgroup(const char *dir);
void write_file(const char *path, const char *text);
// new_pidns makes all later children of the zoo live in a new PID namespace.
void new_pidns(void);

// enum outcome: whether a scenario's victim is to end by the deed itself.
enum outcome { DIES, LIVES };
// play is the common plot: a victim gets ready, a killer does the deed, and the
// victim's end is printed. A victim that LIVES is released after the deed.
void play(body victim_body, body deed, enum outcome outcome);

// ---- truth.c: the JSON line ----
void say_int(const char *key, long value);
void say_str(const char *key, const char *value);
void say_pids(const char *key, const pid_t *pids, int n);
// say_status writes key {"signal":n,"core":bool} or {"exit":n}.
void say_status(const char *key, int status);
// say_start writes the start time of a living process in clock ticks.
void say_start(const char *key, pid_t pid);
void say_all(const char *scenario);

// ---- the scenarios ----
struct scenario {
	const char *name;
	int args; // how many arguments it needs
	void (*run)(char **argv);
};
extern const struct scenario send_scenarios[], group_scenarios[], debug_scenarios[],
	made_scenarios[], tty_scenarios[], limit_scenarios[], fault_scenarios[], oom_scenarios[],
	killer_scenarios[], lineage_scenarios[], outcome_scenarios[], compat_scenarios[],
	handled_scenarios[];

#endif
