// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

const (
	presenceName = "agent.json"
	// presenceSize is the file's: it is written in place, in one piece.
	presenceSize = 1024
	// beat is how often the file is written anew.
	beat = 10 * time.Second
)

// Presence says when an agent was there. It stands in agent.json; what it says
// of the agent before goes into the status event of the next one.
type Presence struct {
	Node    string    `json:"node,omitempty"`
	BootID  string    `json:"boot_id,omitempty"`
	Version string    `json:"version,omitempty"`
	Started time.Time `json:"started"`
	// LastSeen is at most ten seconds behind the agent's end.
	LastSeen time.Time `json:"last_seen"`
	// Stopped is true where it ended as asked, with nothing in flight.
	Stopped bool `json:"stopped"`
}

// readPresence returns nil where there is none, or none that can be read.
func readPresence(dir fs.FS) *Presence {
	info, err := fs.Stat(dir, presenceName)
	if err != nil || !info.Mode().IsRegular() || info.Size() > presenceMax {
		return nil
	}
	b, err := fs.ReadFile(dir, presenceName)
	if err != nil {
		return nil
	}
	p := &Presence{}
	if json.Unmarshal(bytes.TrimRight(b, " \n\x00"), p) != nil || p.LastSeen.IsZero() {
		return nil
	}
	return p
}

// writePresence writes it in place: after a crash it is the old or the new one.
func (d *directory) writePresence(p Presence) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if len(b) >= presenceSize {
		return fmt.Errorf("%s would have %d bytes", presenceName, len(b))
	}
	b = append(b, bytes.Repeat([]byte{' '}, presenceSize-1-len(b))...)
	f, err := d.root.OpenFile(presenceName, os.O_CREATE|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(append(b, '\n'), 0)
	return errors.Join(err, f.Close())
}

// beat notes that the agent is there, now and then.
func (w *Writer) beat(now time.Time, stopped bool) error {
	if w.dir == nil || !stopped && now.Sub(w.beaten) < beat {
		return nil
	}
	w.beaten = now
	p := w.o.Presence
	p.LastSeen, p.Stopped = now.UTC(), stopped
	return w.dir.writePresence(p)
}

// heldByAnother reports whether an agent writes a directory at present.
func heldByAnother(path string) bool {
	root, err := os.OpenRoot(path)
	if err != nil {
		return false
	}
	defer root.Close()
	lock, err := openRegularIn(root, lockName)
	if err != nil {
		return false
	}
	defer lock.Close()
	return lockHeld(lock)
}
