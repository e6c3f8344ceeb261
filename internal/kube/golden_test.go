// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

var update = flag.Bool("update", false, "write the golden facts anew")

// The lines of testdata/kubelet-log were written by internal/test/kubeletlog with
// the klog, and the JSON ones with the component-base, of each minor release;
// their messages and keys are those of its kubelet's sources.
func TestGoldenLogs(t *testing.T) {
	files, _ := filepath.Glob("../../testdata/kubelet-log/1.*.log")
	more, _ := filepath.Glob("../../testdata/kubelet-log/1.*.json")
	if len(files) != 12 || len(more) == 0 {
		t.Fatalf("%d text logs, %d JSON ones", len(files), len(more))
	}
	for _, file := range append(files, more...) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			got := factLines(t, file)
			golden := file + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Every release says the same: what differs is how it is written.
func TestReleasesAgree(t *testing.T) {
	want := ""
	for minor := 25; minor <= 36; minor++ {
		got := factLines(t, fmt.Sprintf("../../testdata/kubelet-log/1.%d.log", minor))
		got = strings.ReplaceAll(got, " for kube-system/critical", "") // since 1.35
		if want == "" {
			want = got
		}
		if diff := cmp.Diff(untimed(want), untimed(got)); diff != "" {
			t.Errorf("1.%d: %s", minor, diff)
		}
	}
}

func untimed(lines string) string {
	var list []string
	for line := range strings.Lines(lines) {
		_, rest, _ := strings.Cut(line, " ")
		list = append(list, rest)
	}
	return strings.Join(list, "")
}

func factLines(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var p LogParser
	var b strings.Builder
	read := time.Date(2026, 11, 25, 20, 0, 0, 0, time.UTC)
	for s := bufio.NewScanner(f); s.Scan(); {
		writeFacts(&b, p.Line(s.Text(), read))
	}
	writeFacts(&b, p.Flush())
	return b.String()
}

func writeFacts(b *strings.Builder, facts []kubefact.Fact) {
	for _, f := range facts {
		grace := ""
		if f.GraceSeconds != nil {
			grace = fmt.Sprintf(" grace=%d", *f.GraceSeconds)
		}
		fmt.Fprintf(b, "%s %s %s/%s %s id=%.12s uid=%.8s probe=%s/%d after=%t%s complete=%t: %s\n", f.Time.UTC().Format("15:04:05.000000"), f.Kind,
			f.Namespace, f.Pod, f.Container, f.ContainerID, f.UID, f.Probe, f.Failed, f.After, grace, f.Complete, f.Text)
	}
}
