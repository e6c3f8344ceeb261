// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/signal"
)

// Meaning is what one code or signal means.
type Meaning struct {
	Input string `json:"input"`
	// Code is the exit code as a shell or Kubernetes shows it, 0–255.
	Code int `json:"code"`
	// Folded says how a code out of range became this one; empty if it did not.
	Folded string `json:"folded,omitempty"`
	Signal string `json:"signal,omitempty"`
	// SignalNumber and DefaultAction (Term, Core, Ign, Stop, Cont) are of the
	// signal, as signal(7) names them.
	SignalNumber  int    `json:"signal_number,omitempty"`
	DefaultAction string `json:"default_action,omitempty"`
	// Name is the name that sysexits.h gives to the code.
	Name    string   `json:"name,omitempty"`
	Meaning string   `json:"meaning"`
	Causes  []string `json:"causes,omitempty"`
	LookAt  []string `json:"look_at,omitempty"`
}

// Of explains what people type: 137, -1, 256, SIGKILL, kill. A number is an
// exit code; 9 is one too, and its meaning names the signal of that number.
func Of(input string) (Meaning, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(input), 10, 64)
	if err != nil {
		sig, err := signal.Parse(input)
		if err != nil {
			return Meaning{}, fmt.Errorf("%q is no exit code, signal, cause or reason of Kubernetes: try 137, -1, SIGKILL, cgroup_oom or OOMKilled", input)
		}
		return bySignal(input, sig), nil
	}
	return byCode(input, n), nil
}

// Fold is what the kernel leaves of a number that a program exits with: the
// low eight bits.
func Fold(n int64) int { return int(((n % 256) + 256) % 256) }

func byCode(input string, n int64) Meaning {
	code := Fold(n)
	m := Meaning{Input: input, Code: code}
	if sig := code - 128; sig >= 1 && sig <= signal.Max {
		m = bySignal(input, sig)
		m.Meaning += "; a program can also call exit with this code"
	} else {
		c := codes()[code]
		m.Name, m.Meaning, m.Causes, m.LookAt = c.name, c.meaning, c.causes, c.lookAt
		if m.Meaning == "" {
			m.Meaning, m.LookAt = ownCode(code), []string{"the program's log and documentation"}
		}
	}
	if int64(code) != n {
		m.Folded = fmt.Sprintf("%d is out of range: the kernel keeps the low 8 bits, %d", n, code)
	}
	return m
}

func ownCode(code int) string {
	text := "the program ended by itself with a code of its own"
	if code >= 1 && code <= signal.Max {
		text += fmt.Sprintf(" (not signal %d: a death by that shows as %d)", code, 128+code)
	}
	return text
}

func bySignal(input string, n int) Meaning {
	m := Meaning{
		Input: input, Code: 128 + n, Signal: signal.Name(n), SignalNumber: n, DefaultAction: "Term",
		Meaning: fmt.Sprintf("ended by %s (signal %d, shown as 128 + %d)", signal.Name(n), n, n),
	}
	s, known := signals()[unix.Signal(n)]
	if !known { // a real-time signal
		m.LookAt = []string{past, live}
		return m
	}
	m.DefaultAction, m.Causes, m.LookAt = s.action, s.causes, s.lookAt
	if len(m.LookAt) == 0 {
		m.LookAt = []string{past, live}
	}
	switch s.action {
	case "Ign":
		m.Meaning = fmt.Sprintf("%s is ignored by default: no process dies of it", m.Signal)
	case "Stop":
		m.Meaning = fmt.Sprintf("%s stops a process: nothing dies of it", m.Signal)
	case "Cont":
		m.Meaning = fmt.Sprintf("%s lets a stopped process go on: nothing dies of it", m.Signal)
	}
	return m
}
