// SPDX-License-Identifier: Apache-2.0

package live

import (
	"os"
	"strings"
	"testing"
)

// Booted with lockdown=confidentiality, a kernel lets no BPF program read its
// memory: sigtrace says so.
func TestLockdownConfidentiality(t *testing.T) {
	inGuest(t)
	state, err := os.ReadFile("/sys/kernel/security/lockdown")
	if err != nil || !strings.Contains(string(state), "[confidentiality]") {
		t.Fatalf("this kernel is not locked down: %s %v", state, err)
	}
	refused(t, nil, "locked down for confidentiality", "lockdown=integrity")
}
