// SPDX-License-Identifier: Apache-2.0

package main

// A case is one thing that the forwarder rule must get right again and again: where
// it must name who asked first (positive), and where it must not (negative).
type rulecase struct {
	name, what string
	negative   bool
	needs      []string
	// together is how many runs may go on at the same time.
	together int
	run      func(r *run) error
}

func cases() []rulecase { return nil }

func (b *bed) runCase(c rulecase, repeat int, here machine) *result { return &result{} }
