// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"time"

	"golang.org/x/sys/unix"
)

// Clock turns CLOCK_BOOTTIME, which the kernel stamps events with, into wall
// time. The offset is read anew now and then, since wall clocks step.
type Clock struct {
	offset int64
	read   int64
}

const reread = int64(time.Second)

// Wall returns the wall time of a boot time in nanoseconds.
func (c *Clock) Wall(boottime uint64) time.Time {
	if now := int64(boottime); c.read == 0 || now-c.read > reread {
		c.sync()
	}
	return time.Unix(0, int64(boottime)+c.offset)
}

func (c *Clock) sync() {
	var boot, wall unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil || unix.ClockGettime(unix.CLOCK_REALTIME, &wall) != nil {
		return
	}
	c.offset = wall.Nano() - boot.Nano()
	c.read = boot.Nano()
}

// Now returns CLOCK_BOOTTIME in nanoseconds.
func Now() uint64 {
	var boot unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil {
		return 0
	}
	return uint64(boot.Nano())
}
