// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// result is what one group of tests gave in one guest.
type result struct {
	group            string
	begun            bool
	code             int // -1 if it did not end
	pass, fail, skip int
	skipped          []skippedTest
	console          []string
	// problems make it a failure; notes are only printed.
	problems, notes []string
	release         string
}

type skippedTest struct{ name, why string }

func (r *result) failed() bool { return len(r.problems) > 0 }

var (
	groupLine = regexp.MustCompile(`^=== group (\S+)$`)
	endLine   = regexp.MustCompile(`^=== ended (\S+) (\d+)$`)
	testLine  = regexp.MustCompile(`^ *--- (PASS|FAIL|SKIP): (\S+) `)
	logLine   = regexp.MustCompile(`^ +\S+_test\.go:\d+: (.*)`)
	release   = regexp.MustCompile(`^=== kernel (\S+)$`)
)

// results reads a console; every group that was to run has a result.
func results(g *guest) ([]*result, error) {
	f, err := os.Open(g.console)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := parser{all: map[string]*result{}}
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		p.line(strings.TrimRight(s.Text(), "\r"))
	}
	var list []*result
	for _, name := range g.groups {
		r := p.result(name)
		r.release = p.release
		if !r.begun {
			r.console = p.outside
		}
		list = append(list, r)
	}
	return list, s.Err()
}

type parser struct {
	all     map[string]*result
	now     *result
	said    string   // the last line that the running test logged
	outside []string // lines outside of any group
	release string
}

func (p *parser) result(name string) *result {
	r := p.all[name]
	if r == nil {
		r = &result{group: name, code: -1}
		p.all[name] = r
	}
	return r
}

func (p *parser) line(text string) {
	if m := groupLine.FindStringSubmatch(text); m != nil {
		p.now = p.result(m[1])
		p.now.begun = true
		return
	}
	if m := release.FindStringSubmatch(text); m != nil {
		p.release = m[1]
	}
	if p.now == nil {
		p.outside = append(p.outside, text)
		return
	}
	if m := endLine.FindStringSubmatch(text); m != nil && m[1] == p.now.group {
		p.now.code, _ = strconv.Atoi(m[2])
		p.now = nil
		return
	}
	p.now.console = append(p.now.console, text)
	p.test(text)
}

func (p *parser) test(text string) {
	if m := logLine.FindStringSubmatch(text); m != nil {
		p.said = m[1]
		return
	}
	m := testLine.FindStringSubmatch(text)
	if m == nil {
		return
	}
	switch m[1] {
	case "PASS":
		p.now.pass++
	case "FAIL":
		p.now.fail++
	case "SKIP":
		p.now.skip++
		p.now.skipped = append(p.now.skipped, skippedTest{m[2], p.said})
	}
	p.said = ""
}
