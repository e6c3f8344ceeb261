// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The signals by number, and by what their default action is. Names and masks
 * are the kernel's (uapi/asm-generic/signal.h, linux/signal.h). */
#ifndef SIGTRACE_SIGNAL_NUMBERS_H
#define SIGTRACE_SIGNAL_NUMBERS_H

#define rt_sigmask(sig) (1ULL << ((sig) - 1))

enum {
	SIGHUP = 1,
	SIGINT = 2,
	SIGQUIT = 3,
	SIGILL = 4,
	SIGTRAP = 5,
	SIGABRT = 6,
	SIGBUS = 7,
	SIGFPE = 8,
	SIGKILL = 9,
	SIGUSR1 = 10,
	SIGSEGV = 11,
	SIGUSR2 = 12,
	SIGPIPE = 13,
	SIGALRM = 14,
	SIGTERM = 15,
	SIGSTKFLT = 16,
	SIGCHLD = 17,
	SIGCONT = 18,
	SIGSTOP = 19,
	SIGTSTP = 20,
	SIGTTIN = 21,
	SIGTTOU = 22,
	SIGURG = 23,
	SIGXCPU = 24,
	SIGXFSZ = 25,
	SIGVTALRM = 26,
	SIGPROF = 27,
	SIGWINCH = 28,
	SIGIO = 29,
	SIGPWR = 30,
	SIGSYS = 31,
	_NSIG = 64,
};

/* sa_handler, where it is no function. */
#define SIG_DFL 0UL
#define SIG_IGN 1UL

#define SIG_KERNEL_STOP_MASK                                                                       \
	(rt_sigmask(SIGSTOP) | rt_sigmask(SIGTSTP) | rt_sigmask(SIGTTIN) | rt_sigmask(SIGTTOU))
#define SIG_KERNEL_IGNORE_MASK                                                                     \
	(rt_sigmask(SIGCHLD) | rt_sigmask(SIGCONT) | rt_sigmask(SIGURG) | rt_sigmask(SIGWINCH))

/* The default action ends the process. */
#define SIG_TERMINATES_MASK (~(SIG_KERNEL_STOP_MASK | SIG_KERNEL_IGNORE_MASK))

/* Signals by which one process asks another to end. */
#define SIG_STOP_REQUEST_MASK                                                                      \
	(rt_sigmask(SIGHUP) | rt_sigmask(SIGINT) | rt_sigmask(SIGQUIT) | rt_sigmask(SIGKILL) |     \
	 rt_sigmask(SIGTERM))

/* Signals that may have been why a process ended although it handled them and they
 * do not ask for that: of faults and watchdogs, and those that programs use for other
 * things (internal/verdict has the same two lists). */
#define SIG_CRASH_MASK                                                                             \
	(rt_sigmask(SIGABRT) | rt_sigmask(SIGSEGV) | rt_sigmask(SIGBUS) | rt_sigmask(SIGFPE) |     \
	 rt_sigmask(SIGILL) | rt_sigmask(SIGTRAP) | rt_sigmask(SIGSYS) | rt_sigmask(SIGXCPU))
#define SIG_USER_MASK                                                                              \
	(rt_sigmask(SIGUSR1) | rt_sigmask(SIGUSR2) | rt_sigmask(SIGALRM) | rt_sigmask(SIGVTALRM) | \
	 rt_sigmask(SIGPROF) | rt_sigmask(SIGIO) | rt_sigmask(SIGPWR) | rt_sigmask(SIGXFSZ) |      \
	 rt_sigmask(SIGPIPE) | rt_sigmask(SIGSTKFLT))

/* The signal in a status as wait(2) gives it; 0 if the process exited. */
#define WTERMSIG(status) ((status) & 0x7f)

#endif
