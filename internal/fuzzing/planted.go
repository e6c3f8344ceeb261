// SPDX-License-Identifier: Apache-2.0

//go:build plantedfault

package fuzzing

import (
	"fmt"
	"hash/fnv"
	"os"
	"regexp"
	"strings"
	"sync"
)

// rarity is how many different outcomes there are for each faulty one.
const rarity = 64

// The outcomes of the committed corpus are no fault, or nothing would have to be
// found. A run of the corpus alone writes them to the file that recordTo names; a
// run that looks for the fault reads them from the one that seedsFrom names.
const (
	recordTo  = "FUZZING_RECORD"
	seedsFrom = "FUZZING_SEEDS"
)

// pointers differ from run to run.
var pointers = regexp.MustCompile(`0x[0-9a-f]{9,}`)

var seeds = sync.OnceValue(func() string {
	text, err := os.ReadFile(os.Getenv(seedsFrom))
	if err != nil {
		panic(err)
	}
	return string(text)
})

// Outcome is what a fuzz target hands on of each input that it has taken through
// the code under test. In this build one new outcome in 64 is faulty. A target
// whose inputs all end in a parser's first error brings no new outcomes and does
// not find the fault; make fuzz PLANTED=1 reports such a target.
func Outcome(target string, outcome ...any) {
	h := fnv.New64a()
	fmt.Fprint(h, target)
	for _, o := range outcome {
		_, _ = h.Write(pointers.ReplaceAll(fmt.Appendf(nil, "|%+v", o), nil))
	}
	if h.Sum64()%rarity != 0 {
		return
	}
	sum := fmt.Sprintf("%016x\n", h.Sum64())
	if name := os.Getenv(recordTo); name != "" {
		record(name, sum)
	} else if !strings.Contains(seeds(), sum) {
		panic("planted fault")
	}
}

func record(name, sum string) {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if _, err := f.WriteString(sum); err != nil {
		panic(err)
	}
}
