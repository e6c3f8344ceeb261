// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sigtrace/sigtrace/internal/event"
)

func ruleNamed(t *testing.T, name string) rule {
	t.Helper()
	i := slices.IndexFunc(rules, func(r rule) bool { return r.name == name })
	if i < 0 {
		t.Fatalf("there is no rule %s", name)
	}
	return rules[i]
}

// without is a death without the field that a path names, as a reader of its JSON
// would have it.
func without(t *testing.T, d *event.Death, path string) *event.Death {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(b, &tree); err != nil {
		t.Fatal(err)
	}
	if !cut(tree, strings.Split(path, ".")) {
		t.Fatalf("the record has no %s, on which the rule rests", path)
	}
	if b, err = json.Marshal(tree); err != nil {
		t.Fatal(err)
	}
	less := &event.Death{}
	if err := json.Unmarshal(b, less); err != nil {
		t.Fatal(err)
	}
	return less
}

func cut(tree any, path []string) (found bool) {
	switch node := tree.(type) {
	case []any:
		for _, item := range node {
			found = cut(item, path[1:]) || found
		}
	case map[string]any:
		if len(path) == 1 {
			_, found = node[path[0]]
			delete(node, path[0])
			return found
		}
		return cut(node[path[0]], path[1:])
	}
	return found
}

// Each rule speaks in its scenario, and is silent once the figure that it rests on is
// another one, in the nearest scenario that it is not about, and without any of the
// fields that it says it rests on.
func TestRules(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range cases {
		tested[c.rule] = true
		t.Run(c.rule, func(t *testing.T) {
			r := ruleNamed(t, c.rule)
			d := c.death()
			text, because := r.advise(d)
			if text == "" || because == "" {
				t.Fatalf("it does not speak: %q, %q", text, because)
			}
			if !strings.Contains(because, c.figure) {
				t.Errorf("it does not say what it rests on, %q: %q", c.figure, because)
			}
			for what, change := range map[string]func(*event.Death){"the altered figure": c.alter, "the other scenario": c.not} {
				d := c.death()
				change(d)
				if text, _ := r.advise(d); text != "" {
					t.Errorf("with %s it still says: %s", what, text)
				}
			}
			for _, path := range r.rests {
				if text, _ := r.advise(without(t, c.death(), path)); text != "" {
					t.Errorf("without %s it still says: %s", path, text)
				}
			}
			shown(t, c, text)
		})
	}
	for _, r := range rules {
		if !tested[r.name] {
			t.Errorf("the rule %s has no scenario", r.name)
		}
		if len(r.rests) == 0 {
			t.Errorf("the rule %s rests on nothing", r.name)
		}
	}
	if len(tested) < 25 {
		t.Errorf("there are %d rules only", len(tested))
	}
}

// shown: the record of the scenario has the advice, and what it has is fit to be read.
func shown(t *testing.T, c scenario, text string) {
	t.Helper()
	list := For(c.death())
	if len(list) == 0 || len(list) > most {
		t.Fatalf("%d pieces of advice", len(list))
	}
	if !slices.ContainsFunc(list, func(a event.Advice) bool { return a.Text == text }) {
		t.Errorf("the record does not have it: %+v", list)
	}
	for _, a := range list {
		if utf8.RuneCountInString(a.Text) > 160 {
			t.Errorf("too long to be read at once, %d characters: %s", utf8.RuneCountInString(a.Text), a.Text)
		}
		if !strings.HasSuffix(a.Text, ".") || !strings.HasSuffix(a.Because, ".") || strings.HasSuffix(a.Because, "..") {
			t.Errorf("no sentence: %q, %q", a.Text, a.Because)
		}
		if !strings.HasPrefix(a.Doc, "docs/causes/"+string(c.death().Cause)) {
			t.Errorf("the page %q is another cause's", a.Doc)
		}
		if c.hostOnly && a.Text == text && a.TenantSafe {
			t.Errorf("it names what a tenant may not see: %s", a.Text)
		}
	}
}

// A record without any figure to rest on has no advice.
func TestNoAdviceWithoutAFigure(t *testing.T) {
	for _, cause := range event.Causes() {
		d := &event.Death{Cause: cause, Process: &event.Process{PID: 7}}
		if list := For(d); len(list) > 0 {
			t.Errorf("%s: %+v", cause, list)
		}
	}
	if list := For(&event.Death{}); list != nil {
		t.Errorf("without a process: %+v", list)
	}
}

// Names of programs are others' text.
func TestAdviceIsQuoted(t *testing.T) {
	d := cases[slices.IndexFunc(cases, func(c scenario) bool { return c.rule == "oom_other_process" })].death()
	d.OOM.Tasks[0].Comm = "a\x1b[2J"
	for _, a := range For(d) {
		if strings.Contains(a.Text+a.Because, "\x1b") {
			t.Errorf("%q, %q", a.Text, a.Because)
		}
	}
}
