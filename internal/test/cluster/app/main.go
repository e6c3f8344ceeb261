// SPDX-License-Identifier: Apache-2.0

// Command app is what the test bed's containers run: it can be healthy or
// sick in each way that kubelet probes, heed SIGTERM or not, and use memory.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "alloc" {
		alloc(os.Args[2])
		return
	}
	var a app
	flag.StringVar(&a.onTerm, "on-term", "exit=0", "exit=`N`, or ignore")
	flag.StringVar(&a.state, "state", "", "`directory` that lives as long as the pod: sick only in its first container")
	flag.DurationVar(&a.sickAfter, "sick-after", 0, "fall ill after this `time`; 0: never")
	flag.BoolVar(&a.flapping, "flapping", false, "be sick one second in three only")
	flag.StringVar(&a.http, "http", "", "`address` to serve /healthz on")
	flag.StringVar(&a.tcp, "tcp", "", "`address` to accept connections on")
	flag.StringVar(&a.grpc, "grpc", "", "`address` to serve gRPC's health service on")
	flag.Parse()
	if err := a.run(); err != nil {
		fmt.Fprintln(os.Stderr, "app:", err)
		os.Exit(1)
	}
}

// upFile shows the scenario, on the pod's volume, that signals now do what they
// are to do.
const upFile = "/state/up"

type app struct {
	onTerm, state, http, tcp, grpc string
	sickAfter                      time.Duration
	flapping                       bool
	began                          time.Time
}

func (a *app) run() error {
	code, err := a.termination()
	if err != nil {
		return err
	}
	terms := make(chan os.Signal, 1)
	if a.onTerm == "ignore" {
		signal.Ignore(unix.SIGTERM)
	} else {
		signal.Notify(terms, unix.SIGTERM)
	}
	if err := a.firstOnly(); err != nil {
		return err
	}
	a.began = time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := a.serve(ctx); err != nil {
		return err
	}
	_ = os.WriteFile(upFile, nil, 0o644) // a pod without the volume does not wait for it
	for a.onTerm == "ignore" {
		time.Sleep(time.Hour) // an empty wait would be a deadlock to the runtime
	}
	<-terms
	os.Exit(code)
	return nil
}

func (a *app) termination() (code int, err error) {
	if a.onTerm == "ignore" {
		return 0, nil
	}
	_, err = fmt.Sscanf(a.onTerm, "exit=%d", &code)
	return code, err
}

// firstOnly leaves an app well whose pod has had one before.
func (a *app) firstOnly() error {
	if a.state == "" {
		return nil
	}
	_ = os.Remove(a.state + "/sick")
	marker := a.state + "/ran"
	if _, err := os.Stat(marker); err == nil {
		a.sickAfter = 0
	}
	return os.WriteFile(marker, nil, 0o644)
}

// sick reports whether probes fail now.
func (a *app) sick() bool {
	since := time.Since(a.began)
	if a.sickAfter == 0 || since < a.sickAfter {
		return false
	}
	return !a.flapping || int(since.Seconds())%3 == 0
}

// alloc uses memory, page by page, and keeps it.
func alloc(mebibytes string) {
	n, err := strconv.Atoi(mebibytes)
	if err != nil {
		fmt.Fprintln(os.Stderr, "app: alloc takes a number of MiB:", err)
		os.Exit(2)
	}
	var all [][]byte
	for range n {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
		time.Sleep(time.Millisecond)
	}
	time.Sleep(time.Hour)
	fmt.Println(len(all))
}
