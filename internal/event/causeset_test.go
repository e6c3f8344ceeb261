// SPDX-License-Identifier: Apache-2.0

package event

import (
	"strings"
	"testing"
)

const later Cause = "cause_of_a_later_version"

func TestParseCauses(t *testing.T) {
	for words, want := range map[string]struct{ in, out string }{
		"":                         {"cgroup_oom exited unknown " + string(later), ""},
		"cgroup_oom":               {"cgroup_oom", "system_oom exited " + string(later)},
		"cgroup_oom,exited":        {"cgroup_oom exited", "system_oom"},
		"oom":                      {"cgroup_oom system_oom userspace_oom", "exited evicted " + string(later)},
		"oom,crash":                {"cgroup_oom kernel_fault self_signal", "exited"},
		"kubernetes":               {"evicted liveness_probe", "runtime_stop"},
		"runtime":                  {"runtime_stop service_manager", "evicted"},
		"foreign":                  {"foreign_process exec_session", "exited"},
		"own":                      {"exited timer", "unknown"},
		"unknown":                  {"unknown", "exited"},
		"!exited":                  {"cgroup_oom unknown " + string(later), "exited"},
		"!own,!pod_deleted":        {"cgroup_oom evicted " + string(later), "exited timer pod_deleted"},
		"oom,!userspace_oom":       {"cgroup_oom system_oom", "userspace_oom exited " + string(later)},
		"!userspace_oom,oom":       {"cgroup_oom system_oom", "userspace_oom exited"},
		"oom,!oom":                 {"", "cgroup_oom exited unknown " + string(later)},
		"!kubernetes,pod_finished": {"", "pod_finished evicted cgroup_oom"}, // the group has it
	} {
		var list []string
		if words != "" {
			list = strings.Split(words, ",")
		}
		s, err := ParseCauses(list)
		if err != nil {
			t.Errorf("%s: %v", words, err)
		}
		for _, c := range strings.Fields(want.in) {
			if !s.Has(Cause(c)) {
				t.Errorf("--cause %q leaves out %s", words, c)
			}
		}
		for _, c := range strings.Fields(want.out) {
			if s.Has(Cause(c)) {
				t.Errorf("--cause %q has %s", words, c)
			}
		}
	}
	for _, bad := range []string{"", "!", "oomm", "!exitedd", "oom ", "!!oom"} {
		if s, err := ParseCauses([]string{"oom", bad}); err == nil {
			t.Errorf("%q is taken: %v", bad, s)
		}
	}
}

// A word of --cause means one thing.
func TestCauseWords(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range CauseWords() {
		if seen[w] || len(causesNamed(w)) == 0 {
			t.Errorf("%q stands twice, or for nothing", w)
		}
		seen[w] = true
	}
	for _, g := range []CauseGroup{GroupOOM, GroupKubernetes, GroupRuntime, GroupForeign, GroupCrash, GroupOwn} {
		if !seen[string(g)] {
			t.Errorf("--cause does not take the group %s", g)
		}
	}
}
