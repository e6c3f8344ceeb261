// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"encoding/json"
	"testing"

	"github.com/sigtrace/sigtrace/internal/fuzzing"
)

// Whatever lies beside the pins, it is a record of this format or refused, and
// what is taken can be written again.
func FuzzPinRecord(f *testing.F) {
	r := pinRecord{
		Format: pinFormat, Version: "0.1.0", Layout: "5d41402abc4b2a76", Object: "7d793037a0760186", Config: "c4ca4238a0b92382", Generation: 2,
		Hooks: map[string]string{"signal_generate": "attached", "oom_kill_process(kprobe)": "not attached: no such file or directory"},
		Epoch: 7, Told: []Loss{{Count: 3}}, NotKept: 1, Seen: 121583388619,
	}
	text, err := json.Marshal(r)
	if err != nil {
		f.Fatal(err)
	}
	value := make([]byte, recordBytes)
	copy(value, text)
	f.Add(text, uint32(0), uint8(1))
	f.Add(value, uint32(0), uint8(1))
	f.Fuzz(func(t *testing.T, value []byte, n uint32, how uint8) {
		r, err := parseRecord(fuzzing.Alter(value, n, how))
		if err != nil {
			return
		}
		if r.Format != pinFormat {
			t.Errorf("format %q is taken", r.Format)
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		fuzzing.Outcome(f.Name(), string(again))
	})
}
