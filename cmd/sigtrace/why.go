// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

const whyHelp = `why explains past deaths from the files that sigtrace agent has written: the
latest, or those of a pod, a container or a process, newest first. It warns about
gaps in those files. It also reads files that were copied from other nodes, and
merges those of many: --log-dir may be given several times, or name a directory
of directories.`

const whyExamples = `  sigtrace why                              # the latest death
  sigtrace why shop/web-0                   # of this pod; pod/web-0 in any namespace
  sigtrace why 3f2a9c                       # of containers whose ID starts with this prefix
  sigtrace why 7942                         # of this pid
  sigtrace why --cause cgroup_oom --since 24h --last 0
  sigtrace why -n shop --since "2026-11-25 14:00" -o json
  sigtrace why shop/web-0 --log-dir ./from-node-1 --log-dir ./from-node-2`

// pastFlags choose deaths of the past; why and report have them.
type pastFlags struct {
	logDirs      []string
	namespace    string
	container    string
	causes       causeFlag
	since, until string
	last         int
	utc          bool
}

func (f *pastFlags) register(c *cobra.Command, last int) {
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringSliceVar(&f.logDirs, "log-dir", []string{defaultLogDir}, "`directory` of the agent's files, or of such directories; repeatable")
	fs.StringVarP(&f.namespace, "namespace", "n", "", "deaths of this namespace")
	fs.StringVarP(&f.container, "container", "c", "", "deaths in containers of this `name`")
	f.causes.register(c, "deaths of these causes or groups of causes: cgroup_oom,crash; !exited leaves out")
	fs.StringVar(&f.since, "since", "", "not before this `time`: 2h, 3d, yesterday, \"2026-11-25 14:00\"")
	fs.StringVar(&f.until, "until", "", "not after this `time`")
	fs.IntVar(&f.last, "last", last, "the last `N` of them; 0 is all")
	fs.BoolVar(&f.utc, "utc", false, "times in UTC")
}

// query is what is asked for; now is what durations count back from.
func (f *pastFlags) query(now time.Time) (postmortem.Query, error) {
	if err := f.causes.validate(); err != nil {
		return postmortem.Query{}, err
	}
	if f.last < 0 {
		return postmortem.Query{}, usageError{errors.New("--last cannot be negative; 0 is all")}
	}
	q := postmortem.Query{BootID: proc.BootID(), Namespace: f.namespace, Container: f.container, Causes: f.causes.set(), Last: f.last}
	var err error
	if q.Since, err = parseTime(f.since, now); err != nil {
		return q, usageError{fmt.Errorf("--since: %w", err)}
	}
	if q.Until, err = parseTime(f.until, now); err != nil {
		return q, usageError{fmt.Errorf("--until: %w", err)}
	}
	if !q.Until.IsZero() && q.Until.Before(q.Since) {
		return q, usageError{errors.New("--until is before --since")}
	}
	return q, nil
}

type whyFlags struct {
	pastFlags
	format string
	color  colorFlag
	mask   bool
	full   bool
}

func newWhy() *cobra.Command {
	f := &whyFlags{}
	c := &cobra.Command{
		Use:     "why [TARGET]",
		Short:   "Explain past deaths from the agent's files",
		Long:    whyHelp,
		Example: whyExamples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{errors.New("why takes one target: pod/NAME, NS/NAME, a container id, a pid")}
			}
			return nil
		},
		RunE: f.run,
	}
	f.register(c, 0)
	fs := c.Flags()
	fs.Lookup("last").Usage = "the last `N` of them; 0 is all (default: 1 without a target or filter, else 10)"
	fs.StringVarP(&f.format, "output", "o", "text", "text, markdown or json")
	fs.BoolVar(&f.full, "full", false, "all that is known of each, and those that only went with another")
	f.color.register(c)
	fs.BoolVar(&f.mask, "mask-args", true, "show secrets in arguments as ***")
	complete(c, "output", []string{"text", "markdown", "json"})
	return c
}

func (f *whyFlags) run(c *cobra.Command, args []string) error {
	if !slices.Contains([]string{"text", "markdown", "json"}, f.format) {
		return usageError{fmt.Errorf("--output: no format %q: choose from text, markdown, json", f.format)}
	}
	now := time.Now()
	q, err := f.query(now)
	if err != nil {
		return err
	}
	if q.Target, err = postmortem.ParseTarget(strings.Join(args, "")); err != nil {
		return usageError{err}
	}
	if !c.Flags().Changed("last") {
		q.Last = defaultLast(q)
	}
	q.Fold = !f.full && f.format != "json"
	h, err := postmortem.Read(f.logDirs, q, now)
	if err != nil {
		return fmt.Errorf("why: %w", err)
	}
	out := bufio.NewWriter(c.OutOrStdout())
	if f.format == "json" {
		err = whyJSON(out, h, f.mask)
	} else {
		err = f.text(out, c.OutOrStdout(), h)
	}
	if err := errors.Join(err, out.Flush()); err != nil {
		return brokenPipe(err)
	}
	if len(h.Deaths) == 0 {
		return f.nothing(h, q)
	}
	return nil
}

