// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
)

const (
	// entryMax bounds one entry, with its further lines.
	entryMax = 32 << 10
	// quarter is what time zones differ by.
	quarter = 15 * time.Minute
)

// LogParser turns the lines of a kubelet's log into facts. The zero value is
// ready.
type LogParser struct {
	// Zone is where kubelet's clock is set to at first; nil is UTC.
	Zone *time.Location
	// Live says that lines come as they are written: they show the zone better.
	Live bool

	entry strings.Builder // a text entry that goes on
	read  time.Time
	// shift is what live lines have reported of the zone, beyond Zone.
	shift time.Duration
	// said is whether it has been reported that the log is complete.
	said bool
}

// Line takes in one line, without its end; read is when it was read or, better,
// written. It returns the facts that are complete by it.
func (p *LogParser) Line(line string, read time.Time) []kubefact.Fact {
	if p.entry.Len() > 0 {
		if p.goesOn(line) {
			return nil
		}
		done := p.finish()
		return append(done, p.start(line, read)...)
	}
	return p.start(line, read)
}

// start begins an entry. Its text may go on below it: a value of several lines
// begins at the end of its first ("=<").
func (p *LogParser) start(line string, read time.Time) []kubefact.Fact {
	line = afterTag(line)
	p.read = read
	if r, ok := jsonRecord(line); ok {
		if r.time.IsZero() { // no ts, or one that cannot be: as for text
			r.time = read
		}
		return p.facts(r)
	}
	if _, _, ok := klogHeader(line); !ok || len(line) > entryMax {
		return nil
	}
	p.entry.WriteString(line)
	if strings.HasSuffix(line, "=<") {
		return nil
	}
	return p.finish()
}

// goesOn adds a further line; klog indents them with a tab, and ends the value
// with " >".
func (p *LogParser) goesOn(line string) bool {
	line = afterTag(line)
	if !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, " >") || p.entry.Len()+len(line) > entryMax {
		return false
	}
	p.entry.WriteByte('\n')
	p.entry.WriteString(line)
	return true
}

func (p *LogParser) finish() []kubefact.Fact {
	line := p.entry.String()
	p.entry.Reset()
	stamp, rest, ok := klogHeader(line)
	if !ok {
		return nil
	}
	message, values, ok := structured(rest)
	if !ok {
		return nil
	}
	return p.facts(record{time: p.at(stamp), message: message, values: values, verbosity: -1})
}

// Pending reports whether an entry waits for its further lines; Flush ends it.
func (p *LogParser) Pending() bool { return p.entry.Len() > 0 }

// Flush returns the facts of an entry that waits: nothing follows for now.
func (p *LogParser) Flush() []kubefact.Fact {
	if p.entry.Len() == 0 {
		return nil
	}
	return p.finish()
}

// at makes a time of klog's "0102 15:04:05.000000". It names neither year nor
// zone: kubelet's is the host's, which need not be ours.
func (p *LogParser) at(stamp string) time.Time {
	t, err := time.Parse("0102 15:04:05.000000", stamp)
	if err != nil {
		return p.read
	}
	zone := p.Zone
	if zone == nil {
		zone = time.UTC
	}
	ref := p.read.In(zone)
	t = time.Date(ref.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
	switch d := t.Sub(ref); {
	case d > 180*24*time.Hour:
		t = t.AddDate(-1, 0, 0) // read in January, written in December
	case d < -180*24*time.Hour:
		t = t.AddDate(1, 0, 0)
	}
	if p.Live {
		p.calibrate(t.Sub(ref))
	}
	return t.Add(-p.shift)
}

// calibrate takes the zone from a line that was read as it was written.
func (p *LogParser) calibrate(ahead time.Duration) {
	if off := ahead - p.shift; off > -quarter/2 && off < quarter/2 {
		return
	}
	if shift := ahead.Round(quarter); shift > -27*time.Hour && shift < 27*time.Hour {
		p.shift = shift
	}
}

// afterTag drops what syslog puts before a line: "… host kubelet[812]: ".
func afterTag(line string) string {
	if line == "" || strings.IndexByte("IWEF{\t ", line[0]) >= 0 {
		return line
	}
	before, rest, ok := strings.Cut(line, "]: ")
	if !ok {
		return line
	}
	tag := before[strings.LastIndexByte(before, ' ')+1:]
	for _, name := range []string{"kubelet[", "k3s[", "k3s-agent[", "rke2[", "kubelite["} {
		if strings.HasPrefix(tag, name) {
			return rest
		}
	}
	return line
}
