// SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestConfiguration: each name in the agents' configuration files, and each
// variable that the DaemonSet sets, is a flag of `sigtrace agent`.
func TestConfiguration(t *testing.T) {
	flags := agentFlags(t)
	for _, file := range []string{"base/agent.yaml", "systemd/agent.yaml"} {
		var settings map[string]any
		readYAML(t, file, &settings)
		for name := range settings {
			if !flags[name] {
				t.Errorf("%s: the agent has no --%s", file, name)
			}
		}
		for _, m := range regexp.MustCompile(`(?m)^# ([a-z-]+):`).FindAllStringSubmatch(string(read(t, file)), -1) {
			if !flags[m[1]] {
				t.Errorf("%s: commented out: the agent has no --%s", file, m[1])
			}
		}
	}
	for _, overlay := range []string{leastPrivilege, privileged} {
		m := build(t, overlay)
		for _, e := range m.agent().Env {
			name, ours := strings.CutPrefix(e.Name, "SIGTRACE_")
			if flag := strings.ToLower(strings.ReplaceAll(name, "_", "-")); ours && !flags[flag] {
				t.Errorf("%s: %s is no flag of the agent", overlay, e.Name)
			}
		}
		if args := m.agent().Args; len(args) != 2 || args[0] != "agent" || !flags["config"] {
			t.Errorf("%s: %v", overlay, args)
		}
	}
}

// agentFlags asks the program itself.
func agentFlags(t *testing.T) map[string]bool {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "sigtrace")
	if out, err := exec.Command("go", "build", "-C", "..", "-o", binary, "./cmd/sigtrace").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	flags := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`).FindAllStringSubmatch(output(t, binary, "agent", "--help"), -1) {
		flags[m[1]] = true
	}
	return flags
}
