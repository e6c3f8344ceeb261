// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// MemoryFigures are the memory figures of one cgroup, in bytes. What the kernel
// does not report is nil.
type MemoryFigures struct {
	// Limit is memory.max or memory.limit_in_bytes; nil if there is none.
	Limit *uint64
	// Unlimited is true where the kernel said that there is no limit.
	Unlimited bool
	Usage     *uint64
	// Peak is the highest usage ever: memory.peak (since Linux 5.19) or
	// memory.max_usage_in_bytes.
	Peak *uint64
	// OOMKills counts processes killed by the OOM killer: in this cgroup and
	// below on v2 (memory.events), in this cgroup alone on v1
	// (memory.oom_control, since Linux 4.13).
	OOMKills *uint64
	// LocalOOMKills counts those in this cgroup alone (v2:
	// memory.events.local, since Linux 5.2).
	LocalOOMKills *uint64
	// OOMGroup is memory.oom.group: an OOM kill takes the whole cgroup. v2 only.
	OOMGroup *bool
}

// MemoryFigures reads the figures of the cgroup cgPath, in the hierarchy that
// has the memory controller. The error wraps fs.ErrNotExist if there is no such
// cgroup; a file that is missing in an existing one leaves its figure nil.
//
// The stat readers of containerd/cgroups are of no use here: they give 0 for a
// file that is not there and the largest number for "max", and fail as a whole
// when the cgroup lacks one file.
func (m Mounts) MemoryFigures(cgPath string) (MemoryFigures, error) {
	h := m.Primary()
	dir := m.Dir(h, cgPath)
	if _, err := m.ID(h, cgPath); err != nil {
		return MemoryFigures{}, fmt.Errorf("memory figures: %w", err)
	}
	if h == Memory {
		return figuresV1(dir)
	}
	return figuresV2(dir)
}

func figuresV2(dir string) (MemoryFigures, error) {
	r := figureReader{dir: dir}
	var f MemoryFigures
	f.Limit, f.Unlimited = r.limit("memory.max")
	f.Usage = r.number("memory.current")
	f.Peak = r.number("memory.peak")
	f.OOMKills = r.field("memory.events", "oom_kill")
	f.LocalOOMKills = r.field("memory.events.local", "oom_kill")
	if group := r.number("memory.oom.group"); group != nil {
		on := *group != 0
		f.OOMGroup = &on
	}
	return f, r.err
}

func figuresV1(dir string) (MemoryFigures, error) {
	r := figureReader{dir: dir}
	var f MemoryFigures
	f.Limit, f.Unlimited = r.limit("memory.limit_in_bytes")
	f.Usage = r.number("memory.usage_in_bytes")
	f.Peak = r.number("memory.max_usage_in_bytes")
	f.OOMKills = r.field("memory.oom_control", "oom_kill")
	f.LocalOOMKills = f.OOMKills
	return f, r.err
}

// figureReader reads small files of one directory and keeps the first error
// that is not just a missing file.
type figureReader struct {
	dir string
	err error
}

func (r *figureReader) read(file string) (string, bool) {
	b, err := os.ReadFile(filepath.Join(r.dir, file))
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) && r.err == nil {
			r.err = fmt.Errorf("memory figures: %w", err)
		}
		return "", false
	}
	return string(bytes.TrimSpace(b)), true
}

func (r *figureReader) parse(file, text string) *uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		if r.err == nil {
			r.err = fmt.Errorf("memory figures: %s: %w", file, err)
		}
		return nil
	}
	return &n
}

func (r *figureReader) number(file string) *uint64 {
	text, ok := r.read(file)
	if !ok {
		return nil
	}
	return r.parse(file, text)
}

// v1Unlimited is what v1 shows for no limit at the least: PAGE_COUNTER_MAX
// pages, LONG_MAX rounded down to a page of up to 64 KiB.
const v1Unlimited = (1<<63 - 1) &^ (1<<16 - 1)

func (r *figureReader) limit(file string) (bytes *uint64, unlimited bool) {
	text, ok := r.read(file)
	if !ok {
		return nil, false
	}
	if text == "max" {
		return nil, true
	}
	n := r.parse(file, text)
	if n != nil && *n >= v1Unlimited {
		return nil, true
	}
	return n, false
}

// field reads one "name number" line of a file of such lines.
func (r *figureReader) field(file, name string) *uint64 {
	text, ok := r.read(file)
	if !ok {
		return nil
	}
	for line := range strings.Lines(text) {
		if k, v, _ := strings.Cut(strings.TrimSpace(line), " "); k == name {
			return r.parse(file, v)
		}
	}
	return nil
}
