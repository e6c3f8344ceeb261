// SPDX-License-Identifier: Apache-2.0

// Command supervisors really runs supervisors and servers under one sigtrace,
// stops, crashes and reloads them, and holds the verdicts against what each
// scenario did itself. It writes docs/supervisors.md from results.json, where the
// last result of each scenario is kept with the commit that it was run with.
//
// It needs root and Debian's packages, and says so. It exits with 1 if a verdict was
// wrong.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
)

func main() {
	var o options
	flag.StringVar(&o.sigtrace, "sigtrace", "./sigtrace", "the program to test")
	flag.StringVar(&o.only, "only", "", "only the scenarios whose name/act match this regular expression")
	flag.IntVar(&o.repeat, "repeat", 20, "how often each case of the forwarder rule is run")
	flag.BoolVar(&o.page, "page", false, "run nothing, write the page from the results")
	flag.BoolVar(&o.all, "all", true, "watch with --all")
	flag.BoolVar(&o.verbose, "v", false, "print the timeline of every run")
	flag.StringVar(&o.keep, "keep", "", "keep the watch's events and the truth logs in this directory")
	root := flag.String("unpacked", "", "where the script unpack has unpacked packages")
	flag.Parse()
	if *root != "" {
		unpackedAt(*root)
	}
	if err := supervise(o); err != nil {
		fmt.Fprintln(os.Stderr, "supervisors:", err)
		os.Exit(1)
	}
}

type options struct {
	sigtrace, only, keep string
	repeat               int
	page, all, verbose   bool
}

// selects reports whether a scenario's act is to be run.
func (o options) selects(name string) bool {
	re, err := regexp.Compile("(?i)" + o.only)
	return err == nil && re.MatchString(name)
}

func supervise(o options) error {
	kept, err := readResults()
	if err != nil {
		return err
	}
	here, err := thisMachine()
	if err != nil {
		return err
	}
	var failed error
	if !o.page {
		failed = runAll(o, kept, here)
		if err := kept.write(); err != nil {
			return err
		}
	}
	if err := writePage(kept, here); err != nil {
		return err
	}
	return failed
}

func runAll(o options, kept *results, here machine) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("needs root")
	}
	b, err := newBed(o)
	if err != nil {
		return err
	}
	defer b.close()
	wrong := 0
	for _, s := range scenarios() {
		for _, a := range s.acts {
			if o.selects(s.name + "/" + a.name) {
				r := b.runScenario(s, a, here)
				wrong += r.report(o.verbose)
				kept.put(r)
			}
		}
	}
	for _, c := range cases() {
		if o.selects("case/" + c.name) {
			r := b.runCase(c, o.repeat, here)
			wrong += r.report(o.verbose)
			kept.put(r)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d wrong verdicts", wrong)
	}
	return nil
}
