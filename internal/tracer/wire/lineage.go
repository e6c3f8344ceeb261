// SPDX-License-Identifier: Apache-2.0

package wire

// LastExec is how a process was last executed, as the kernel side saw it.
type LastExec struct {
	Exe           string
	Args          []byte // NUL-separated
	ArgsTruncated bool
	// Place is where it executed that.
	Place Place
}

// Forker is a process of a lineage as the kernel side keeps it.
type Forker struct {
	TGID      int
	Start     uint64
	Comm      string
	Dead      bool
	Cgroup    uint64
	Hierarchy uint8
}
