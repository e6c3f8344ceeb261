// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const fixtures = "../../testdata/cgroup"

func TestDetect(t *testing.T) {
	tests := []struct {
		fixture string
		// whole are the mounts that show a whole hierarchy.
		whole []string
		want  Mounts
	}{
		{"v2", []string{"sys/fs/cgroup"}, Mounts{Mode: ModeV2, Unified: "sys/fs/cgroup"}},
		{
			"hybrid",
			[]string{"sys/fs/cgroup/unified", "sys/fs/cgroup/memory", "sys/fs/cgroup/systemd"},
			Mounts{
				Mode: ModeHybrid, Unified: "sys/fs/cgroup/unified",
				Memory: "sys/fs/cgroup/memory", Systemd: "sys/fs/cgroup/systemd",
			},
		},
		{
			"v1",
			[]string{"sys/fs/cgroup/memory", "sys/fs/cgroup/systemd"},
			Mounts{Mode: ModeV1, Memory: "sys/fs/cgroup/memory", Systemd: "sys/fs/cgroup/systemd"},
		},
		{"container", []string{"host/sys/fs/cgroup"}, Mounts{Mode: ModeV2, Unified: "host/sys/fs/cgroup"}},
		{"container", nil, Mounts{Mode: ModeV2, Unified: "sys/fs/cgroup", Partial: true}},
		{
			"hostpid",
			[]string{"proc/1/root/sys/fs/cgroup"},
			Mounts{Mode: ModeV2, Unified: "proc/1/root/sys/fs/cgroup"},
		},
		{"hostpid", nil, Mounts{Mode: ModeV2, Unified: "sys/fs/cgroup", Partial: true}},
	}
	for _, tt := range tests {
		t.Run(tt.fixture, func(t *testing.T) {
			root := filepath.Join(fixtures, tt.fixture)
			d := detector{root: root, whole: func(dir string) bool {
				rel, err := filepath.Rel(root, dir)
				return err == nil && slices.Contains(tt.whole, rel)
			}}
			got, err := d.detect()
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range []*string{&got.Unified, &got.Memory, &got.Systemd} {
				*p = strings.TrimPrefix(*p, root+"/")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Mounts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDetectNothing(t *testing.T) {
	root := t.TempDir()
	if _, err := Detect(root); err == nil {
		t.Error("no mountinfo: want an error")
	}
	write(t, filepath.Join(root, "proc/self/mountinfo"), "22 1 254:1 / / rw shared:1 - ext4 /dev/vda1 rw\n")
	if _, err := Detect(root); !errors.Is(err, ErrNoCgroups) {
		t.Errorf("no cgroup mounts: got %v", err)
	}
}

func TestParseMountinfo(t *testing.T) {
	tests := []struct {
		name, text string
		want       []mount
		fails      bool
	}{
		{name: "empty"},
		{
			name: "escapes and optional fields",
			text: `1 2 0:3 / /a\040b\134c rw,relatime shared:1 master:2 - cgroup2 none rw`,
			want: []mount{{point: `/a b\c`, v2: true, options: []string{"rw"}}},
		},
		{
			name: "no source, as with mount -t cgroup ''",
			text: "1 2 0:3 / /m rw - cgroup  rw,memory",
			want: []mount{{point: "/m", options: []string{"rw", "memory"}}},
		},
		{name: "an unfinished escape stays", text: `1 2 0:3 / /a\04 rw - cgroup2 none rw`,
			want: []mount{{point: `/a\04`, v2: true, options: []string{"rw"}}}},
		{name: "torn line", text: "1 2 0:3 / /m", fails: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseMountinfo(strings.NewReader(tt.text))
			if (err != nil) != tt.fails {
				t.Fatalf("error %v, want one: %v", err, tt.fails)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(mount{})); diff != "" {
				t.Errorf("mounts (-want +got):\n%s", diff)
			}
		})
	}
}
