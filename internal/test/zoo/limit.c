// SPDX-License-Identifier: Apache-2.0
// Resource limits and seccomp: the process itself oversteps.
#include "zoo.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

static struct rlimit cpu;

static void burn(void)
{
	need(setrlimit(RLIMIT_CPU, &cpu), "setrlimit cpu");
	ready();
	for (volatile unsigned long i = 0;; i++)
		;
}

static void write_too_much(void)
{
	struct rlimit limit = {4096, 4096};
	static char buf[8192];
	int fd = need(memfd_create("zoo", MFD_CLOEXEC), "memfd_create");

	need(setrlimit(RLIMIT_FSIZE, &limit), "setrlimit fsize");
	ready();
	nap(20);
	while (write(fd, buf, sizeof(buf)) > 0)
		;
}

// forbid_getpgid makes getpgid the deadly system call.
static void forbid_getpgid(unsigned int action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	need(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog), "seccomp");
	ready();
	nap(20);
	syscall(SYS_getpgid, 0);
}

static void *idle(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static void seccomp_process(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, idle, NULL))
		fail("pthread_create failed");
	forbid_getpgid(SECCOMP_RET_KILL_PROCESS);
}

static void seccomp_thread(void)
{
	forbid_getpgid(SECCOMP_RET_KILL_THREAD);
}

static void seccomp_strict(void)
{
	ready();
	nap(20);
	need(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), "seccomp strict");
	syscall(SYS_getpgid, 0);
}

static void overstep(body run)
{
	int status;

	victim = spawn("zoo-victim", run);
	await(1);
	say_start("victim_start_ticks", victim);
	status = end_of(victim);
	say_int("victim", victim);
	say_status("status", status);
	if (WIFSIGNALED(status))
		say_int("signal", WTERMSIG(status));
}

static void cpu_soft_run(char **argv)
{
	(void)argv;
	cpu = (struct rlimit){1, 10};
	overstep(burn);
}

static void cpu_hard_run(char **argv)
{
	(void)argv;
	cpu = (struct rlimit){1, 1};
	overstep(burn);
}

static void fsize_run(char **argv)
{
	(void)argv, overstep(write_too_much);
}
static void seccomp_process_run(char **argv)
{
	(void)argv, overstep(seccomp_process);
}
static void seccomp_thread_run(char **argv)
{
	(void)argv, overstep(seccomp_thread);
}
static void seccomp_strict_run(char **argv)
{
	(void)argv, overstep(seccomp_strict);
}

const struct scenario limit_scenarios[] = {
	{"rlimit-cpu-soft", 0, cpu_soft_run},
	{"rlimit-cpu-hard", 0, cpu_hard_run},
	{"rlimit-fsize", 0, fsize_run},
	{"seccomp-process", 0, seccomp_process_run},
	{"seccomp-thread", 0, seccomp_thread_run},
	{"seccomp-strict", 0, seccomp_strict_run},
	{},
};
