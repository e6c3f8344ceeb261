// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"os"
	"runtime"
)

func (e event) String() string {
	fatal, code := "absent", "absent"
	if e.Fatal != nil {
		fatal = fmt.Sprint(*e.Fatal)
	}
	if e.Code != nil {
		code = fmt.Sprint(*e.Code)
	}
	return fmt.Sprintf("%s via %s code %s %s fatal %s sender %d trigger %d target %d",
		e.Signal, e.Via, code, e.Result, fatal, pidOf(e.Sender), pidOf(e.Trigger), pidOf(e.Target))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func goarch() string { return runtime.GOARCH }
