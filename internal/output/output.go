// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Printer prints events. It is not safe for concurrent use.
type Printer interface {
	Print(event.Event) error
	// Tick lets go of what was held back for folding.
	Tick(now time.Time) error
	// Flush writes out what is buffered.
	Flush() error
	// Close prints what is held back and flushes.
	Close() error
}

// Options are how to print.
type Options struct {
	Color   bool
	UTC     bool
	Headers bool
	// Width is the terminal's columns; 0 is no terminal: nothing is cut.
	Width    int
	MaskArgs bool
	// Now is the clock for folding; nil is time.Now.
	Now func() time.Time
}

// Formats lists what New knows.
func Formats() []string { return []string{"table", "wide", "json", "jsonpretty", "stap"} }

// New returns a printer for one of Formats.
func New(format string, w io.Writer, o Options) (Printer, error) {
	b := bufio.NewWriterSize(w, 64<<10)
	if o.Now == nil {
		o.Now = time.Now
	}
	switch format {
	case "json":
		return newJSON(b, o, ""), nil
	case "jsonpretty":
		return newJSON(b, o, "  "), nil
	case "stap":
		return &stapPrinter{w: b}, nil
	case "table", "wide":
		return newTable(b, o, format == "wide"), nil
	}
	return nil, fmt.Errorf("no output format %q", format)
}
