// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const complexityFile = "testdata/complexity.json"

// noteComplexity adds what the guests' verifiers counted to the figures that
// TestComplexity, in the group budget, compares with.
func noteComplexity(guests []*guest) error {
	all := map[string]map[string]map[string]int{}
	if err := readJSON(complexityFile, &all); err != nil {
		return err
	}
	for _, g := range guests {
		seen := map[string]map[string]map[string]int{}
		err := readJSON(filepath.Join(g.out, "complexity.json"), &seen)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the group budget was not run
		}
		if err != nil {
			return err
		}
		for object, programs := range seen {
			for program, kernels := range programs {
				for kernel, n := range kernels {
					if all[object] == nil {
						all[object] = map[string]map[string]int{}
					}
					if all[object][program] == nil {
						all[object][program] = map[string]int{}
					}
					all[object][program][kernel] = n
				}
			}
		}
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(complexityFile, append(b, '\n'), 0o644)
}

func readJSON(file string, into any) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
