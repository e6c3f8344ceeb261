// SPDX-License-Identifier: Apache-2.0

// Command guest runs groups of tests in virtual machines, on every kernel of
// its table, and prints the matrix. It is steered by environment variables, as
// make passes them on:
//
//	ARCH=arm64         another architecture's guests, emulated
//	KERNEL="5.10 6.1"  the table's names; all by default
//	CGROUP="v2 v1"     cgroup modes
//	GUESTS="6.12-v2 …" these alone of them
//	GROUP=check,zoo    groups of tests; all by default
//	JOBS=2             guests at a time
//	LIMIT=25m          what one guest may take
//	LOGS=DIR           keeps the consoles and what the guests hand out
//	UPDATE=1           writes the golden files anew instead of comparing
//	COVER=1            prints what the guests covered of sigtrace
//	APPEND="…"         more words for the kernel's command line
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	ok, err := run(ctx)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(2)
	case !ok:
		os.Exit(1)
	}
}

// run boots the guests and judges them; false if any failed.
func run(ctx context.Context) (bool, error) {
	s, err := settings()
	if err != nil {
		return false, err
	}
	defer s.cleanUp()
	guests := s.plan()
	if err := s.prepare(ctx, guests); err != nil {
		return false, err
	}
	s.boot(ctx, guests)
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("interrupted: %w", err)
	}
	ok := s.judge(guests)
	printMatrix(os.Stdout, guests)
	if s.update {
		if err := noteComplexity(guests); err != nil {
			return false, err
		}
	}
	if s.cover {
		if err := printCoverage(ctx, os.Stdout, guests); err != nil {
			return false, err
		}
	}
	return ok, nil
}
