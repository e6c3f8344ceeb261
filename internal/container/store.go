// SPDX-License-Identifier: Apache-2.0

package container

import (
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

const (
	// maxEntries bounds containers and pods each; a node runs some hundreds.
	maxEntries = 4096
	// keepGone is how long a removed container stays known: its last events
	// are held, correlated and written long after the runtime forgot it.
	keepGone = 10 * time.Minute
)

// entry is one container of the store.
type entry struct {
	info Info
	// sources has bit i set while source i knows the container.
	sources uint64
	// reported is when a source last reported about it, gone when the last source
	// had ceased to (zero: it is there).
	reported, gone time.Time
}

// store holds containers by key and pods by UID. It is not safe for
// concurrent use.
type store struct {
	entries *lru[*entry]
	pods    *lru[*event.Pod]
	// keys finds the containers whose path does not hold their id.
	keys map[string]string // cgroup path → key
	// cgroupsOf reads the cgroups of a process, as the host names them; nil is never.
	cgroupsOf func(pid int) []string
}

func newStore(limit int) *store {
	s := &store{pods: newLRU[*event.Pod](limit, nil), keys: make(map[string]string)}
	s.entries = newLRU(limit, func(key string, e *entry) { s.unlink(key, e.info.CgroupPath) })
	return s
}

// keyOf gives what a container is stored under: its id where that is unique by
// itself, else its cgroup, since ctr's names are unique in a namespace only.
func keyOf(info Info) string {
	if isID(info.ID) || info.CgroupPath == "" {
		return info.ID
	}
	return info.CgroupPath
}

// put takes in what the sources in the mask say now; it wins over what was
// known before.
func (s *store) put(info Info, sources uint64, now time.Time) {
	s.putPod(info.Pod)
	if info.ID == "" {
		return
	}
	key := keyOf(info)
	e, ok := s.entries.get(key)
	if !ok {
		e = &entry{}
		s.entries.put(key, e)
	}
	old := e.info
	if old.State == StateExited && info.State == StateRunning {
		old.PID = 0 // Docker restarts a container under the same id
	}
	if !e.gone.IsZero() {
		old.State = "" // it is back
	}
	if info.PID != 0 && info.PID != old.PID {
		info.InitCgroup = s.initCgroup(info)
	}
	e.info = info.fill(old)
	e.sources |= sources
	e.reported, e.gone = now, time.Time{}
	if old.CgroupPath != e.info.CgroupPath {
		s.unlink(key, old.CgroupPath)
	}
	if e.info.CgroupPath != "" {
		s.keys[e.info.CgroupPath] = key
	}
}

// initCgroup is where a container's init runs; empty where that cannot be read, or is
// no container of that ID: the pid may be another's by now.
func (s *store) initCgroup(info Info) string {
	if s.cgroupsOf == nil || !isID(info.ID) {
		return ""
	}
	for _, path := range s.cgroupsOf(info.PID) {
		if ref := ParsePath(path); ref.ID == info.ID {
			return ref.Path
		}
	}
	return ""
}

// confirms reports whether a runtime says that the container runs in ref's cgroup, by
// its spec or by its init.
func (i Info) confirms(ref Ref) bool {
	return isID(ref.ID) && (i.CgroupPath == ref.Path || i.InitCgroup == ref.Path)
}

// refutes reports whether the container's init is known to run elsewhere: somebody
// has named a cgroup after it.
func (i Info) refutes(ref Ref) bool {
	return isID(ref.ID) && i.InitCgroup != "" && !i.confirms(ref)
}

// restarted forgets what a container's new life has anew.
func (s *store) restarted(ref Ref, path string) {
	key := s.keys[path]
	if ref.ID != "" && !ref.Candidate && ref.Path == path {
		key = ref.ID
	}
	if e, ok := s.entries.get(key); ok {
		e.info.PID, e.info.State = 0, ""
	}
}

func (s *store) unlink(key, path string) {
	if s.keys[path] == key {
		delete(s.keys, path)
	}
}

func (s *store) putPod(pod *event.Pod) {
	if pod == nil || pod.UID == "" {
		return
	}
	old, _ := s.pods.get(pod.UID)
	s.pods.put(pod.UID, mergePod(pod, old))
}

// pod gives what is known about the pod with this UID, at least the UID; nil
// without one.
func (s *store) pod(uid string) *event.Pod {
	if uid == "" {
		return nil
	}
	if pod, ok := s.pods.get(uid); ok {
		return pod
	}
	return &event.Pod{UID: uid}
}

// find gives the container of a path by its id, or else by the cgroups on the
// way up. A path that names another container or pod is not looked up that
// way: what is above is the node it runs in.
func (s *store) find(ref Ref, path string) (Info, bool) {
	if ref.ID != "" && !ref.Candidate {
		return s.get(ref.ID)
	}
	if ref.PodUID != "" {
		return Info{}, false
	}
	for path = strings.TrimSuffix(path, deletedSuffix); path != ""; path = path[:max(strings.LastIndexByte(path, '/'), 0)] {
		if key, ok := s.keys[path]; ok {
			return s.get(key)
		}
	}
	return Info{}, false
}

func (s *store) get(key string) (Info, bool) {
	e, ok := s.entries.get(key)
	if !ok {
		return Info{}, false
	}
	return s.dress(e.info), true
}

// dress adds what has been learned about the pod since, its labels above all.
func (s *store) dress(info Info) Info {
	if info.Pod != nil && info.Pod.UID != "" {
		info.Pod = mergePod(s.pod(info.Pod.UID), info.Pod)
	}
	info.Partial = !info.known()
	return info
}

// forget takes bit i off the containers that source i did not list any more,
// except those that were reported after its list was asked for.
func (s *store) forget(listed func(key string) bool, i int, asked, now time.Time) {
	s.entries.each(func(key string, e *entry) {
		if listed(key) || !e.reported.Before(asked) {
			return
		}
		if e.sources &^= 1 << i; e.sources == 0 && e.gone.IsZero() {
			e.gone, e.info.State = now, StateExited
		}
	})
}

// expire drops what has been gone for long.
func (s *store) expire(now time.Time) {
	s.entries.each(func(key string, e *entry) {
		if !e.gone.IsZero() && now.Sub(e.gone) >= keepGone {
			s.entries.remove(key)
		}
	})
}
