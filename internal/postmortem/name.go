// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"strconv"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
)

const deathSuffix = ".log"

// A file name has at most 255 bytes; with these its parts stay below that.
const (
	partMax    = 63 // a namespace's and a container's names have no more
	podMax     = 56 // a pod's may have 253
	shortIDLen = 12
)

// deathName is the name of a death's file. All in it is other people's text.
func deathName(d *event.Death) string {
	at := d.Time.UTC().Format(stamp)
	p := d.Process
	if p == nil {
		return at + "_unknown_" + part(d.ID, partMax) + deathSuffix
	}
	pid := strconv.Itoa(p.PID)
	if p.Container == nil && p.Pod == nil {
		return strings.Join([]string{at, "host", part(p.Comm, partMax), pid}, "_") + deathSuffix
	}
	parts := []string{at, part(namespace(p), partMax), middle(podName(p), podMax), part(containerName(p), partMax), part(shortID(p, d.ID), shortIDLen)}
	if p.Container == nil || p.Container.Init == nil || !*p.Container.Init {
		// Others of the container may die in the same millisecond.
		parts = append(parts, part(p.Comm, partMax/4), pid)
	}
	return strings.Join(parts, "_") + deathSuffix
}

func namespace(p *event.Process) string {
	if p.Pod == nil {
		return "-"
	}
	return p.Pod.Namespace
}

func podName(p *event.Process) string {
	if p.Pod == nil {
		return "-"
	}
	if p.Pod.Name == "" {
		return p.Pod.UID
	}
	return p.Pod.Name
}

func containerName(p *event.Process) string {
	switch {
	case p.Container != nil && p.Container.Name != "":
		return p.Container.Name
	case p.Pod != nil:
		return "sandbox"
	}
	return "container"
}

func shortID(p *event.Process, otherwise string) string {
	if p.Container != nil && p.Container.ID != "" {
		return p.Container.ID
	}
	return otherwise
}

// middle is part for what both ends of report: a long name is cut between them.
func middle(s string, limit int) string {
	if len(s) > limit {
		half := (limit - 1) / 2
		s = s[:half] + "+" + s[len(s)-half:]
	}
	return part(s, limit)
}

// part makes a part of a file name of other people's text: what is neither a
// letter, a digit, nor one of .-+ becomes -, as does a dot in front; the
// underscore separates parts.
func part(s string, limit int) string {
	safe := []byte(s[:min(len(s), limit)])
	for i, c := range safe {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (c != '.' || i == 0) && c != '-' && c != '+' {
			safe[i] = '-'
		}
	}
	if len(safe) == 0 {
		return "-"
	}
	return string(safe)
}
