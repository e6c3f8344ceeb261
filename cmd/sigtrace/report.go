// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/report"
	"github.com/sigtrace/sigtrace/internal/safefile"
)

type reportFlags struct {
	pastFlags
	file string
	mask bool
}

// reportDeaths is how many deaths a page has if nobody says: a browser bears
// more, a reader does not.
const reportDeaths = 1000

func newReport() *cobra.Command {
	f := &reportFlags{}
	c := &cobra.Command{
		Use:   "report",
		Short: "Write one HTML page about past deaths",
		Long: `report writes one HTML page from the agent's files: deaths over time, by cause,
namespace and actor, and each death with all that is known of it. The page loads
nothing from elsewhere.`,
		Example: `  sigtrace report -o deaths.html
  sigtrace report --since 24h -n shop > shop.html
  sigtrace report --log-dir ./from-all-nodes --utc -o cluster.html`,
		Args: noArgs,
		RunE: f.run,
	}
	f.register(c, reportDeaths)
	fs := c.Flags()
	fs.StringVarP(&f.file, "output", "o", "-", "write the page to this `file`; - is stdout")
	fs.BoolVar(&f.mask, "mask-args", true, "show secrets in arguments as ***")
	return c
}

func (f *reportFlags) run(c *cobra.Command, _ []string) error {
	now := time.Now()
	q, err := f.query(now)
	if err != nil {
		return err
	}
	if out, ok := c.OutOrStdout().(*os.File); ok && f.file == "-" && term.IsTerminal(int(out.Fd())) {
		return usageError{errors.New("report writes a page for a browser: sigtrace report -o deaths.html")}
	}
	h, err := postmortem.Read(f.logDirs, q, now)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	o := report.Options{Version: versionString(), Made: now, UTC: f.utc, MaskArgs: f.mask}
	if f.file == "-" {
		return brokenPipe(writePage(c.OutOrStdout(), h, o))
	}
	// What is in it is for root alone, as the files are.
	file, err := safefile.Create(f.file, 0o600)
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	if err := errors.Join(writePage(file, h, o), file.Close()); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	return nil
}

func writePage(w io.Writer, h *postmortem.History, o report.Options) error {
	b := bufio.NewWriter(w)
	return errors.Join(report.Write(b, h, o), b.Flush())
}
