// SPDX-License-Identifier: Apache-2.0

// Command gen writes the JSON schema of sigtrace's output to stdout, made from
// the Go types of internal/event and the descriptions of docs/contract.md. It is
// a module of its own, so that the product does not depend on what it needs.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func write() error {
	s, err := generate(false)
	if err != nil {
		return err
	}
	b, err := text(s)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(b)
	return err
}
