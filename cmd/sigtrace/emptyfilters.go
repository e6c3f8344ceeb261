// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// filters are the flags that choose of what happens, with what an empty value of
// theirs would mean: no filter at all. A script whose variable is empty would watch
// the whole host.
var filters = map[string]string{
	"pod": "a pod's name", "namespace": "a namespace", "container": "a container's name",
	"selector": "labels", "container-id": "the beginning of a container ID", "cgroup": "a cgroup's path",
	"pid": "a process ID of 1 or more", "sender-pid": "a process ID of 1 or more", "sender-comm": "a process's name",
	"signal": "signals", "cause": "causes", "type": "types of events",
}

// commMax is the length of a comm (TASK_COMM_LEN without its NUL).
const commMax = 15

// refuseEmptyFilters refuses a filter that a command line gives and that filters
// nothing, or can match nothing.
func refuseEmptyFilters(c *cobra.Command, _ []string) error {
	var err error
	c.Flags().Visit(func(f *pflag.Flag) {
		needs, isFilter := filters[f.Name]
		value := f.Value.String()
		switch {
		case err != nil || !isFilter:
		case value == "" || value == "[]" || value == "0":
			err = usageError{fmt.Errorf("--%s is empty: give %s, or leave --%s out to have all", f.Name, needs, f.Name)}
		case f.Name == "sender-comm" && len(value) > commMax:
			err = usageError{fmt.Errorf("--sender-comm %q: the kernel keeps at most %d characters of a name: give %q", value, commMax, value[:commMax])}
		}
	})
	return err
}
