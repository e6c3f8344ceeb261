// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// prepare makes what the guests boot from: kernels, initial RAM disks, Debian.
func (c *config) prepare(ctx context.Context, guests []*guest) error {
	if _, err := c.script(ctx, "mkinitrd", c.work); err != nil {
		return err
	}
	if slices.ContainsFunc(guests, func(g *guest) bool { return g.kind == debian }) {
		archive, err := c.script(ctx, "mkdebian")
		if err != nil {
			return err
		}
		if err := join(filepath.Join(c.work, "initrd-debian"), archive, filepath.Join(c.work, "initrd")); err != nil {
			return err
		}
	}
	for _, k := range c.kernels {
		image, err := c.script(ctx, "fetch", k.name)
		if err != nil {
			return err
		}
		c.images[k.name] = image
		if c.machine == nil && !k.floor() {
			if c.machine, err = machine(ctx, c.arch, image); err != nil {
				return err
			}
		}
	}
	return nil
}

// script runs one of this folder's, and returns what it says.
func (c *config) script(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(c.here, name), args...)
	cmd.Env = append(os.Environ(), "ARCH="+c.arch)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// join appends files to one, as the kernel takes archives one after the other.
func join(to string, from ...string) error {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	for _, name := range from {
		in, err := os.Open(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		in.Close()
		if err != nil {
			return err
		}
	}
	return out.Close()
}

// boot runs the guests, so many at a time.
func (c *config) boot(ctx context.Context, guests []*guest) {
	var wg sync.WaitGroup
	free := make(chan struct{}, c.jobs)
	for _, g := range guests {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			begun := time.Now()
			c.run(ctx, g)
			g.seconds = time.Since(begun).Seconds()
			fmt.Fprintf(os.Stderr, "%s: %.0f s\n", g.name(), g.seconds)
		})
	}
	wg.Wait()
}

func (c *config) run(ctx context.Context, g *guest) {
	g.console = filepath.Join(c.logs, g.name()+".log")
	g.out = filepath.Join(c.logs, g.name())
	log, err := os.Create(g.console)
	if err != nil {
		g.ended = err.Error()
		return
	}
	defer log.Close()
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	cmd := c.command(ctx, g)
	console := struct{ io.Writer }{log} // through a pipe: User Mode Linux cannot wait for files
	cmd.Stdout, cmd.Stderr = console, console
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // User Mode Linux has children
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		g.ended = fmt.Sprintf("it hung: %v after %v", ctx.Err(), c.limit)
	case err != nil:
		g.ended = err.Error()
	}
	if err := unpack(g.out); err != nil && g.ended == "" {
		g.ended = err.Error()
	}
}

// unpack makes a folder of what a guest has handed out, if anything.
func unpack(folder string) error {
	tar := folder + ".tar"
	if s, err := os.Stat(tar); err != nil || s.Size() == 0 {
		return nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if out, err := exec.Command("tar", "-C", folder, "-xf", tar).CombinedOutput(); err != nil {
		return fmt.Errorf("what it handed out: %w: %s", err, out)
	}
	return os.Remove(tar)
}
