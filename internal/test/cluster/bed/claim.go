// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// subnet is the loopback /24 that is a bed's own, 127.77.N.0: its services'
// addresses are real ones then, with no kube-proxy, and every program listens
// on its usual port.
type subnet int

func (s subnet) addr(host int) string { return fmt.Sprintf("127.77.%d.%d", int(s), host) }
func (s subnet) cidr() string         { return s.addr(0) + "/24" }

// api is the first service address, which Kubernetes gives to itself.
func (s subnet) api() string  { return s.addr(1) }
func (s subnet) node() string { return s.addr(2) }

// claim takes a directory, and the number that goes with it, by a lock that
// dies with this process.
func (b *Bed) claim() error {
	if err := os.MkdirAll(Base(), 0o755); err != nil {
		return err
	}
	for n := 1; n < 255; n++ {
		dir := filepath.Join(Base(), strconv.Itoa(n))
		lock, err := tryLock(dir)
		if err != nil {
			return err
		}
		if lock == nil {
			continue
		}
		b.net, b.lock = subnet(n), lock
		b.Dir = dir
		b.Node, b.Address = "bed-"+strconv.Itoa(n), b.net.node()
		b.CgroupRoot = cgroupRoot(n)
		b.CRISocket = b.path("containerd.sock")
		b.KubeletLog = b.path("kubelet.log")
		b.StaticPods = b.path("static-pods")
		b.Kubectl = filepath.Join(b.options.Programs, "kubectl")
		b.Image, b.OtherImage = image("1"), image("2")
		return shared(dir)
	}
	return errors.New("254 test beds run already")
}

// shared makes a directory whose mounts are seen in the mount namespaces that
// are made of this one, and theirs here: kubelet may run in its own.
func shared(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind mount %s: %w", dir, err)
	}
	return unix.Mount("", dir, "", unix.MS_SHARED, "")
}

func cgroupRoot(n int) string { return "/sigtrace-bed-" + strconv.Itoa(n) }

// tryLock returns nil where another process has the lock.
func tryLock(dir string) (*os.File, error) {
	f, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, f.Close()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
	}
	return f, nil
}

// sweep removes what beds left whose process was killed.
func sweep() error {
	dirs, err := filepath.Glob(filepath.Join(Base(), "[0-9]*.lock"))
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range dirs {
		dir := name[:len(name)-len(".lock")]
		n, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		lock, err := tryLock(dir)
		if err != nil || lock == nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, remove(dir, cgroupRoot(n)), lock.Close())
	}
	return errors.Join(errs...)
}
