// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sigtrace/sigtrace/docs"
)

// flagHeadings are the headings of the contract below which tables of flags
// stand.
var flagHeadings = []string{"Targets", "What is shown", "Sources", "Output and the run", "The agent"}

var flagText = regexp.MustCompile(`^(?:-(\w), )?--([a-z-]+)`)

// written is what the contract says of each flag, by command and name.
func written(t *testing.T) map[string]pflag.Flag {
	t.Helper()
	flags := map[string]pflag.Flag{}
	for _, heading := range flagHeadings {
		rows := docs.Table(heading)
		if len(rows) == 0 {
			t.Errorf("contract.md has no flags below the heading %q", heading)
		}
		for _, r := range rows {
			m := flagText.FindStringSubmatch(r.Names[0])
			if m == nil || len(r.Cells) != 4 {
				t.Fatalf("contract.md: no flag, commands, default and meaning: %q", r.Cells)
			}
			for _, c := range strings.Fields(r.Cells[1]) {
				if _, twice := flags[c+" --"+m[2]]; twice {
					t.Errorf("contract.md has %s --%s twice", c, m[2])
				}
				flags[c+" --"+m[2]] = pflag.Flag{Shorthand: m[1], DefValue: strings.Trim(r.Cells[2], "`")}
			}
		}
	}
	return flags
}

// defaultOf is a flag's default as the contract writes it: none where it is the
// type's zero.
func defaultOf(f *pflag.Flag) string {
	switch d := strings.Trim(f.DefValue, "[]"); d {
	case "false", "0", "0s":
		return ""
	default:
		return d
	}
}

func commands(t *testing.T) (root *cobra.Command, all map[string]*cobra.Command) {
	t.Helper()
	root = newRoot(nil)
	root.InitDefaultVersionFlag()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	all = map[string]*cobra.Command{}
	for _, c := range root.Commands() {
		c.InitDefaultHelpFlag()
		all[c.Name()] = c
	}
	return root, all
}

// The commands are those of the contract, and those that it plans are not there.
func TestContractCommands(t *testing.T) {
	_, all := commands(t)
	var page []string
	for _, r := range docs.Table("Commands") {
		page = append(page, r.Names[0])
	}
	for name := range all {
		if !slices.Contains(page, name) {
			t.Errorf("docs/contract.md does not have the command %s: describe it there", name)
		}
		if slices.Contains(docs.Planned("commands"), name) {
			t.Errorf("the command %s is there: in docs/contract.md it is not planned any more", name)
		}
	}
	for _, name := range page {
		if all[name] == nil {
			t.Errorf("docs/contract.md has the command %s, which is not there", name)
		}
	}
}

// Each flag of each command is in the contract with its short form and default,
// and each flag of the contract is there.
func TestContractFlags(t *testing.T) {
	root, all := commands(t)
	delete(all, "completion") // cobra's
	delete(all, "help")
	page := written(t)
	for name, c := range all {
		c.Flags().VisitAll(func(f *pflag.Flag) { checkFlag(t, page, name, f) })
	}
	// Without a command it is watch; what watch has not is its own.
	root.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && all["watch"].Flags().Lookup(f.Name) == nil {
			checkFlag(t, page, "sigtrace", f)
		}
	})
	all["watch"].Flags().VisitAll(func(f *pflag.Flag) {
		if root.Flags().Lookup(f.Name) == nil && f.Name != "help" {
			t.Errorf("sigtrace without a command has no --%s, watch has", f.Name)
		}
	})
	for missing := range page {
		t.Errorf("docs/contract.md has %s, which is not there", missing)
	}
}

// checkFlag compares a flag with the contract's, and takes that off the page.
func checkFlag(t *testing.T, page map[string]pflag.Flag, command string, f *pflag.Flag) {
	t.Helper()
	if f.Hidden {
		return
	}
	key := command + " --" + f.Name
	want, ok := page[key]
	delete(page, key)
	switch {
	case !ok:
		t.Errorf("docs/contract.md does not have %s: describe it there", key)
	case want.Shorthand != f.Shorthand || want.DefValue != defaultOf(f):
		t.Errorf("%s: short form %q, default %q; docs/contract.md says %q, %q", key, f.Shorthand, defaultOf(f), want.Shorthand, want.DefValue)
	}
	if slices.Contains(docs.Planned("flags of `"+command+"`"), "--"+f.Name) {
		t.Errorf("%s is there: in docs/contract.md it is not planned any more", key)
	}
}

// The exit codes are the contract's.
func TestContractExitCodes(t *testing.T) {
	var page []string
	for _, r := range docs.Table("Exit codes") {
		page = append(page, r.Names[0])
	}
	if want := []string{"0", "1", "2"}; !slices.Equal(page, want) || exitFailed != 1 || exitUsage != 2 {
		t.Errorf("docs/contract.md has the exit codes %v, the code 0, %d, %d", page, exitFailed, exitUsage)
	}
}
