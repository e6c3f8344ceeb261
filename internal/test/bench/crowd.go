// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// crowd fills cgroups with sleeping processes; name gives the directory of each.
func (b *bench) crowd(processes, groups int, name func(int) string) ([]*exec.Cmd, func(), error) {
	root := "/sys/fs/cgroup"
	for _, dir := range []string{"/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified"} {
		if _, err := os.Stat(dir + "/cgroup.procs"); err == nil {
			root = dir
			break
		}
	}
	var dirs []string
	var crowd []*exec.Cmd
	clean := func() {
		for _, c := range crowd {
			_ = c.Process.Kill()
		}
		for _, c := range crowd {
			_ = c.Wait()
		}
		for _, d := range dirs {
			_ = os.Remove(d)
		}
	}
	for i := range groups {
		dir := filepath.Join(root, name(i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			clean()
			return nil, nil, err
		}
		dirs = append(dirs, dir)
	}
	for i := range processes {
		c := exec.Command("sleep", "10000")
		if err := c.Start(); err != nil {
			clean()
			return nil, nil, err
		}
		crowd = append(crowd, c)
		if err := os.WriteFile(dirs[i%groups]+"/cgroup.procs", []byte(strconv.Itoa(c.Process.Pid)), 0); err != nil {
			clean()
			return nil, nil, err
		}
	}
	return crowd, clean, nil
}
