// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write makes a file with everything above it.
func write(t *testing.T, file, text string) {
	t.Helper()
	mkdir(t, filepath.Dir(file))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestMemoryFigures(t *testing.T) {
	tests := []struct {
		name  string
		v1    bool
		files map[string]string
		want  MemoryFigures
		fails bool
	}{
		{
			name: "v2",
			files: map[string]string{
				"memory.max": "33554432\n", "memory.current": "1048576\n", "memory.peak": "33554432\n",
				"memory.events":       "low 0\nhigh 0\nmax 17\noom 3\noom_kill 2\noom_group_kill 1\n",
				"memory.events.local": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\n",
				"memory.oom.group":    "1\n",
			},
			want: MemoryFigures{
				Limit: new(uint64(33554432)), Usage: new(uint64(1048576)), Peak: new(uint64(33554432)),
				OOMKills: new(uint64(2)), LocalOOMKills: new(uint64(1)), OOMGroup: new(true),
			},
		},
		{
			name:  "v2 without a limit, old kernel",
			files: map[string]string{"memory.max": "max\n", "memory.current": "0\n", "memory.oom.group": "0\n"},
			want:  MemoryFigures{Unlimited: true, Usage: new(uint64(0)), OOMGroup: new(false)},
		},
		{name: "v2 without the controller", files: map[string]string{"cgroup.procs": ""}},
		{
			name: "v1", v1: true,
			files: map[string]string{
				"memory.limit_in_bytes": "33554432\n", "memory.usage_in_bytes": "5\n",
				"memory.max_usage_in_bytes": "7\n",
				"memory.oom_control":        "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
			},
			want: MemoryFigures{
				Limit: new(uint64(33554432)), Usage: new(uint64(5)), Peak: new(uint64(7)),
				OOMKills: new(uint64(4)), LocalOOMKills: new(uint64(4)),
			},
		},
		{
			name: "v1 without a limit, before 4.13", v1: true,
			files: map[string]string{
				"memory.limit_in_bytes": "9223372036854771712\n",
				"memory.oom_control":    "oom_kill_disable 0\nunder_oom 0\n",
			},
			want: MemoryFigures{Unlimited: true},
		},
		{
			name:  "nonsense leaves the rest",
			files: map[string]string{"memory.max": "much\n", "memory.current": "9\n"},
			want:  MemoryFigures{Usage: new(uint64(9))}, fails: true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Mounts{Unified: t.TempDir()}
			if tt.v1 {
				m.Memory = m.Unified
			}
			for name, text := range tt.files {
				write(t, filepath.Join(m.Unified, "a/b", name), text)
			}
			got, err := m.MemoryFigures("/a/b")
			if (err != nil) != tt.fails {
				t.Fatalf("error %v, want one: %v", err, tt.fails)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("figures (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := (Mounts{Unified: t.TempDir()}).MemoryFigures("/gone"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such cgroup: got %v", err)
	}
}
