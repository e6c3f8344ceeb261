// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"testing"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proc"
)

func TestLastLookAtADeadProcessTellsLess(t *testing.T) {
	r := New(nil, proc.FS{}, nil, "node")
	app := event.Key{TGID: 10, Start: 100}
	shim := event.Node{Key: event.Key{TGID: 5, Start: 50}, Comm: "containerd-shim", Dead: true}
	top := event.Node{Key: event.Key{TGID: 1, Start: 1}, Comm: "init", Dead: true}
	r.Describe(&event.RawProc{Brief: event.Brief{Key: app}, Exe: "/bin/app", Args: []string{"app"}})
	r.Chain(&event.RawChain{Key: app, Lineage: true, Nodes: []event.Node{shim, top}})

	r.Describe(&event.RawProc{Brief: event.Brief{Key: app}})
	r.Chain(&event.RawChain{Key: app, Nodes: []event.Node{top}})
	r.Chain(&event.RawChain{Key: app, Lineage: true, Nodes: []event.Node{top}})

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
