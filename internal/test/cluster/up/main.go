// SPDX-License-Identifier: Apache-2.0

// Command up holds a test bed: it prints on one line of JSON how to reach it,
// obeys the commands that it reads from standard input (stop NAME, start NAME, of
// one of its programs), and takes the bed down at the input's end, ^C or SIGTERM.
// So the bed goes with whoever wanted it, however that one ends.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/test/cluster/bed"
)

func main() {
	runtime.LockOSThread() // the bed's programs die with this thread
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var o bed.Options
	flag.StringVar(&o.Programs, "programs", "", "`directory` of kubelet and the others, see build-kubernetes")
	flag.StringVar(&o.App, "app", "", "the test's static `program`, see internal/test/cluster/app")
	flag.BoolVar(&o.Standalone, "standalone", false, "kubelet alone, with static pods")
	flag.IntVar(&o.Verbosity, "v", 2, "kubelet's verbosity")
	flag.StringVar(&o.KeepLogs, "keep-logs", "", "copy the programs' logs to this `directory` at the end")
	flag.Parse()

	// Read from the start: whoever wanted the bed may go before it is up.
	ctx, cancel := context.WithCancel(ctx)
	commands := make(chan string)
	go func() {
		defer cancel()
		for s := bufio.NewScanner(os.Stdin); s.Scan(); {
			commands <- s.Text()
		}
	}()
	b, err := bed.Start(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(serve(ctx, b, commands), b.Close())
}

func serve(ctx context.Context, b *bed.Bed, commands <-chan string) error {
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(b.Description); err != nil {
		return err
	}
	for {
		var command string
		select {
		case <-ctx.Done():
			return nil
		case command = <-commands:
		}
		if err := obey(ctx, b, command); err != nil {
			return err
		}
		if err := out.Encode(b.Description); err != nil {
			return err
		}
	}
}

func obey(ctx context.Context, b *bed.Bed, command string) error {
	what, name, _ := strings.Cut(command, " ")
	switch what {
	case "stop":
		return b.StopPart(name)
	case "start":
		return b.StartPart(ctx, name)
	}
	return fmt.Errorf("no command %q", command)
}
