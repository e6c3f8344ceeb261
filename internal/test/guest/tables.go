// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"os"
	"path"
	"strings"
)

// kernel is a line of the table of kernels.
type kernel struct {
	name, suite string
	// image is the pattern of the package that holds the kernel.
	image string
	// cpus is how many an emulated guest gets.
	cpus string
	// runtimes are the cgroup modes that container runtimes work in with it.
	runtimes string
}

// floor: this kernel lacks what sigtrace needs, which is to be refused. It runs
// as a process: User Mode Linux.
func (k kernel) floor() bool { return k.name == "uml" }

func readKernels(file string) ([]kernel, error) {
	rows, err := readTable(file, 5)
	var list []kernel
	for _, r := range rows {
		list = append(list, kernel{name: r[0], suite: r[1], cpus: r[2], runtimes: r[3], image: r[4]})
	}
	return list, err
}

// skip is a line of the table of skips that are expected: where, which test
// and why. A * stands for anything.
type skip struct {
	kernel, mode, group, test string
	why                       string
}

func readSkips(file string) ([]skip, error) {
	rows, err := readTable(file, 5)
	var list []skip
	for _, r := range rows {
		list = append(list, skip{kernel: r[0], mode: r[1], group: r[2], test: r[3], why: strings.Join(r[4:], " ")})
	}
	return list, err
}

// here reports whether a line is about this guest's group; kernels may be a
// list, 5.10,6.1, or an architecture.
func (s skip) here(g *guest, group string) bool {
	return (among(s.kernel, g.kernel.name) || among(s.kernel, g.arch)) && among(s.mode, g.mode) && among(s.group, group)
}

func (s skip) covers(test string) bool {
	ok, err := path.Match(s.test, test)
	return err == nil && ok
}

func among(list, name string) bool {
	for part := range strings.SplitSeq(list, ",") {
		if part == "*" || part == name {
			return true
		}
	}
	return false
}

// readTable reads rows of at least so many words; # begins a comment.
func readTable(file string, least int) ([][]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var rows [][]string
	s := bufio.NewScanner(f)
	for line := 1; s.Scan(); line++ {
		text, _, _ := strings.Cut(s.Text(), "#")
		row := strings.Fields(text)
		if len(row) == 0 {
			continue
		}
		if len(row) < least {
			return nil, fmt.Errorf("%s:%d: %d words are not enough", file, line, len(row))
		}
		rows = append(rows, row)
	}
	return rows, s.Err()
}
