// SPDX-License-Identifier: Apache-2.0
// A 32-bit kill on a 64-bit kernel: its number means another system call there.
#include "zoo.h"

#include <elf.h>
#include <sys/mman.h>

#if defined(__x86_64__)

// The 32-bit entry from 64-bit code: orig_ax 37 here is kill, not alarm.
static void exec_kill32(pid_t pid, int sig)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(37), "b"(pid), "c"(sig)
			 : "memory", "r8", "r9", "r10", "r11");
	_exit(ret ? 1 : 0);
}

#elif defined(__aarch64__)

// No such entry: it takes a 32-bit program, and so small a one needs no
// compiler. On a processor or kernel without AArch32 it cannot be executed.
static void exec_kill32(pid_t pid, int sig)
{
	enum { AT = 0x20000 };
	char *argv[] = {"zoo-killer32", NULL}, *none[] = {NULL};
	struct {
		Elf32_Ehdr head;
		Elf32_Phdr load;
		uint32_t code[7];
		int32_t pid, sig;
	} program = {
		.head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB,
				     EV_CURRENT},
			 .e_type = ET_EXEC,
			 .e_machine = EM_ARM,
			 .e_version = EV_CURRENT,
			 .e_entry = AT + sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr),
			 .e_phoff = sizeof(Elf32_Ehdr),
			 .e_flags = EF_ARM_EABI_VER5,
			 .e_ehsize = sizeof(Elf32_Ehdr),
			 .e_phentsize = sizeof(Elf32_Phdr),
			 .e_phnum = 1},
		.load = {.p_type = PT_LOAD,
			 .p_vaddr = AT,
			 .p_paddr = AT,
			 .p_filesz = sizeof(program),
			 .p_memsz = sizeof(program),
			 .p_flags = PF_R | PF_X,
			 .p_align = 0x10000},
		.code = {0xe59f0014, // ldr r0, pid
			 0xe59f1014, // ldr r1, sig
			 0xe3a07025, // mov r7, #37: kill
			 0xef000000, // svc 0
			 0xe2600000, // rsb r0, r0, #0
			 0xe3a07001, // mov r7, #1: exit
			 0xef000000},
		.pid = pid,
		.sig = sig,
	};
	int fd = need(memfd_create("zoo-killer32", MFD_CLOEXEC), "memfd_create");

	need(write(fd, &program, sizeof(program)), "write");
	fexecve(fd, argv, none);
	_exit(1);
}

#else
static void exec_kill32(pid_t pid, int sig)
{
	(void)pid, (void)sig, _exit(1);
}
#endif

static void probe32(void)
{
	exec_kill32(getpid(), 0);
}

static void wait_here(void)
{
	ready();
	hold();
}

static void strike32(void)
{
	exec_kill32(victim, SIGTERM);
}

static void kill32_run(char **argv)
{
	(void)argv;
	if (end_of(spawn("zoo-probe32", probe32)) != 0) {
		say_str("skipped", "no 32-bit system calls here");
		return;
	}
	victim = spawn("zoo-victim", wait_here);
	await(1);
	say_start("victim_start_ticks", victim);
	killer = spawn("zoo-killer", strike32);
	if (end_of(killer) != 0)
		fail("the 32-bit kill failed");
	say_status("status", end_of(victim));
	say_int("victim", victim);
	say_int("killer", killer);
	say_int("signal", SIGTERM);
}

const struct scenario compat_scenarios[] = {
	{"kill32", 0, kill32_run},
	{},
};
