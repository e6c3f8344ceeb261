// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/signal"
)

var update = flag.Bool("update", false, "write docs/causes anew")

const directory = "../../docs/causes"

// docs/causes is what is generated, no more and no less.
func TestPagesAreGenerated(t *testing.T) {
	want := map[string]string{"README.md": Index()}
	for _, row := range event.CauseRows() {
		p, ok := PageOf(string(row.Cause))
		if !ok {
			t.Fatalf("the cause %s has no page", row.Cause)
		}
		want[filepath.Base(p.Doc)] = p.Markdown()
	}
	if *update {
		write(t, want)
	}
	files, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if want[f.Name()] == "" {
			t.Errorf("docs/causes/%s is nobody's page (-update removes it)", f.Name())
		}
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(directory, name))
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(text, string(got)); diff != "" {
			t.Errorf("docs/causes/%s is not what internal/explain has (-update writes it):\n%s", name, diff)
		}
	}
}

func write(t *testing.T, pages map[string]string) {
	t.Helper()
	if err := os.RemoveAll(directory); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Every cause and reason has a whole page: a new cause fails here until it has.
func TestEveryCauseHasAPage(t *testing.T) {
	for _, name := range Names() {
		p, ok := PageOf(name)
		if !ok || p.Means == "" || p.Known == "" || len(p.LookAt) == 0 || len(p.Change) == 0 || len(p.Related) == 0 {
			t.Errorf("%s has no page, or one with a hole: %+v", name, p)
		}
		for _, sentence := range append(append([]string{p.Means, p.Known}, p.LookAt...), p.Change...) {
			if !strings.HasSuffix(sentence, ".") || strings.Count(sentence, "`")%2 != 0 || strings.Contains(sentence, "  ") || strings.Contains(sentence, "%!") {
				t.Errorf("%s: no sentence: %q", name, sentence)
			}
		}
		for _, line := range strings.Split(p.Plain(), "\n") {
			if utf8.RuneCountInString(line) > plainWidth || strings.Contains(line, "`") {
				t.Errorf("%s: a line for the terminal is too long, or has marks: %q", name, line)
			}
		}
	}
	for cause := range causeTexts {
		if !slices.Contains(event.Causes(), cause) {
			t.Errorf("there is a page for %s, which is no cause", cause)
		}
	}
}

// What a page names as related has a page too.
func TestRelatedPages(t *testing.T) {
	for _, name := range Names() {
		p, _ := PageOf(name)
		for _, r := range p.Related {
			other, ok := PageOf(r)
			if !ok || other.Kind == p.Kind {
				t.Errorf("%s is related to %s, which has no page or one of the same kind", name, r)
			}
		}
	}
}

// A name has one meaning: no cause or reason is a signal or a code.
func TestPagesAreNoSignals(t *testing.T) {
	for _, name := range append(Reasons(), event.CauseWords()...) {
		if _, err := signal.Parse(name); err == nil {
			t.Errorf("%s is a signal too", name)
		}
	}
	for _, name := range []string{"oomkilled", "OOMKILLED", " CGROUP_OOM "} {
		if _, ok := PageOf(name); !ok {
			t.Errorf("%q is not found", name)
		}
	}
	for _, name := range []string{"", "oom", "137", "SIGKILL"} {
		if p, ok := PageOf(name); ok {
			t.Errorf("%q is the page %s", name, p.Name)
		}
	}
}

// The fields that pages name are in the contract.
func TestPagesNameFields(t *testing.T) {
	contract, err := os.ReadFile("../../docs/contract.md")
	if err != nil {
		t.Fatal(err)
	}
	field := regexp.MustCompile("`([a-z_]+(?:\\[\\])?(?:\\.[a-z_]+)+)`")
	found := 0
	for _, c := range event.Causes() {
		p, _ := PageOf(string(c))
		for _, m := range field.FindAllStringSubmatch(p.Markdown(), -1) {
			if strings.HasPrefix(m[1], "memory.") || strings.HasPrefix(m[1], "kernel.") || strings.HasPrefix(m[1], "vm.") {
				continue // a cgroup's file, a sysctl
			}
			if strings.HasPrefix(m[1], "security") {
				continue
			}
			found++
			for _, part := range strings.Split(strings.ReplaceAll(m[1], "[]", ""), ".") {
				if !strings.Contains(string(contract), "| `"+part+"` |") {
					t.Errorf("%s names the field %s, and the contract has no %s", c, m[1], part)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d fields were found", found)
	}
}
