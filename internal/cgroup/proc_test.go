// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sigtrace/sigtrace/internal/fuzzing"
)

func TestParseProc(t *testing.T) {
	tests := []struct {
		name, text string
		want       Paths
		primary    string
	}{
		{
			name: "v2", text: "0::/kubepods.slice/a.scope\n",
			want: Paths{Unified: "/kubepods.slice/a.scope"}, primary: "/kubepods.slice/a.scope",
		},
		{
			name: "hybrid",
			text: "9:name=systemd:/system.slice/x.service\n4:cpu,memory:/kubepods/podu/c\n1:cpuset:/\n0::/\n",
			want: Paths{
				Unified: "/", Memory: "/kubepods/podu/c", Systemd: "/system.slice/x.service",
			},
			primary: "/kubepods/podu/c",
		},
		{
			name: "colons in the path", text: "4:memory:/kubepods-podu.slice:cri-containerd:c\n",
			want:    Paths{Memory: "/kubepods-podu.slice:cri-containerd:c"},
			primary: "/kubepods-podu.slice:cri-containerd:c",
		},
		{
			name: "removed under a zombie", text: "0::/a/b (deleted)\n",
			want: Paths{Unified: "/a/b"}, primary: "/a/b",
		},
		{name: "empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseProc(strings.NewReader(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Paths (-want +got):\n%s", diff)
			}
			if got.Primary() != tt.primary {
				t.Errorf("Primary() = %q, want %q", got.Primary(), tt.primary)
			}
		})
	}
	if _, err := ParseProc(strings.NewReader("nonsense\n")); err == nil {
		t.Error("a line without colons: want an error")
	}
}

func FuzzParseProc(f *testing.F) {
	for _, seed := range []string{
		"0::/\n", "4:memory:/a\n0::/b (deleted)\n", "1:name=systemd:/\n", ":::", "0::\n", "\n\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseProc(strings.NewReader(text))
		if err != nil && p != (Paths{}) {
			t.Errorf("paths %+v along with error %v", p, err)
		}
		// Whatever a namespace root is, the outcome stays below "/".
		for _, q := range []string{p.Rebase(Paths{Unified: "/a/b"}).Unified, p.Rebase(Paths{}).Memory} {
			if q != "" && (q[0] != '/' || above(q)) {
				t.Errorf("rebased to %q", q)
			}
		}
		if err == nil {
			fuzzing.Outcome(f.Name(), p)
		}
	})
}

func TestRebase(t *testing.T) {
	tests := []struct{ root, path, want string }{
		{"", "/a", "/a"},
		{"/", "/a", "/a"},
		{"/kubepods/podu/c", "/", "/kubepods/podu/c"},
		{"/kubepods/podu/c", "/sub", "/kubepods/podu/c/sub"},
		{"/kubepods/podu/c", "/../other", "/kubepods/podu/other"},
		{"/kubepods/podu/c", "/../../../init.scope", "/init.scope"},
		{"/a", "/../../..", "/"},
		{"/a", "", ""},
	}
	for _, tt := range tests {
		if got := (Paths{Unified: tt.path}).Rebase(Paths{Unified: tt.root}).Unified; got != tt.want {
			t.Errorf("%q in a namespace rooted at %q: %q, want %q", tt.path, tt.root, got, tt.want)
		}
	}
}
