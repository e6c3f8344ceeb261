// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// tail is how many lines of a failed group's console are shown.
const tail = 60

// printMatrix prints the result of each kernel, cgroup mode and group, why tests
// were skipped, and the end of the console where something failed.
func printMatrix(w io.Writer, guests []*guest) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "ARCH\tKERNEL\tCGROUP\tGROUP\tRESULT\tPASS\tFAIL\tSKIP\tRELEASE")
	var pass, fail, skip, failed int
	for _, g := range byKernel(guests) {
		for _, r := range g.results {
			outcome := "ok"
			if r.failed() {
				outcome = "FAILED"
				failed++
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", g.arch, g.kernel.name, g.mode, r.group, outcome, r.pass, r.fail, r.skip, r.release)
			pass, fail, skip = pass+r.pass, fail+r.fail, skip+r.skip
		}
	}
	_ = tw.Flush()
	printSkips(w, guests)
	for _, g := range guests {
		for _, r := range g.results {
			r.explain(w, g)
		}
	}
	fmt.Fprintf(w, "\n%d guests, %d groups failed\n%d passed, %d failed, %d skipped\n", len(guests), failed, pass, fail, skip)
}

func byKernel(guests []*guest) []*guest {
	order := map[string]int{}
	for _, g := range guests {
		if _, seen := order[g.kernel.name]; !seen {
			order[g.kernel.name] = len(order)
		}
	}
	sorted := slices.Clone(guests)
	slices.SortStableFunc(sorted, func(a, b *guest) int {
		if a.kernel.name != b.kernel.name {
			return order[a.kernel.name] - order[b.kernel.name]
		}
		return strings.Compare(b.mode, a.mode)
	})
	return sorted
}

// printSkips lists each skipped test once, with where it was skipped.
func printSkips(w io.Writer, guests []*guest) {
	where := map[skippedTest][]string{}
	var list []skippedTest
	for _, g := range byKernel(guests) {
		for _, r := range g.results {
			for _, s := range r.skipped {
				if where[s] == nil {
					list = append(list, s)
				}
				where[s] = append(where[s], g.kernel.name+" "+g.mode)
			}
		}
	}
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(w, "\nskipped, as expected unless reported below")
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, s := range list {
		fmt.Fprintf(tw, "  %s\t%s\ton %s\n", s.name, s.why, strings.Join(where[s], ", "))
	}
	_ = tw.Flush()
}

// explain prints what is wrong with a group, with the end of its console.
func (r *result) explain(w io.Writer, g *guest) {
	for _, n := range r.notes {
		fmt.Fprintf(w, "%s %s: note: %s\n", g.name(), r.group, n)
	}
	if !r.failed() {
		return
	}
	fmt.Fprintf(w, "\n%s %s FAILED\n", g.name(), r.group)
	for _, p := range r.problems {
		fmt.Fprintf(w, "  %s\n", p)
	}
	lines := slices.DeleteFunc(slices.Clone(r.console), func(l string) bool {
		return strings.HasPrefix(l, "=== RUN") || strings.HasPrefix(strings.TrimSpace(l), "--- PASS")
	})
	for _, l := range lines[max(0, len(lines)-tail):] {
		fmt.Fprintf(w, "  | %s\n", l)
	}
}
