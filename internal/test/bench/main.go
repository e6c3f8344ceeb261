// SPDX-License-Identifier: Apache-2.0

// Command bench measures what sigtrace costs, each figure as a ratio of things
// measured in the same run on the same machine: against an empty program, and
// against libbpf-tools' sigsnoop and bpftrace. Nothing here is a test: figures
// are printed, with the budget beside them.
//
// It needs root, and says so.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

// measure is one part of the benchmark.
type measure struct {
	name string
	run  func(b *bench) error
}

func main() {
	sigtrace := flag.String("sigtrace", "./sigtrace", "the program to measure")
	only := flag.String("only", "", "only the measures whose names hold this word")
	flag.Parse()
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "bench: needs root")
		os.Exit(1)
	}
	b := &bench{sigtrace: *sigtrace}
	if err := b.prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	defer b.close()
	failed, ran := false, false
	for _, m := range []measure{
		{"dropped", dropped}, {"captured", captured}, {"start", start},
		{"rate", rate}, {"flood", flood}, {"verdict", verdicts}, {"idle", idle},
	} {
		if !strings.Contains(m.name, *only) {
			continue
		}
		ran = true
		if err := m.run(b); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", m.name, err)
			failed = true
		}
	}
	if !ran {
		fmt.Fprintf(os.Stderr, "bench: no measure's name holds %q\n", *only)
	}
	if failed || !ran {
		os.Exit(1)
	}
}

// figure prints one result with its budget.
func figure(what string, value, budget float64, unit string) {
	verdict := "within"
	if value > budget {
		verdict = "OVER"
	}
	fmt.Printf("%-58s %10.2f%-4s budget %.2f  %s\n", what, value, unit, budget, verdict)
}

func note(format string, args ...any) { fmt.Printf("    "+format+"\n", args...) }
