// SPDX-License-Identifier: Apache-2.0
// A terminal's signals: ^C, and the hangup when its other side goes away.
#include "zoo.h"

#include <sys/ioctl.h>

static int master;

static void own_the_terminal(void)
{
	char name[128];
	int tty;

	need(ptsname_r(master, name, sizeof(name)), "ptsname");
	close(master); // else the hangup would wait for this copy, too
	need(setsid(), "setsid");
	tty = need(open(name, O_RDWR), "open the terminal");
	need(ioctl(tty, TIOCSCTTY, 0), "TIOCSCTTY");
	need(tcsetpgrp(tty, getpid()), "tcsetpgrp");
	ready();
	hold();
}

static void open_terminal(void)
{
	master = need(posix_openpt(O_RDWR | O_NOCTTY), "posix_openpt");
	need(grantpt(master), "grantpt");
	need(unlockpt(master), "unlockpt");
	victim = spawn("zoo-victim", own_the_terminal);
	await(1);
	say_start("victim_start_ticks", victim);
}

static void say_end(int sig)
{
	say_status("status", end_of(victim));
	say_int("victim", victim);
	say_int("signal", sig);
}

static void ctrl_c_run(char **argv)
{
	(void)argv;
	open_terminal();
	need(write(master, "\003", 1), "write ^C");
	say_end(SIGINT);
}

static void hangup_run(char **argv)
{
	(void)argv;
	open_terminal();
	close(master);
	say_end(SIGHUP);
}

const struct scenario tty_scenarios[] = {
	{"tty-ctrl-c", 0, ctrl_c_run},
	{"tty-hangup", 0, hangup_run},
	{},
};
