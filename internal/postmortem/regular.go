// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// presenceMax bounds the agent's heartbeat, in bytes.
const presenceMax = 64 << 10

// openRegular opens a file to be read, and nothing else: a FIFO would hold the
// reader up for ever, and a device has no end.
func openRegular(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return regular(f)
}

// openRegularIn is openRegular below a directory.
func openRegularIn(root *os.Root, name string) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return regular(f)
}

func regular(f *os.File) (*os.File, error) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", f.Name())
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
