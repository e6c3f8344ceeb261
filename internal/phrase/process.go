// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// commMax is the length of a comm (TASK_COMM_LEN without its NUL).
const commMax = 15

// Process is comm(pid), fit for a terminal.
func Process(p *event.Process) string {
	if p == nil {
		return "a process"
	}
	if !p.PIDKnown() {
		return cmp.Or(Container(p), "a process")
	}
	return fmt.Sprintf("%s(%d)", safetext.Quote(p.Comm), p.PID)
}

// Name names a process for a sentence: by its executable, and in parentheses by
// what it calls itself where that is something else. Anybody can choose a comm and
// a title; nobody who is not allowed to can choose an executable.
func Name(p *event.Process) string {
	if p == nil {
		return "a process"
	}
	if !p.PIDKnown() {
		return cmp.Or(Container(p), "a process")
	}
	program := Program(p)
	if self := callsItself(p, program); self != "" {
		return fmt.Sprintf("%s (calling itself %s, pid %d)", safetext.Quote(program), safetext.Quote(self), p.PID)
	}
	return fmt.Sprintf("%s (pid %d)", safetext.Quote(program), p.PID)
}

// Program is the base name of a process's executable, or its comm where that is
// not known. Of a program that has many names it is with the one that it was
// called by: "busybox sleep".
func Program(p *event.Process) string {
	exe := strings.TrimSuffix(p.Exe, " (deleted)")
	if exe == "" || exe == "/" {
		return p.Comm
	}
	base := path.Base(exe)
	if base == "busybox" || base == "toybox" || base == "coreutils" {
		if applet := calledBy(p); applet != "" && applet != base {
			return base + " " + applet
		}
	}
	return base
}

// calledBy is the base name of what a process was called by.
func calledBy(p *event.Process) string {
	if len(p.Args) == 0 || strings.ContainsAny(p.Args[0], " :") {
		return p.Comm
	}
	return strings.TrimPrefix(path.Base(p.Args[0]), "-")
}

// Untitled is a copy of a process that sentences name by its executable alone, where
// that is known, whatever it calls itself or was called.
func Untitled(p *event.Process) *event.Process {
	c := *p
	c.Args = nil
	if exe := strings.TrimSuffix(p.Exe, " (deleted)"); exe != "" && exe != "/" {
		c.Comm = path.Base(exe)
	}
	return &c
}

// titleMax is how many characters of a title a sentence can bear.
const titleMax = 48

// callsItself is the title or comm of a process where it names another program
// than the one it executes; a title is what stands in argv[0].
func callsItself(p *event.Process, program string) string {
	if p.Exe == "" {
		return "" // it is named by its comm
	}
	title := ""
	if len(p.Args) > 0 {
		title = safetext.Mask(p.Args[:1])[0]
	}
	if title != "" && !sameProgram(strings.TrimPrefix(path.Base(title), "-"), program) && !sameProgram(strings.TrimPrefix(title, "-"), program) {
		if r := []rune(title); len(r) > titleMax {
			title = string(r[:titleMax-1]) + "…"
		}
		return title
	}
	if p.Comm != "" && !sameProgram(p.Comm, program) {
		return p.Comm
	}
	return ""
}

// sameProgram reports whether two names are one program's: a comm is cut off,
// python3 is python3.11, sh is whichever shell is installed as that.
func sameProgram(name, program string) bool {
	if name == "sh" {
		switch program {
		case "dash", "bash", "mksh", "ksh", "zsh", "yash":
			return true
		}
	}
	if applet, ok := strings.CutPrefix(program, "busybox "); ok && (name == applet || len(name) >= commMax && strings.HasPrefix(applet, name)) {
		return true
	}
	if len(name) >= commMax && strings.HasPrefix(program, name) {
		return true
	}
	version, ok := strings.CutPrefix(program, name)
	return ok && name != "" && strings.Trim(version, "0123456789.-") == ""
}

// Subject is what ended, as its operator would call it, at the beginning of a
// sentence.
func Subject(p *event.Process) string {
	where := Container(p)
	switch {
	case where != "" && (proctree.IsInit(p) || !p.PIDKnown()):
		return strings.ToUpper(where[:1]) + where[1:]
	case where != "":
		return Name(p) + " in " + where
	case p.Unit != "":
		return Name(p) + " of " + safetext.Quote(p.Unit)
	}
	return Name(p)
}

// Container is "container app of shop/web-0", or "" on the host.
func Container(p *event.Process) string {
	pod := ""
	if p.Pod != nil && p.Pod.Name != "" {
		pod = safetext.Quote(p.Pod.Namespace + "/" + p.Pod.Name)
	}
	switch {
	case p.Container == nil && pod != "":
		return "pod " + pod
	case p.Container == nil:
		return ""
	case p.Container.Name != "" && pod != "":
		return "container " + safetext.Quote(p.Container.Name) + " of " + pod
	case p.Container.Name != "":
		return "container " + safetext.Quote(p.Container.Name)
	case pod != "":
		return "the sandbox of " + pod
	}
	return "container " + safetext.Quote(ShortID(p.Container.ID))
}

// ShortID is the beginning of a container's ID, as runtimes show it.
func ShortID(id string) string { return id[:min(len(id), 12)] }
