// SPDX-License-Identifier: Apache-2.0

package kubeevent

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/sigtrace/sigtrace/internal/event"
)

func quiet() *Sink { return &Sink{o: Options{Node: "node-1"}} }

// TestWhich: whose deaths are reported, and where.
func TestWhich(t *testing.T) {
	inner := func(d *event.Death) *event.Death { *d.Process.Container.Init = false; return d }
	host := func(d *event.Death) *event.Death { d.Process.Container, d.Process.Pod = nil, nil; return d }
	unnamed := func(d *event.Death) *event.Death { d.Process.Pod.Name = ""; return d }
	for name, c := range map[string]struct {
		death *event.Death
		want  []string
	}{
		"a container's init":                  {death("d", event.CauseExecSession), []string{"Pod/web-0 SigtraceKill"}},
		"one that exited":                     {death("d", event.CauseExited), nil},
		"a shell's child, by the shell":       {inner(death("d", event.CauseSameContainer)), nil},
		"a child, out of memory":              {inner(death("d", event.CauseCgroupOOM)), []string{"Pod/web-0 SigtraceOOM"}},
		"a child, from the host":              {inner(death("d", event.CauseForeignProcess)), []string{"Pod/web-0 SigtraceKill"}},
		"one that went with its init":         {inner(death("d", event.CausePIDNamespaceEnded)), nil},
		"the host's own":                      {host(death("d", event.CauseForeignProcess)), nil},
		"the host's own, node out of memory":  {host(death("d", event.CauseSystemOOM)), []string{"Node/node-1 SigtraceSystemOOM"}},
		"a pod's, node out of memory":         {death("d", event.CauseSystemOOM), []string{"Pod/web-0 SigtraceSystemOOM", "Node/node-1 SigtraceSystemOOM"}},
		"a pod whose name is not known":       {unnamed(death("d", event.CauseForeignProcess)), nil},
		"a cause of a later version":          {death("d", "witchcraft"), []string{"Pod/web-0 SigtraceKill"}},
		"a deletion, which is nobody's fault": {death("d", event.CausePodDeleted), []string{"Pod/web-0 SigtraceStop"}},
		"a probe's":                           {death("d", event.CauseLivenessProbe), []string{"Pod/web-0 SigtraceProbe"}},
	} {
		var got []string
		for _, o := range quiet().objects(c.death) {
			got = append(got, o.InvolvedObject.Kind+"/"+o.InvolvedObject.Name+" "+o.Reason)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: told %v, want %v", name, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, pod := range []string{"web-0", strings.Repeat("a", 253), strings.Repeat("a", 235) + "-b"} {
		n := name(pod, "some id")
		if problems := validation.IsDNS1123Subdomain(n); len(problems) > 0 {
			t.Errorf("%q: %v", n, problems)
		}
		if n != name(pod, "some id") || n == name(pod, "another id") {
			t.Errorf("%q is not the death's", n)
		}
	}
}

func TestMessage(t *testing.T) {
	long := strings.Repeat("äöü", 400)
	if got := cut(long); len(got) > messageMax || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
		t.Errorf("%d bytes, valid %t", len(got), utf8.ValidString(got))
	}
	if got := cut("short"); got != "short" {
		t.Errorf("%q", got)
	}
}

// A message has the first piece of advice where a tenant may see it and it is short
// enough to be read in one line.
func TestMessageHasAdvice(t *testing.T) {
	safe := event.Advice{Text: "Raise the memory limit.", Because: "It held 60 MiB.", TenantSafe: true}
	host := event.Advice{Text: "Look at cleaner.service.", Because: "kill runs in cleaner.service."}
	for name, c := range map[string]struct {
		summary string
		advice  []event.Advice
		want    string
	}{
		"none":                   {"It died.", nil, "It died."},
		"one":                    {"It died.", []event.Advice{safe}, "It died. Raise the memory limit."},
		"of the host":            {"It died.", []event.Advice{host}, "It died."},
		"of the host first":      {"It died.", []event.Advice{host, safe}, "It died."},
		"the first of two":       {"It died.", []event.Advice{safe, host}, "It died. Raise the memory limit."},
		"as long as it may be":   {strings.Repeat("é", 276), []event.Advice{safe}, strings.Repeat("é", 276) + " Raise the memory limit."},
		"one character too long": {strings.Repeat("é", 277), []event.Advice{safe}, strings.Repeat("é", 277)},
	} {
		if got := message(&event.Death{TenantSummary: c.summary, Summary: "root's secrets", Advice: c.advice}); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
