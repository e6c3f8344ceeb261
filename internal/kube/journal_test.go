// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// journalctl's own form, by a stand-in for it: what it is asked, that it is
// started again when it ends, and that an entry's time is the journal's.
func TestJournal(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	line := strings.TrimSuffix(killLine(1), "\n")
	entry := fmt.Sprintf(`{"MESSAGE":%q,"__REALTIME_TIMESTAMP":"%d"}`, line, now.UnixMicro())
	script := fmt.Sprintf("#!/bin/sh\necho \"$@\" >> %[1]s/asked\ncat <<'E'\n%[2]s\nE\n[ -e %[1]s/again ] && exec sleep 60\n: > %[1]s/again\necho 'journal is gone' >&2\nexit 1\n", dir, entry)
	command := filepath.Join(dir, "journalctl")
	if err := os.WriteFile(command, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	j := NewJournal(time.UTC)
	j.command = command
	reported := follow(t, j)
	next(t, reported, kubefact.Available)
	expectPod(t, reported, 1)
	if f := next(t, reported, kubefact.Unavailable); !strings.Contains(f.Text, "journal is gone") {
		t.Errorf("%+v", f)
	}
	next(t, reported, kubefact.Available)
	expectPod(t, reported, 1)
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	if err != nil || !strings.Contains(string(asked), "--unit=kubelet.service") || !strings.Contains(string(asked), "--follow") {
		t.Errorf("%s %v", asked, err)
	}
}

func TestJournalThatIsNotThere(t *testing.T) {
	j := NewJournal(time.UTC)
	j.command = filepath.Join(t.TempDir(), "journalctl")
	if f := next(t, follow(t, j), kubefact.Unavailable); !strings.Contains(f.Text, "--kubelet-log") {
		t.Errorf("%+v", f)
	}
}
