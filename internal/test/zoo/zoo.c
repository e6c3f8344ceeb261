// SPDX-License-Identifier: Apache-2.0
// zoo SCENARIO [ARG…]; `zoo list` names them all.
#include "zoo.h"

static const struct scenario *const houses[] = {
	send_scenarios,	   group_scenarios,  debug_scenarios,	made_scenarios,	  tty_scenarios,
	limit_scenarios,   fault_scenarios,  oom_scenarios,	killer_scenarios, lineage_scenarios,
	outcome_scenarios, compat_scenarios, handled_scenarios,
};

static const struct scenario *find(const char *name)
{
	for (size_t h = 0; h < sizeof(houses) / sizeof(houses[0]); h++)
		for (const struct scenario *s = houses[h]; s->name; s++)
			if (!strcmp(s->name, name))
				return s;
	return NULL;
}

static void list(void)
{
	for (size_t h = 0; h < sizeof(houses) / sizeof(houses[0]); h++)
		for (const struct scenario *s = houses[h]; s->name; s++)
			if (s->name[0] != '_')
				printf("%s\n", s->name);
}

int main(int argc, char **argv)
{
	const struct scenario *s;

	if (argc == 2 && !strcmp(argv[1], "list")) {
		list();
		return 0;
	}
	s = argc > 1 ? find(argv[1]) : NULL;
	if (!s || argc - 2 < s->args) {
		fprintf(stderr, "usage: zoo SCENARIO [ARG...]; zoo list names them\n");
		return 2;
	}
	stage_open();
	s->run(argv + 2);
	say_all(s->name);
	return 0;
}
