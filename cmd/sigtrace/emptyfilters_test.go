// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// An empty filter is refused, and not taken for none: with a variable that is not
// set, a script would watch the whole host.
func TestEmptyFiltersAreRefused(t *testing.T) {
	for _, line := range []string{
		"watch|--pod|", "|--pod|", "agent|--pod|", "watch|--namespace|", "watch|-c|", "watch|-l|", "watch|--container-id|",
		"watch|--cgroup|", "watch|--pid|0", "|-T|0", "watch|--sender-pid|0", "replay|x|--sender-comm|",
		"watch|--sender-comm|a-name-of-16-chr", "watch|-s|", "watch|--cause|", "watch|--type|",
		"why|-n|", "why|-c|", "why|--cause|", "report|-n|", "why|--cause|oomm", "watch|--cause|!nothing",
	} {
		args := strings.Split(strings.TrimPrefix(line, "|"), "|")
		var out, errs bytes.Buffer
		err := run(t.Context(), args, &out, &errs)
		if u := (usageError{}); !errors.As(err, &u) {
			t.Errorf("sigtrace %q: %v, want a usage error", args, err)
		}
	}
}

// Groups of causes and causes left out are taken.
func TestCauseGroupsAreTaken(t *testing.T) {
	for _, words := range []string{"oom", "crash,kubernetes", "!exited", "runtime,foreign,own,!timer"} {
		var out, errs bytes.Buffer
		err := run(t.Context(), []string{"why", "--log-dir", t.TempDir(), "--cause", words}, &out, &errs)
		if u := (usageError{}); errors.As(err, &u) {
			t.Errorf("--cause %s: %v", words, err)
		}
	}
}
