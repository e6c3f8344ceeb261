// SPDX-License-Identifier: Apache-2.0
// The truth: one JSON object on one line.
#include "zoo.h"

static char line[16384];
static size_t used;

static void put(const char *text)
{
	size_t n = strlen(text);

	if (used + n >= sizeof(line))
		fail("the truth is too long");
	memcpy(line + used, text, n + 1);
	used += n;
}

static void key(const char *name)
{
	put(used ? ",\"" : "\"");
	put(name);
	put("\":");
}

static void put_int(long value)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "%ld", value);
	put(buf);
}

void say_int(const char *name, long value)
{
	key(name);
	put_int(value);
}

void say_str(const char *name, const char *value)
{
	char buf[8];

	key(name);
	put("\"");
	for (; *value; value++) {
		if ((unsigned char)*value < 0x20 || *value == '"' || *value == '\\')
			snprintf(buf, sizeof(buf), "\\u%04x", (unsigned char)*value);
		else
			snprintf(buf, sizeof(buf), "%c", *value);
		put(buf);
	}
	put("\"");
}

void say_pids(const char *name, const pid_t *pids, int n)
{
	key(name);
	put("[");
	for (int i = 0; i < n; i++) {
		if (i)
			put(",");
		put_int(pids[i]);
	}
	put("]");
}

void say_status(const char *name, int status)
{
	key(name);
	if (WIFSIGNALED(status)) {
		put("{\"signal\":");
		put_int(WTERMSIG(status));
		put(WCOREDUMP(status) ? ",\"core\":true}" : ",\"core\":false}");
		return;
	}
	put("{\"exit\":");
	put_int(WEXITSTATUS(status));
	put("}");
}

void say_start(const char *name, pid_t pid)
{
	char path[64], buf[2048], *p;
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return; // ended already: unknown
	buf[n] = 0;
	p = strrchr(buf, ')'); // the comm may hold anything; fields count from behind it
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p)
		say_int(name, atol(p + 1));
}

void say_all(const char *scenario)
{
	// One write: a torn line would be a lie.
	char out[sizeof(line) + 256];
	int n = snprintf(out, sizeof(out), "{\"scenario\":\"%s\",\"zoo\":%d%s%s}\n", scenario,
			 getpid(), used ? "," : "", line);

	need(write(1, out, n), "write the truth");
}
