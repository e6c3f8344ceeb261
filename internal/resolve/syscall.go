// SPDX-License-Identifier: Apache-2.0

package resolve

import "golang.org/x/sys/unix"

type call int

const (
	callKill call = iota + 1
	callTgkill
	callSigqueue
	callPidfd
)

// sendingCall says which of the system calls that send signals a number of
// this architecture is.
func sendingCall(number int64) (call, bool) {
	switch number {
	case unix.SYS_KILL:
		return callKill, true
	case unix.SYS_TKILL, unix.SYS_TGKILL:
		return callTgkill, true
	case unix.SYS_RT_SIGQUEUEINFO, unix.SYS_RT_TGSIGQUEUEINFO:
		return callSigqueue, true
	case unix.SYS_PIDFD_SEND_SIGNAL:
		return callPidfd, true
	}
	return 0, false
}
