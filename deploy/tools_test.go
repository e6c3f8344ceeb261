// SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// tool finds a program; it may be missing only where check-deploy, which installs
// it, did not start the test.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CHECK_DEPLOY") != "" {
			t.Fatal(err)
		}
		t.Skipf("no %s: make check-deploy installs it", name)
	}
	return path
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func TestPromtool(t *testing.T) {
	promtool := tool(t, "promtool")
	output(t, promtool, "check", "rules", "--lint-fatal", "monitoring/rules.yaml")
	output(t, promtool, "test", "rules", "monitoring/rules_test.yaml")
}

// maxExposure is what systemd-analyze security says of the unit, of 10. What is
// left of it: root, the five capabilities, and everybody's /proc.
const maxExposure = 4.0

func TestSystemdUnit(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	unit, err := os.ReadFile("systemd/sigtrace.service")
	if err != nil {
		t.Fatal(err)
	}
	// Its binary is not where the unit has it: any program will do.
	dir := t.TempDir()
	copied := filepath.Join(dir, "sigtrace.service")
	unit = bytes.ReplaceAll(unit, []byte("/usr/local/bin/sigtrace"), []byte("/bin/true"))
	if err := os.WriteFile(copied, unit, 0o644); err != nil {
		t.Fatal(err)
	}
	if out := output(t, analyze, "verify", "--man=no", copied); out != "" {
		t.Errorf("systemd-analyze verify: %s", out)
	}
	out := output(t, analyze, "security", "--offline=true", "--no-pager", copied)
	m := regexp.MustCompile(`Overall exposure level for sigtrace.service: ([0-9.]+)`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no exposure level in %s", out)
	}
	if level, _ := strconv.ParseFloat(m[1], 64); level > maxExposure {
		t.Errorf("exposure %s, more than %.1f:\n%s", m[1], maxExposure, out)
	}
}

// TestNothingHidden: what the unit must not take away from the agent.
func TestNothingHidden(t *testing.T) {
	unit, err := os.ReadFile("systemd/sigtrace.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, directive := range []string{"ProtectKernelTunables", "ProtectKernelLogs", "ProtectProc", "PrivatePIDs", "PrivateUsers", "PrivateDevices", "ProcSubset", "DynamicUser"} {
		if regexp.MustCompile(`(?m)^` + directive + `=(yes|true|1|invisible|ptraceable|noaccess|pid)`).Match(unit) {
			t.Errorf("%s hides kallsyms, /dev/kmsg or other processes", directive)
		}
	}
}
