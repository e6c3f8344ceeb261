// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	resultsFile = "internal/test/supervisors/results.json"
	pageFile    = "docs/supervisors.md"
)

// machine is what a result was made with.
type machine struct {
	Commit string `json:"commit"`
	Kernel string `json:"kernel"`
	Date   string `json:"date"`
}

// result is the last run of one act of a scenario, or of all runs of a case.
type result struct {
	Name     string `json:"name"`
	Act      string `json:"act"`
	Packages string `json:"packages,omitempty"`
	Version  string `json:"version,omitempty"`
	machine
	// Does is what was sent and who ended.
	Does string `json:"does,omitempty"`
	// Error is why it could not be run to its end, NotInstalled which program was
	// not there.
	Error        string    `json:"error,omitempty"`
	NotInstalled string    `json:"not_installed,omitempty"`
	Runs         int       `json:"runs,omitempty"`
	Condition    string    `json:"condition,omitempty"`
	Verdicts     []verdict `json:"verdicts,omitempty"`
}

// results are the last ones of each, by name and act.
type results struct {
	All []*result `json:"results"`
}

// thisMachine names the last commit that changed the product: the page itself and
// the tests do not.
func thisMachine() (machine, error) {
	git := func(args ...string) (string, error) {
		out, err := exec.Command("git", args...).Output()
		if err != nil {
			return "", fmt.Errorf("git %s: %w", strings.Join(args, " "), err)
		}
		return strings.TrimSpace(string(out)), nil
	}
	product := []string{"--", "bpf", "cmd", "internal", "go.mod", ":!internal/test"}
	commit, err := git(append([]string{"log", "-1", "--format=%h"}, product...)...)
	if err != nil {
		return machine{}, err
	}
	changed, err := git(append([]string{"status", "--porcelain"}, product...)...)
	if err != nil {
		return machine{}, err
	}
	if changed != "" {
		commit += "+"
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return machine{}, err
	}
	return machine{commit, unix.ByteSliceToString(u.Release[:]), time.Now().UTC().Format(time.DateOnly)}, nil
}

func readResults() (*results, error) {
	var r results
	b, err := os.ReadFile(resultsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return &r, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", resultsFile, err)
	}
	r.All = slices.DeleteFunc(r.All, func(r *result) bool { return !known(r) })
	return &r, nil
}

// known reports whether there still is a scenario with that act, or such a case.
func known(r *result) bool {
	if r.Name == "case" {
		return slices.ContainsFunc(cases(), func(c rulecase) bool { return c.name == r.Act })
	}
	return slices.ContainsFunc(scenarios(), func(s scenario) bool {
		return s.name == r.Name && slices.ContainsFunc(s.acts, func(a act) bool { return a.name == r.Act })
	})
}

func (rs *results) put(r *result) {
	i := slices.IndexFunc(rs.All, func(o *result) bool { return o.Name == r.Name && o.Act == r.Act })
	if i < 0 {
		rs.All = append(rs.All, r)
		return
	}
	rs.All[i] = r
}

func (rs *results) get(name, act string) *result {
	for _, r := range rs.All {
		if r.Name == name && r.Act == act {
			return r
		}
	}
	return nil
}

func (rs *results) write() error {
	b, err := json.MarshalIndent(rs, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(resultsFile, append(b, '\n'), 0o644)
}

// report prints a result and returns how many of its verdicts were not right.
func (r *result) report(verbose bool) int {
	fmt.Printf("%s/%s", r.Name, r.Act)
	switch {
	case r.NotInstalled != "":
		fmt.Printf(": not installed: %s\n", r.NotInstalled)
		return 0
	case r.Error != "":
		fmt.Printf(": FAILED: %s", r.Error)
	}
	fmt.Println()
	if verbose && r.Does != "" {
		fmt.Println("   ", r.Does)
	}
	bad := 0
	for _, v := range r.Verdicts {
		fmt.Printf("    %-12s %3d× %s: truth %q, said %s %s by %s %s\n", v.Outcome, v.Count, v.Role, v.Truth, v.Cause, v.Confidence, v.Actor, v.Summary)
		if v.Outcome != right {
			bad += v.Count
		}
	}
	return bad
}
