// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/sigtrace/sigtrace/internal/output"
)

// printer makes the output; now is the clock that folding goes by.
func (f *watchFlags) printer(w io.Writer, now func() time.Time) (output.Printer, error) {
	width, terminal := terminalWidth(w)
	return output.New(f.format, w, output.Options{
		Color: f.coloured(terminal), UTC: f.utc, Headers: !f.noHeaders,
		Width: width, MaskArgs: f.maskArgs, Now: now,
	})
}

// coloured honours NO_COLOR (no-color.org) unless colours are asked for.
func (f *watchFlags) coloured(terminal bool) bool {
	switch f.color {
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
