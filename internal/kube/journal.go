// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// journalUnits are the services in which a kubelet runs. What a unit has logged
// is the journal's word, and no process outside it can forge that.
var journalUnits = []string{
	"kubelet.service", "k3s.service", "k3s-agent.service", "rke2-server.service", "rke2-agent.service",
	"k0scontroller.service", "k0sworker.service", "snap.microk8s.daemon-kubelite.service",
}

// journalAgain is how long a journalctl that has ended is left alone.
const journalAgain = 2 * time.Second

// Journal follows kubelet's log in systemd's journal, by journalctl.
type Journal struct {
	state
	parser  LogParser
	command string
	units   []string
}

// NewJournal makes a source of the journal, of the named units or those that a
// kubelet usually runs as.
func NewJournal(zone *time.Location, units ...string) *Journal {
	if len(units) == 0 {
		units = journalUnits
	}
	return &Journal{state: state{source: kubefact.SourceKubeletLog}, parser: LogParser{Zone: zone}, command: "journalctl", units: units}
}

// Name implements [Source].
func (j *Journal) Name() string { return kubefact.SourceKubeletLog }

// Run implements [Source].
func (j *Journal) Run(ctx context.Context, emit func(kubefact.Fact)) {
	since := time.Now().Add(-2 * time.Minute)
	for ctx.Err() == nil {
		err := j.follow(ctx, since, emit)
		if ctx.Err() != nil {
			return
		}
		since = time.Now()
		j.blind(err, emit)
		select {
		case <-ctx.Done():
		case <-time.After(journalAgain):
		}
	}
}

func (j *Journal) follow(ctx context.Context, since time.Time, emit func(kubefact.Fact)) error {
	args := []string{
		"--follow", "--quiet", "--no-pager", "--output=json", "--output-fields=MESSAGE",
		"--since=@" + strconv.FormatInt(since.Unix(), 10), "--lines=5000",
	}
	for _, unit := range j.units {
		args = append(args, "--unit="+unit)
	}
	cmd := exec.CommandContext(ctx, j.command, args...)
	cmd.WaitDelay = time.Second
	var complaint strings.Builder
	cmd.Stderr = &limited{w: &complaint, left: 512}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("journalctl: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("the journal cannot be read: %w; name a file by --kubelet-log", err)
	}
	j.parser.said = false // how much this kubelet says is to be seen anew
	j.seeing(emit)
	j.read(out, emit)
	err = cmd.Wait()
	if text := strings.TrimSpace(complaint.String()); text != "" {
		return errors.New("journalctl: " + text)
	}
	if err == nil {
		err = io.EOF
	}
	return fmt.Errorf("journalctl ended: %w", err)
}

// read takes in entries, one JSON object a line.
func (j *Journal) read(out io.Reader, emit func(kubefact.Fact)) {
	r := bufio.NewReaderSize(out, 64<<10)
	var l lines
	for {
		data, err := r.ReadSlice('\n')
		l.add(data, func(line string) {
			text, at, ok := journalEntry(line)
			if !ok {
				return
			}
			j.parser.Live = true // the journal's own time is that of writing
			tellAll(j.parser.Line(text, at), emit)
			if r.Buffered() == 0 {
				tellAll(j.parser.Flush(), emit)
			}
		})
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// journalEntry reads an entry as journalctl prints it in JSON: a MESSAGE that
// is not UTF-8 text comes as an array of numbers.
func journalEntry(line string) (text string, at time.Time, ok bool) {
	var entry struct {
		Message any    `json:"MESSAGE"`
		Time    string `json:"__REALTIME_TIMESTAMP"`
	}
	if json.Unmarshal([]byte(line), &entry) != nil {
		return "", time.Time{}, false
	}
	us, err := strconv.ParseInt(entry.Time, 10, 64)
	if err != nil {
		return "", time.Time{}, false
	}
	switch m := entry.Message.(type) {
	case string:
		text = m
	case []any:
		b := make([]byte, 0, len(m))
		for _, n := range m {
			if f, isNumber := n.(float64); isNumber {
				b = append(b, byte(f))
			}
		}
		text = string(b)
	default:
		return "", time.Time{}, false
	}
	return text, time.UnixMicro(us), true
}

// KubeletInJournal reports whether systemd runs a kubelet on this host, whose log
// the journal then has.
func KubeletInJournal() bool {
	for _, unit := range journalUnits {
		if _, err := os.Lstat("/run/systemd/units/invocation:" + unit); err == nil {
			return true
		}
	}
	return false
}

type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	_, err := l.w.Write(p[:n])
	return len(p), err
}
