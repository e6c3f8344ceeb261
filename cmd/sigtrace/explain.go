// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sigtrace/sigtrace/internal/explain"
)

func newExplain() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "explain CODE|SIGNAL|CAUSE|REASON...",
		Short: "Explain an exit code, a signal, a cause or what Kubernetes reports",
		Example: `  sigtrace explain 137
  sigtrace explain cgroup_oom
  sigtrace explain OOMKilled CrashLoopBackOff
  sigtrace explain -1 256 SIGTERM
  sigtrace explain -o json 139`,
		// -1 is a code and no flag: flags are parsed below, without those.
		DisableFlagParsing: true,
	}
	c.Flags().StringVarP(&format, "output", "o", "table", "table or json")
	complete(c, "output", []string{"table", "json"})
	c.ValidArgs = toCompletions(explain.Names())
	c.RunE = func(c *cobra.Command, args []string) error {
		codes, err := explainArgs(c, args)
		if errors.Is(err, pflag.ErrHelp) {
			return c.Help()
		}
		if err != nil {
			return err
		}
		return explainAll(c.OutOrStdout(), format, codes)
	}
	return c
}

func isNegative(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n < 0
}

// explainArgs parts codes from flags: people type -1 without "--" before it.
func explainArgs(c *cobra.Command, args []string) ([]string, error) {
	var flags, codes []string
	for _, a := range args {
		if isNegative(a) {
			codes = append(codes, a)
		} else {
			flags = append(flags, a)
		}
	}
	if err := c.Flags().Parse(flags); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return nil, err
		}
		return nil, usageError{fmt.Errorf("%w (see sigtrace explain --help)", err)}
	}
	if help, err := c.Flags().GetBool("help"); err == nil && help {
		return nil, pflag.ErrHelp // cobra looks for it in flags that it has parsed itself
	}
	// In the order that they were typed in.
	rest := c.Flags().Args()
	codes = codes[:0]
	for _, a := range args {
		if isNegative(a) {
			codes = append(codes, a)
		} else if len(rest) > 0 && a == rest[0] {
			codes, rest = append(codes, a), rest[1:]
		}
	}
	if len(codes) == 0 {
		return nil, usageError{errors.New("explain needs an exit code, a signal, a cause or a reason: sigtrace explain 137")}
	}
	return codes, nil
}

func explainAll(w io.Writer, format string, codes []string) error {
	if format != "table" && format != "json" {
		return usageError{fmt.Errorf("--output: no format %q: choose from table, json", format)}
	}
	var all []explanation
	for _, code := range codes {
		e, err := explanationOf(code)
		if err != nil {
			return usageError{err}
		}
		all = append(all, e)
	}
	for _, e := range all {
		if err := e.write(w, format); err != nil {
			return brokenPipe(err)
		}
	}
	return nil
}

// explanation is that of a code or signal, or the page of a cause or reason.
type explanation struct {
	meaning explain.Meaning
	page    *explain.Page
}

func explanationOf(word string) (explanation, error) {
	if p, ok := explain.PageOf(word); ok {
		return explanation{page: &p}, nil
	}
	m, err := explain.Of(word)
	return explanation{meaning: m}, err
}

func (e explanation) write(w io.Writer, format string) error {
	switch {
	case e.page == nil:
		return explainOne(w, format, e.meaning)
	case format == "json":
		return json.NewEncoder(w).Encode(e.page)
	}
	_, err := io.WriteString(w, e.page.Plain())
	return err
}

func explainOne(w io.Writer, format string, m explain.Meaning) error {
	if format == "json" {
		return json.NewEncoder(w).Encode(m)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d", m.Code)
	switch {
	case m.Signal != "":
		fmt.Fprintf(&b, "  %s, default action %s", m.Signal, m.DefaultAction)
	case m.Name != "":
		fmt.Fprintf(&b, "  %s", m.Name)
	}
	fmt.Fprintf(&b, "\n  %s\n", m.Meaning)
	if m.Folded != "" {
		fmt.Fprintf(&b, "  %s\n", m.Folded)
	}
	list(&b, "usual causes", m.Causes)
	list(&b, "look at", m.LookAt)
	_, err := io.WriteString(w, b.String())
	return err
}

func list(b *strings.Builder, title string, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(b, "  %s:\n", title)
	for _, i := range items {
		fmt.Fprintf(b, "    - %s\n", i)
	}
}
