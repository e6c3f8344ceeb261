// SPDX-License-Identifier: Apache-2.0

// Command sigtrace finds out who or what killed a process or a container, and why.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/tracer"
)

// dropsPrivileges is set in the program. Tests that run commands in their own
// process keep what they have.
var dropsPrivileges bool

func main() {
	dropsPrivileges = true
	ctx := context.Background()
	if watches(os.Args[1:]) {
		// The first Ctrl-C has it end well, the second at once. What only reads and
		// prints ends at the first.
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, unix.SIGTERM)
		context.AfterFunc(ctx, stop)
	}
	// A reader of stdout that goes away is an error of a write (brokenPipe), and no
	// signal. Not ignored: a child would inherit that.
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	os.Exit(exitCode(run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr))
}

// watches answers at first sight whether a command line will load programs.
func watches(args []string) bool {
	return len(args) == 0 || strings.HasPrefix(args[0], "-") || args[0] == "watch" || args[0] == "agent"
}

// run executes one command line.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	// Reading the kernel's types takes as long as all else that starting does: it
	// begins before the command line is understood.
	var types *tracer.Types
	if watches(args) {
		types = tracer.ReadTypes()
	}
	root := newRoot(types)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}

// usageError is the user's mistake: exit code 2.
type usageError struct{ err error }

func (u usageError) Error() string { return u.err.Error() }
func (u usageError) Unwrap() error { return u.err }

const (
	exitFailed = 1
	exitUsage  = 2
)

// exitCode prints what went wrong, one line, and returns the exit code.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "sigtrace:", oneLine(err))
	if u := (usageError{}); errors.As(err, &u) {
		return exitUsage
	}
	return exitFailed
}

// oneLine puts joined errors side by side, each once.
func oneLine(err error) string {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}
