// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// printCoverage prints how much of each package the guests' sigtrace ran.
func printCoverage(ctx context.Context, w io.Writer, guests []*guest) error {
	var folders []string
	for _, g := range guests {
		folder := filepath.Join(g.out, "cover")
		if files, _ := os.ReadDir(folder); len(files) > 0 {
			folders = append(folders, folder)
		}
	}
	if len(folders) == 0 {
		return fmt.Errorf("no guest handed out coverage")
	}
	fmt.Fprintf(w, "\ncoverage of sigtrace in %d guests\n", len(folders))
	c := exec.CommandContext(ctx, "go", "tool", "covdata", "percent", "-i", strings.Join(folders, ","))
	c.Stdout, c.Stderr = w, os.Stderr
	return c.Run()
}
