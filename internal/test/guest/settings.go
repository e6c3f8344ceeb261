// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// config is what a run was asked for.
type config struct {
	arch    string // as Debian and Go name it
	here    string // the folder with the tables and scripts
	work    string // initial RAM disks, removed in the end
	logs    string // consoles and what the guests hand out
	kernels []kernel
	pairs   []pair
	groups  []string
	jobs    int
	limit   time.Duration
	append  string
	update  bool
	cover   bool
	skips   []skip
	images  map[string]string // by kernel
	machine []string          // QEMU's program and what it emulates
}

func settings() (*config, error) {
	c := &config{images: map[string]string{}, arch: or(os.Getenv("ARCH"), runtime.GOARCH), here: "internal/test/guest", append: os.Getenv("APPEND"), update: os.Getenv("UPDATE") != "", cover: os.Getenv("COVER") != ""}
	all, err := readKernels(filepath.Join(c.here, "kernels"))
	if err != nil {
		return nil, fmt.Errorf("run from the top folder: %w", err)
	}
	if c.skips, err = readSkips(filepath.Join(c.here, "skips")); err != nil {
		return nil, err
	}
	if err := c.choosePairs(all); err != nil {
		return nil, err
	}
	if c.groups, err = chosen("GROUP", groupNames()); err != nil {
		return nil, err
	}
	if c.jobs, err = strconv.Atoi(or(os.Getenv("JOBS"), "2")); err != nil || c.jobs < 1 {
		return nil, fmt.Errorf("JOBS=%q is not a number of guests", os.Getenv("JOBS"))
	}
	if c.limit, err = time.ParseDuration(or(os.Getenv("LIMIT"), "50m")); err != nil {
		return nil, fmt.Errorf("LIMIT: %w", err)
	}
	if c.work, err = os.MkdirTemp("/var/tmp", "sigtrace-guest-"); err != nil {
		return nil, err
	}
	c.logs = or(os.Getenv("LOGS"), filepath.Join(c.work, "logs"))
	return c, os.MkdirAll(c.logs, 0o755)
}

// pair is a kernel in a cgroup mode.
type pair struct {
	kernel kernel
	mode   string
}

// choosePairs takes those that GUESTS names, or else each KERNEL in each CGROUP
// mode.
func (c *config) choosePairs(all []kernel) error {
	kernels, err := choose(all, words("KERNEL"))
	if err != nil {
		return err
	}
	modes, err := chosen("CGROUP", []string{"v2", "v1"})
	if err != nil {
		return err
	}
	for _, k := range kernels {
		for _, mode := range modes {
			named := words("GUESTS")
			if len(named) == 0 && (!k.floor() || mode == modes[0]) || slices.Contains(named, k.name+"-"+mode) {
				c.pairs = append(c.pairs, pair{k, mode})
				if !slices.Contains(c.kernels, k) {
					c.kernels = append(c.kernels, k)
				}
			}
		}
	}
	if len(c.pairs) == 0 {
		return errors.New("GUESTS names no kernel and mode, as 6.12-v2")
	}
	return nil
}

func (c *config) cleanUp() { _ = os.RemoveAll(c.work) }

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// words splits a variable at spaces and commas.
func words(name string) []string {
	return strings.FieldsFunc(os.Getenv(name), func(r rune) bool { return r == ' ' || r == ',' })
}

// chosen is what a variable names of all there is, all if it names nothing.
func chosen(variable string, all []string) ([]string, error) {
	named := words(variable)
	if len(named) == 0 {
		return all, nil
	}
	for _, n := range named {
		if !slices.Contains(all, n) {
			return nil, fmt.Errorf("%s: no %q: choose from %s", variable, n, strings.Join(all, " "))
		}
	}
	return named, nil
}

func choose(all []kernel, named []string) ([]kernel, error) {
	if len(named) == 0 {
		return all, nil
	}
	var list []kernel
	for _, n := range named {
		i := slices.IndexFunc(all, func(k kernel) bool { return k.name == n })
		if i < 0 {
			return nil, fmt.Errorf("KERNEL: no %q in the table of kernels", n)
		}
		list = append(list, all[i])
	}
	return list, nil
}
