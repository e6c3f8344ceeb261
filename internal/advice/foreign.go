// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"fmt"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

var foreignRules = []rule{
	{name: "killer_login", topic: topicWho, rests: []string{"actor.login_uid", "actor.session_id"}, hostOnly: always, advise: killerLogin},
	{name: "killer_unit", topic: topicWho, rests: []string{"actor.unit"}, hostOnly: always, advise: killerUnit},
	{name: "killer_container", topic: topicWho, rests: []string{"actor"}, hostOnly: ofAnotherPod, advise: killerContainer},
	{name: "exec_session", topic: topicWho, rests: []string{"actor.start_time"}, advise: execSession},
	{name: "runtime_client", topic: topicWho, rests: []string{"signals.*.time"}, advise: runtimeClient},
	{name: "shim_ended", topic: topicWho, rests: []string{"chain.*.process"}, hostOnly: always, advise: shimEnded},
	{name: "init_ended", topic: topicWho, rests: []string{"signals.*.trigger"}, advise: initEnded},
	{name: "parents_thread", topic: topicWho, rests: []string{"signals.*.trigger"}, advise: parentsThread},
	{name: "hung_up", topic: topicWho, rests: []string{"signals.*.signal"}, advise: hungUp},
	{name: "bpf_program", topic: topicWho, rests: []string{"signals.*.via"}, hostOnly: always, advise: bpfProgram},
}

// onHost is the actor of a foreign kill where that is a process of the host.
func onHost(d *event.Death) *event.Process {
	if d.Cause != event.CauseForeignProcess || d.Actor == nil || inContainer(d.Actor) {
		return nil
	}
	return d.Actor
}

func killerLogin(d *event.Death) (string, string) {
	a := onHost(d)
	if a == nil || a.LoginUID == nil || a.SessionID == nil {
		return "", ""
	}
	return fmt.Sprintf("Ask who was logged in as uid %d in audit session %d: ausearch --session %d, last, loginctl.", *a.LoginUID, *a.SessionID, *a.SessionID),
		fmt.Sprintf("%s has login uid %d, audit session %d.", phrase.Name(a), *a.LoginUID, *a.SessionID)
}

func killerUnit(d *event.Death) (string, string) {
	a := onHost(d)
	if a == nil || a.Unit == "" || a.Unit == d.Process.Unit {
		return "", ""
	}
	unit := safetext.Quote(a.Unit)
	return fmt.Sprintf("Look at what %s is for and why it kills: systemctl cat %s, journalctl -u %s.", unit, unit, unit),
		phrase.Name(a) + " runs in the unit " + unit + "."
}

// ofAnotherPod: the other containers of a pod are the same tenant's.
func ofAnotherPod(d *event.Death) bool { return d.Relation != event.RelationSamePod }

func killerContainer(d *event.Death) (string, string) {
	if d.Cause != event.CauseForeignProcess || d.Actor == nil || !inContainer(d.Actor) || proctree.SameContainer(d.Actor, d.Process) {
		return "", ""
	}
	return "Take hostPID or the shared process namespace from " + phrase.Container(d.Actor) + ", unless it is meant to signal other containers.",
		phrase.Name(d.Actor) + " runs in " + phrase.Container(d.Actor) + "."
}

func execSession(d *event.Death) (string, string) {
	if d.Cause != event.CauseExecSession || d.Actor == nil || d.Actor.StartTime == nil {
		return "", ""
	}
	at := d.Actor.StartTime.UTC().Format("15:04:05 UTC")
	where := "the container runtime's log"
	if inPod(d.Process) {
		where = "the API server's audit log (pods/exec)"
	}
	return fmt.Sprintf("Look in %s for who began a session at about %s.", where, at),
		phrase.Name(d.Actor) + " was started in the container at " + at + "."
}

// runtimeClient: nobody is known to have requested the stop.
func runtimeClient(d *event.Death) (string, string) {
	if d.Cause != event.CauseRuntimeStop || d.RequestedBy != "" || len(d.Signals) == 0 || d.Signals[0].Time.IsZero() {
		return "", ""
	}
	at := d.Signals[0].Time.UTC().Format("15:04:05 UTC")
	return fmt.Sprintf("Look in the container runtime's log at %s, and for docker, crictl, ctr, nerdctl or podman in shells and jobs of the node.", at),
		fmt.Sprintf("The runtime sent %s at %s; who requested that was not seen.", d.Signals[0].Signal, at)
}

func shimEnded(d *event.Death) (string, string) {
	if d.Cause != event.CauseRuntimeCleanup || len(d.Chain) == 0 || d.Chain[0].Process == nil {
		return "", ""
	}
	return "Begin with what ended the shim, " + phrase.Name(d.Chain[0].Process) + ": the runtime only removed what was left.",
		"The causal chain begins with " + phrase.Process(d.Chain[0].Process) + "."
}

// initEnded: the process only went with the init of its PID namespace.
func initEnded(d *event.Death) (string, string) {
	if d.Cause != event.CausePIDNamespaceEnded {
		return "", ""
	}
	for i := range d.Signals {
		s := &d.Signals[i]
		if s.Via == event.ViaPidnsExit && s.Trigger != nil && s.Trigger.PIDKnown() {
			return fmt.Sprintf("Look at the death of its init instead: sigtrace why %d.", s.Trigger.PID),
				phrase.Process(s.Trigger) + ", the init of its PID namespace, ended first."
		}
	}
	return "", ""
}

// parentsThread: PR_SET_PDEATHSIG follows the thread that forked, not its process.
func parentsThread(d *event.Death) (string, string) {
	if d.Cause != event.CauseParentDeath {
		return "", ""
	}
	for i := range d.Signals {
		t := d.Signals[i].Trigger
		if d.Signals[i].Via == event.ViaPdeathsig && t != nil && t.TID != 0 && t.TID != t.PID {
			return "Start it from a thread that does not end (Go: runtime.LockOSThread in a goroutine that stays), or without PR_SET_PDEATHSIG.",
				fmt.Sprintf("Thread %d of %s ended, which had started it.", t.TID, phrase.Name(t))
		}
	}
	return "", ""
}

func hungUp(d *event.Death) (string, string) {
	if d.Cause != event.CauseTerminal {
		return "", ""
	}
	for i := range d.Signals {
		if d.Signals[i].Signal == "SIGHUP" {
			return "Start what is to outlive its session with systemd-run, setsid, nohup or in tmux.", "Its terminal was hung up (SIGHUP)."
		}
	}
	return "", ""
}

func bpfProgram(d *event.Death) (string, string) {
	if d.Cause != event.CauseBPFProgram {
		return "", ""
	}
	for i := range d.Signals {
		if d.Signals[i].Via == event.ViaBPF {
			return "Look for security agents on the node whose policy kills (Tetragon: Sigkill actions); bpftool prog lists programs and their owners.",
				d.Signals[i].Signal + " came from a BPF program."
		}
	}
	return "", ""
}
