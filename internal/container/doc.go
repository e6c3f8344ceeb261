// SPDX-License-Identifier: Apache-2.0

// Package container says which container and which pod a cgroup belongs to.
//
// It has two halves. [ParsePath] and [Level] are pure: they read a cgroup path
// and nothing else, and know the forms that the container runtimes, kubelet
// and systemd write. [Directory] keeps names for the ids that the paths hold.
// It asks its sources: the CRI, Docker, and three kinds of files that name
// containers where no socket can be had (containerd's task directories,
// kubelet's log directories, the records of containers/storage that Podman and
// CRI-O share).
//
// Every source may be missing, refuse, or go away and come back: what the
// others know is used, [Directory.Sources] says which ones answer, and
// containers that are gone stay known for a while, since events about them
// come late.
//
// Everything that a path, a label or a file says is other people's text. Ids
// are checked for their form; names and images are handed on as they are and
// must be quoted by whoever prints them.
package container
