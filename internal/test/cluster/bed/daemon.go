// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// daemon is a program that runs until the bed is taken down.
type daemon struct {
	name   string
	log    string
	cmd    *exec.Cmd
	exited chan struct{}
}

// start runs a program with its output in NAME.log. It dies with the thread
// that starts it (PR_SET_PDEATHSIG is about threads): the caller's goroutine is
// to be locked to one that lives as long as the bed.
func (b *Bed) start(program string, args ...string) (*daemon, error) {
	return b.startCommand(filepath.Base(program), append([]string{program}, args...))
}

// startCommand is start for a program that another one starts in its place.
func (b *Bed) startCommand(name string, command []string) (*daemon, error) {
	d := &daemon{name: name, log: b.path(name + ".log"), exited: make(chan struct{})}
	log, err := os.OpenFile(d.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	d.cmd = exec.Command(command[0], command[1:]...)
	d.cmd.Dir = b.Dir
	d.cmd.Stdout, d.cmd.Stderr = log, log
	// Not of the terminal's group: ^C takes the bed down in order.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = d.cmd.Wait()
		close(d.exited)
	}()
	b.daemons = append(b.daemons, d)
	return d, nil
}

// until waits until a program answers, or returns why it does not.
func (d *daemon) until(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-d.exited:
			return fmt.Errorf("it ended (%v): %s", d.cmd.ProcessState, d.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w: %s", err, d.lastWords())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// lastWords are the log's last lines.
func (d *daemon) lastWords() []byte {
	log, _ := os.ReadFile(d.log)
	lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-15):], []byte("\n"))
}

// stop ends it as an init system would: SIGTERM, then SIGKILL.
func (d *daemon) stop(grace time.Duration) {
	_ = d.cmd.Process.Signal(unix.SIGTERM)
	select {
	case <-d.exited:
	case <-time.After(grace):
		_ = d.cmd.Process.Kill()
		<-d.exited
	}
}

// stopGrace is how long a program that is to be started again may take to end.
const stopGrace = 5 * time.Second

// StopPart ends one program alone, as an upgrade of it would: kubelet, containerd,
// kube-apiserver.
func (b *Bed) StopPart(name string) error {
	for _, d := range slices.Backward(b.daemons) {
		if d.name == name {
			d.stop(stopGrace)
			return nil
		}
	}
	return fmt.Errorf("no program %q runs here", name)
}

// StartPart starts it again and waits until it is of use.
func (b *Bed) StartPart(ctx context.Context, name string) error {
	for _, part := range b.parts() {
		if part.name == name {
			return part.start(ctx)
		}
	}
	return fmt.Errorf("no program %q here", name)
}

// program is one of Kubernetes' own.
func (b *Bed) program(name string) string { return filepath.Join(b.options.Programs, name) }
