// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// mount is one cgroup or cgroup2 line of /proc/PID/mountinfo, see
// proc_pid_mountinfo(5).
type mount struct {
	// point is where it is mounted, in the mount namespace of PID.
	point string
	// v2 is set for cgroup2.
	v2 bool
	// options are the super options: for v1 they name the controllers.
	options []string
}

func (m mount) has(option string) bool {
	for _, o := range m.options {
		if o == option {
			return true
		}
	}
	return false
}

// parseMountinfo returns the cgroup mounts in the order of the file. Lines that
// do not look like mountinfo are an error: half a list would name a wrong mode.
func parseMountinfo(r io.Reader) ([]mount, error) {
	var mounts []mount
	s := bufio.NewScanner(r)
	// A line holds up to four paths and the options, each up to a page.
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		m, ok, err := parseMountinfoLine(s.Text())
		if err != nil {
			return nil, err
		}
		if ok {
			mounts = append(mounts, m)
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("read mountinfo: %w", err)
	}
	return mounts, nil
}

// parseMountinfoLine reads one line; ok is false for other file systems.
//
//	35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
func parseMountinfoLine(line string) (m mount, ok bool, err error) {
	// Nothing in front of the separator holds a blank: they are escaped.
	front, back, found := strings.Cut(line, " - ")
	fields, tail := strings.Fields(front), strings.Fields(back)
	if !found || len(fields) < 6 || len(tail) < 2 {
		return mount{}, false, fmt.Errorf("not a mountinfo line: %q", line)
	}
	fstype := tail[0]
	if fstype != "cgroup" && fstype != "cgroup2" {
		return mount{}, false, nil
	}
	return mount{
		point:   unescape(fields[4]),
		v2:      fstype == "cgroup2",
		options: strings.Split(tail[len(tail)-1], ","),
	}, true, nil
}

// unescape undoes mangle_path() of fs/seq_file.c: blank, tab, newline, '#' and
// backslash are written as a backslash and three octal digits.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
