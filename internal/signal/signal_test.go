// SPDX-License-Identifier: Apache-2.0

package signal

import "testing"

func TestParse(t *testing.T) {
	for in, want := range map[string]int{
		"9": 9, "KILL": 9, "SIGTERM": 15, "hup": 1, "sigusr1": 10, "RTMIN": 34, "SIGRTMIN+3": 37, "rtmax": 64, "POLL": 29, "IOT": 6,
	} {
		if got, err := Parse(in); got != want || err != nil {
			t.Errorf("Parse(%q) = %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "0", "65", "-1", "SIGNONE", "9x"} {
		if got, err := Parse(in); err == nil {
			t.Errorf("Parse(%q) = %d, want an error", in, got)
		}
	}
}

func TestNamesParse(t *testing.T) {
	for n := 1; n <= Max; n++ {
		if got, err := Parse(Name(n)); got != n || err != nil {
			t.Errorf("Parse(Name(%d)) = %d, %v", n, got, err)
		}
	}
}

func TestParseSet(t *testing.T) {
	if got, err := ParseSet("9,SIGTERM"); got != 1<<8|1<<14 || err != nil {
		t.Errorf("got %#x, %v", got, err)
	}
	if got, err := ParseSet(""); got != ^uint64(0) || err != nil {
		t.Errorf("empty: got %#x, %v", got, err)
	}
}
