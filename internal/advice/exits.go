// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"fmt"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/signal"
)

var exitRules = []rule{
	{name: "exit_not_found", topic: topicExit, rests: []string{"exit.code"}, advise: ownExit(127, 127,
		"Check the command, PATH and the image: a program, its interpreter or a library was not found.")},
	{name: "exit_not_executable", topic: topicExit, rests: []string{"exit.code"}, advise: ownExit(126, 126,
		"Check the entrypoint's mode (chmod +x), its architecture and whether its mount has noexec.")},
	{name: "exit_wrapper", topic: topicExit, rests: []string{"exit.code"}, advise: ownExit(125, 125,
		"Read the log of the wrapper (docker run, timeout, env): it failed before it could start the command.")},
	{name: "exit_timeout", topic: topicExit, rests: []string{"exit.code"}, advise: ownExit(124, 124,
		"If timeout(1) runs it, raise that limit: it ends the command when its time is over.")},
	{name: "exit_passes_on", topic: topicExit, rests: []string{"exit.code"}, advise: passesOn},
	{name: "exit_sysexits", topic: topicExit, rests: []string{"exit.code"}, advise: sysexits},
	{name: "exit_usage", topic: topicExit, rests: []string{"exit.code"}, advise: ownExit(2, 2,
		"Read the end of its log for wrong arguments or, of a Go program, for a panic: both end so.")},
	{name: "exit_error", topic: topicExit, rests: []string{"exit.code"}, advise: ownExit(1, 123,
		"Read the end of its log: the code is the program's own, and no signal and no OOM kill came before it.")},
}

// ownExit advises where a process exited with one of these codes, and nobody had
// asked it to.
func ownExit(from, to int, text string) func(*event.Death) (string, string) {
	return func(d *event.Death) (string, string) {
		if !exitedWith(d, from, to) {
			return "", ""
		}
		if from < 124 && inPod(d.Process) && proctree.IsInit(d.Process) {
			return strings.Replace(text, "its log", "its log (kubectl logs --previous)", 1), exitText(d)
		}
		return text, exitText(d)
	}
}

func exitedWith(d *event.Death, from, to int) bool {
	return d.Cause == event.CauseExited && d.Exit.Signal == "" && d.Exit.Code >= from && d.Exit.Code <= to
}

func exitText(d *event.Death) string { return fmt.Sprintf("It exited with code %d.", d.Exit.Code) }

// passesOn: shells and inits exit with 128+n where a child of theirs died of
// signal n.
func passesOn(d *event.Death) (string, string) {
	n := d.Exit.Code - 128
	if !exitedWith(d, 129, 128+signal.Max) {
		return "", ""
	}
	return fmt.Sprintf("Look at the deaths of its children just before (sigtrace why --full): a shell or an init passes on %s of a child so.", signal.Name(n)),
		fmt.Sprintf("It exited with code %d of its own; %s did not end it.", d.Exit.Code, signal.Name(n))
}

// configured are the codes of sysexits.h for what the operator has to change.
var configured = map[int]string{
	64: "the command line", 66: "an input file", 67: "a user's name", 68: "a host's name",
	73: "an output file", 77: "a permission", 78: "the configuration",
}

func sysexits(d *event.Death) (string, string) {
	what := configured[d.Exit.Code]
	if what == "" || !exitedWith(d, 64, 78) {
		return "", ""
	}
	return "Check " + what + ": by sysexits.h the code means that this was wrong; the log says how.", exitText(d)
}
