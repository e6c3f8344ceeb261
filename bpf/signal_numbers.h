// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The signals by number, and by what their default action is. */
#ifndef SIGTRACE_SIGNAL_NUMBERS_H
#define SIGTRACE_SIGNAL_NUMBERS_H

#define BIT_OF(sig) (1ULL << ((sig) - 1))
enum {
	HUP = 1,
	INT = 2,
	QUIT = 3,
	KILL = 9,
	TERM = 15,
	CHLD = 17,
	CONT = 18,
	STOP = 19,
	TSTP = 20,
	TTIN = 21,
	TTOU = 22,
	URG = 23,
	WINCH = 28,
	SYS = 31,
};
#define STOP_REQUESTS (BIT_OF(HUP) | BIT_OF(INT) | BIT_OF(QUIT) | BIT_OF(KILL) | BIT_OF(TERM))
#define STOPPING (BIT_OF(STOP) | BIT_OF(TSTP) | BIT_OF(TTIN) | BIT_OF(TTOU))
#define HARMLESS (BIT_OF(CHLD) | BIT_OF(CONT) | BIT_OF(URG) | BIT_OF(WINCH))
/* The default action ends the process. */
#define TERMINATES (~(STOPPING | HARMLESS))

#endif
