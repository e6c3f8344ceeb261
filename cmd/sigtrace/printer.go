// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sigtrace/sigtrace/internal/output"
)

// printer makes the output; now is the clock that folding goes by.
func (f *formFlags) printer(w io.Writer, now func() time.Time) (output.Printer, error) {
	width, terminal := terminalWidth(w)
	return output.New(f.format, w, output.Options{
		Color: f.color.wanted(terminal), UTC: f.utc, Headers: !f.noHeaders,
		Width: width, MaskArgs: f.maskArgs, Now: now,
	})
}

// colorFlag is always, never, or auto: where a terminal shows it.
type colorFlag string

func colorChoices() []string { return []string{"auto", "always", "never"} }

func (f *colorFlag) register(c *cobra.Command) {
	c.Flags().StringVar((*string)(f), "color", "auto", "auto, always or never")
	complete(c, "color", colorChoices())
}

func (f colorFlag) validate() error {
	if !slices.Contains(colorChoices(), string(f)) {
		return usageError{fmt.Errorf("--color: %q is none of auto, always, never", string(f))}
	}
	return nil
}

// wanted honours NO_COLOR (no-color.org) unless colours are asked for.
func (f colorFlag) wanted(terminal bool) bool {
	switch f {
	case "always":
		return true
	case "never":
		return false
	}
	return terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// terminalWidth returns the columns of a terminal, 0 for anything else.
func terminalWidth(w io.Writer) (int, bool) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 80, true
	}
	return width, true
}
