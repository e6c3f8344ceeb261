// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"os"
	"testing"
	"time"
)

func TestOfThisProcess(t *testing.T) {
	before, err := CPUTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < 50*time.Millisecond; {
		_ = make([]byte, 1<<16)
	}
	after, err := CPUTime(os.Getpid())
	if err != nil || after <= before {
		t.Errorf("%v, then %v: %v", before, after, err)
	}
	if rss, err := RSSAnon(os.Getpid()); err != nil || rss <= 0 {
		t.Errorf("RssAnon %d KiB: %v", rss, err)
	}
}

func TestOfNoProcess(t *testing.T) {
	if _, err := CPUTime(-1); err == nil {
		t.Error("a process that is not there has used time")
	}
	if _, err := RSSAnon(-1); err == nil {
		t.Error("a process that is not there has memory")
	}
}