// defaultLast is how many deaths are printed without --last: the latest, or enough to
// see a pattern.
func defaultLast(q postmortem.Query) int {
	if q.Target.String() == "" && !filtered(q) {
		return 1
	}
	return 10
}

// filtered: something besides a target narrows the query.
func filtered(q postmortem.Query) bool {
	return q.Namespace != "" || q.Container != "" || len(q.Causes) > 0 || !q.Since.IsZero() || !q.Until.IsZero()
}

// nothing is the error where no death fits; it has the time that the files cover.
func (f *whyFlags) nothing(h *postmortem.History, q postmortem.Query) error {
	what := "no death"
	if filtered(q) {
		what = "no matching death"
	}
	if t := q.Target.String(); t != "" {
		what += " of " + safetext.Quote(t)
	}
	if h.From.IsZero() {
		return errors.New(what + " recorded: the files are empty")
	}
	return fmt.Errorf("%s recorded on %s between %s and %s", what, nodeList(h.Nodes), f.stamp(h.From), f.stamp(h.Until))
}

// nodesMax is how many nodes a sentence names.
const nodesMax = 5

func nodeList(nodes []string) string {
	if len(nodes) > nodesMax {
		return fmt.Sprintf("%d nodes", len(nodes))
	}
	return safetext.Quote(strings.Join(nodes, ", "))
}

func (f *pastFlags) stamp(t time.Time) string {
	if f.utc {
		return t.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return t.Local().Format("2006-01-02 15:04:05 -0700")
}

func (f *whyFlags) text(out io.Writer, terminal io.Writer, h *postmortem.History) error {
	width, isTerminal := terminalWidth(terminal)
	o := output.Options{Color: f.color.wanted(isTerminal), UTC: f.utc, Width: width, MaskArgs: f.mask}
	for i, p := range h.Deaths {
		if i > 0 {
			fmt.Fprintf(out, "\n%s\n\n", strings.Repeat("─", 60))
		}
		if err := f.write(out, p, o); err != nil {
			return err
		}
	}
	if h.More > 0 {
		advice := "--last 0 shows all"
		if h.Beyond {
			advice = "too many to keep in memory; choose with --since, --until or a target"
		}
		fmt.Fprintf(out, "\n%d older deaths match too: %s\n", h.More, advice)
	}
	return f.gaps(out, h)
}

// write writes one death as it is asked for.
func (f *whyFlags) write(out io.Writer, p postmortem.Past, o output.Options) error {
	switch {
	case f.format == "markdown":
		return output.WriteMarkdown(out, p.Death, p.Before, p.With, o)
	case f.full:
		return output.WriteAccount(out, p.Death, p.Before, o)
	}
	return output.WriteBrief(out, p.Death, p.Before, p.With, o)
}

// gapsMax is how many gaps are printed one by one.
const gapsMax = 20

func (f *whyFlags) gaps(out io.Writer, h *postmortem.History) error {
	if len(h.Gaps) > 0 {
		fmt.Fprintln(out, "\ngaps in the files")
	}
	for i, g := range h.Gaps {
		if i == gapsMax {
			fmt.Fprintf(out, "    and %d more before (-o json has all)\n", len(h.Gaps)-i)
			break
		}
		fmt.Fprintf(out, "    %s\n", g.Text(f.stamp))
	}
	if h.BadLines > 0 {
		fmt.Fprintf(out, "\n%d lines of the files could not be read: after a crash, or in a partial copy\n", h.BadLines)
	}
	return nil
}

// gapEvent is a gap in why's JSON.
type gapEvent struct {
	Schema string    `json:"schema"`
	Type   string    `json:"type"`
	Time   time.Time `json:"time"`
	postmortem.Gap
}

// whyJSON writes the deaths as they are in the files, and the gaps behind them.
func whyJSON(out io.Writer, h *postmortem.History, mask bool) error {
	p, err := output.New("json", out, output.Options{MaskArgs: mask})
	if err != nil {
		return err
	}
	for _, past := range h.Deaths {
		if err := p.Print(past.Death); err != nil {
			return err
		}
	}
	if err := p.Close(); err != nil {
		return err
	}
	for _, g := range h.Gaps {
		if err := output.EncodeLine(out, gapEvent{event.Schema, "gap", g.Until, g}); err != nil {
			return err
		}
	}
	return nil
}
