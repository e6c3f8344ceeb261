// SPDX-License-Identifier: Apache-2.0

// Command goserver is a Go program that waits. With the argument "handles" it exits
// with 0 at SIGTERM. It makes the file that its last argument names once it is ready.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	stop := make(chan os.Signal, 1)
	if os.Args[1] == "handles" {
		signal.Notify(stop, syscall.SIGTERM)
	}
	if err := os.WriteFile(os.Args[len(os.Args)-1], nil, 0o644); err != nil {
		panic(err)
	}
	// Without a timer, the runtime would take a main that only waits for a deadlock.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGWINCH)
	<-stop
}
