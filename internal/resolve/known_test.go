// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"testing"

	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// What was looked at last counts: exe and args that are the process's own, whatever
// it was before its exec, and however alike its arguments are. Only where the memory
// is gone, and the last exec was given the same, does the fuller look stay.
func TestDescribedAgain(t *testing.T) {
	key := wire.Brief{Key: wire.Key{TGID: 10, Start: 100}}
	bash := &wire.Proc{Boottime: 10, Brief: key, Exe: "/usr/bin/bash", Args: []string{"bash", "-c", "a long script"}}
	for name, c := range map[string]struct {
		again *wire.Proc
		exe   string
		args  int
	}{
		"an exec with the same arguments":     {&wire.Proc{Boottime: 20, Exe: "/usr/bin/evil", Args: bash.Args, ProcFlags: wire.ProcSnapshot}, "/usr/bin/evil", 3},
		"an exec with none":                   {&wire.Proc{Boottime: 20, Exe: "/usr/bin/evil", ProcFlags: wire.ProcSnapshot | wire.ProcNoArgs}, "/usr/bin/evil", 0},
		"gone, and the same":                  {&wire.Proc{Boottime: 20, Exe: "/bin/bash", Given: true, Args: []string{"bash", "-c", "a long"}}, "/usr/bin/bash", 3},
		"gone, after an exec of another":      {&wire.Proc{Boottime: 20, Exe: "/usr/bin/evil", Given: true, Args: bash.Args}, "/usr/bin/evil", 3},
		"gone, after an exec with other args": {&wire.Proc{Boottime: 20, Exe: "/bin/bash", Given: true, Args: []string{"bash", "other"}}, "/bin/bash", 2},
		"the other lane, which lags":          {&wire.Proc{Boottime: 5, Exe: "/usr/bin/sh", Args: []string{"sh"}}, "/usr/bin/bash", 3},
	} {
		t.Run(name, func(t *testing.T) {
			r := New(nil, proc.FS{}, nil, "node")
			r.Describe(bash)
			c.again.Brief = key
			r.Describe(c.again)
			if k := r.memory.get(key.Key); k.exe != c.exe || len(k.args) != c.args {
				t.Errorf("exe %q, args %q; want %q and %d", k.exe, k.args, c.exe, c.args)
			}
		})
	}
}

func TestLastLookAtADeadProcessTellsLess(t *testing.T) {
	r := New(nil, proc.FS{}, nil, "node")
	app := wire.Key{TGID: 10, Start: 100}
	shim := wire.Node{Key: wire.Key{TGID: 5, Start: 50}, Comm: "containerd-shim", Dead: true}
	top := wire.Node{Key: wire.Key{TGID: 1, Start: 1}, Comm: "init", Dead: true}
	r.Describe(&wire.Proc{Brief: wire.Brief{Key: app}, Exe: "/bin/app", Args: []string{"app"}})
	r.Chain(&wire.Chain{Key: app, Lineage: true, Nodes: []wire.Node{shim, top}})

	r.Describe(&wire.Proc{Brief: wire.Brief{Key: app}})
	r.Chain(&wire.Chain{Key: app, Nodes: []wire.Node{top}})
	r.Chain(&wire.Chain{Key: app, Lineage: true, Nodes: []wire.Node{top}})

	k := r.memory.get(app)
	if k.exe != "/bin/app" || len(k.args) != 1 {
		t.Errorf("exe %q, args %q: the earlier ones are to stay", k.exe, k.args)
	}
	if len(k.lineage) != 2 || k.lineage[0].Key != shim.Key {
		t.Errorf("lineage %v: nobody is forked twice", k.lineage)
	}
	if len(k.present) != 1 || k.present[0].Key != top.Key {
		t.Errorf("present parents %v, want those of now", k.present)
	}
}
