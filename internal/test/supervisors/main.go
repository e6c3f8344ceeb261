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
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	var o options
	flag.StringVar(&o.sigtrace, "sigtrace", "./sigtrace", "the program to test")
	flag.StringVar(&o.only, "only", "", "only the scenarios whose name/act match this regular expression")
	flag.IntVar(&o.repeat, "repeat", 20, "how often each case of the forwarder rule is run")
	flag.BoolVar(&o.page, "page", false, "run nothing, write the page from the results")
	flag.BoolVar(&o.dry, "dry", false, "run the scenarios without sigtrace, to try them out; nothing is kept")
	flag.BoolVar(&o.verbose, "v", false, "print the timeline of every run")
	flag.StringVar(&o.keep, "keep", "", "keep the watch's events and the truth logs in this directory")
	flag.IntVar(&o.parallel, "parallel", 3, "how many acts and cases are run at the same time")
	flag.DurationVar(&o.budget, "budget", time.Hour, "begin no more of them after this time")
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
	page, verbose        bool
	dry                  bool
	parallel             int
	budget               time.Duration
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
	}
	if o.dry {
		return failed
	}
	if err := writePage(kept, here); err != nil {
		return err
	}
	return failed
}

// job is one act of a scenario, or a case.
type job func(b *bed) *result

func jobs(o options, here machine) []job {
	var all []job
	for _, c := range cases() {
		if o.selects("case/" + c.name) {
			all = append(all, func(b *bed) *result { return b.runCase(c, o.repeat, here) })
		}
	}
	for _, s := range scenarios() {
		for _, a := range s.acts {
			if o.selects(s.name + "/" + a.name) {
				all = append(all, func(b *bed) *result { return b.runScenario(s, a, here) })
			}
		}
	}
	return all
}

func runAll(o options, kept *results, here machine) error {
	if os.Geteuid() != 0 {
		return errors.New("needs root")
	}
	b, err := newBed(o)
	if err != nil {
		return err
	}
	defer b.close()
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGTERM, unix.SIGINT)
	go func() {
		<-ended
		b.close()
		os.Exit(1)
	}()
	wrong, skipped, err := b.runJobs(jobs(o, here), o, kept)
	switch {
	case err != nil:
		return err
	case wrong > 0:
		return fmt.Errorf("%d wrong verdicts", wrong)
	case skipped > 0:
		return fmt.Errorf("%d acts and cases were left out after %v", skipped, o.budget)
	}
	return nil
}

// runJobs runs several at a time; each result is kept at once. Once the budget is
// spent it begins no more.
func (b *bed) runJobs(all []job, o options, kept *results) (wrong, skipped int, err error) {
	var mu sync.Mutex
	var group sync.WaitGroup
	free := make(chan struct{}, max(o.parallel, 1))
	began := time.Now()
	for _, j := range all {
		free <- struct{}{}
		if time.Since(began) > o.budget {
			<-free
			skipped++
			continue
		}
		group.Go(func() {
			defer func() { <-free }()
			r := j(b)
			mu.Lock()
			defer mu.Unlock()
			wrong += r.report(o.verbose)
			if o.dry {
				return
			}
			kept.put(r)
			if e := kept.write(); e != nil {
				err = e
			}
		})
	}
	group.Wait()
	return wrong, skipped, err
}
