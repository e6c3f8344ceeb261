// SPDX-License-Identifier: Apache-2.0

package live

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain runs no test without root, and makes that visible: go test then prints
// "[no tests to run]" for the package, where tests that skip themselves would give
// a plain "ok".
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "the live tests need root: none is run")
		if err := flag.Set("test.run", "^$"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	code := m.Run()
	stopDaemons()
	os.Exit(code)
}

// stopDaemons stops what the tests started for all of them, the last first.
func stopDaemons() {
	daemons.Lock()
	defer daemons.Unlock()
	for i := len(daemons.stop) - 1; i >= 0; i-- {
		daemons.stop[i]()
	}
}
