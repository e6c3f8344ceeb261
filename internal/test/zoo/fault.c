// SPDX-License-Identifier: Apache-2.0
// CPU faults, and abort.
#include "zoo.h"

#include <pthread.h>
#include <sys/mman.h>

static int *volatile nowhere = (int *)8;

static void segv(void)
{
	*nowhere = 1;
}

static void bus(void)
{
	int fd = need(memfd_create("zoo", MFD_CLOEXEC), "memfd_create");
	volatile char *beyond = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (beyond == MAP_FAILED)
		fail("mmap failed");
	(void)*beyond; // the file is empty
}

// A page that is declared broken, as a failed memory module would have it. For
// guests only: the page stays out of use.
static void broken_page(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		fail("mmap failed");
	page[0] = 1;
	need(madvise(page, 4096, MADV_HWPOISON), "madvise");
	page[0] = 2;
}

#if defined(__x86_64__)
#define HAS_FPE true
static void fpe(void)
{
	int zero = 0;

	__asm__ volatile("movl $1, %%eax; cltd; idivl %0" : : "r"(zero) : "eax", "edx");
}
static void trap(void)
{
	__asm__ volatile("int3");
}
static void ill(void)
{
	__asm__ volatile("ud2");
}
#elif defined(__aarch64__)
#define HAS_FPE false // a division by zero is 0
static void fpe(void)
{
}
static void trap(void)
{
	__asm__ volatile("brk #0");
}
static void ill(void)
{
	__asm__ volatile(".inst 0");
}
#endif

static void *segv_thread(void *unused)
{
	(void)unused;
	slots[0] = gettid();
	nap(20);
	segv();
	return NULL;
}

static void segv_in_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, segv_thread, NULL))
		fail("pthread_create failed");
	ready();
	hold();
}

static body deed;

static void at_fault(void)
{
	ready();
	nap(20); // the zoo reads the start time meanwhile
	deed();
	fail("survived the fault");
}

static void fault(body run)
{
	int status;

	deed = run;
	victim = spawn("zoo-victim", at_fault);
	await(1);
	say_start("victim_start_ticks", victim);
	status = end_of(victim);
	say_int("victim", victim);
	say_status("status", status);
	if (WIFSIGNALED(status))
		say_int("signal", WTERMSIG(status));
}

static void segv_run(char **argv)
{
	(void)argv, fault(segv);
}
static void bus_run(char **argv)
{
	(void)argv, fault(bus);
}
static void fpe_run(char **argv)
{
	(void)argv;
	if (HAS_FPE)
		fault(fpe);
	else
		say_str("skipped", "this processor does not trap on division by zero");
}
static void ill_run(char **argv)
{
	(void)argv, fault(ill);
}
static void trap_run(char **argv)
{
	(void)argv, fault(trap);
}
static void broken_page_run(char **argv)
{
	(void)argv, fault(broken_page);
}
static void abort_run(char **argv)
{
	(void)argv, fault(abort);
}

static void segv_thread_run(char **argv)
{
	(void)argv;
	victim = spawn("zoo-victim", segv_in_thread);
	await(1);
	say_start("victim_start_ticks", victim);
	say_status("status", end_of(victim));
	say_int("victim", victim);
	say_int("tid", slots[0]);
	say_int("signal", SIGSEGV);
}

const struct scenario fault_scenarios[] = {
	{"fault-segv", 0, segv_run},
	{"fault-segv-thread", 0, segv_thread_run},
	{"fault-bus", 0, bus_run},
	{"fault-fpe", 0, fpe_run},
	{"fault-ill", 0, ill_run},
	{"fault-trap", 0, trap_run},
	{"broken-page", 0, broken_page_run},
	{"abort", 0, abort_run},
	{},
};
