// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// A container that never ran its program: what died is runc's last stage.
func TestStartFailed(t *testing.T) {
	const message = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: ` +
		`unable to start container process: exec: "/nope": stat /nope: no such file or directory: unknown`
	unstarted := func(p *podWorld) { p.app.Comm, p.app.Exe, p.app.Args = "runc:[2:INIT]", "", []string{"runc", "init"} }
	shell := func(p *podWorld) {
		p.app.Comm, p.app.Exe, p.app.Args = "sh", "/bin/busybox", []string{"sh", "-c", "nope"}
	}
	create := func(p *podWorld) { p.runc.Args = []string{"runc", "--root", "/run", "create", "--bundle", "/b", idApp} }
	exits := func(p *podWorld) { p.exit(10_001, p.app, 1) }
	killed := func(p *podWorld) {
		p.signal(10_000, unix.SIGKILL, p.app, from(p.runc))
		p.exit(10_001, p.app, 137)
	}
	reports := func(reason string, code int) func(*podWorld) {
		return func(p *podWorld) {
			p.fact(10_050, kubefact.SourceCRI, kubefact.Terminated, status(reason, code), says(message))
		}
	}
	nothing := func(*podWorld) {}
	for name, c := range map[string]struct {
		is, end, report func(*podWorld)
		cause           event.Cause
		confidence      event.Confidence
	}{
		"StartError":                       {unstarted, exits, reports("StartError", 128), event.CauseStartFailed, event.Proven},
		"ContainerCannotRun":               {unstarted, exits, reports("ContainerCannotRun", 127), event.CauseStartFailed, event.Proven},
		"without a permission":             {unstarted, exits, reports("ContainerCannotRun", 126), event.CauseStartFailed, event.Proven},
		"by the kernel alone":              {unstarted, exits, nothing, event.CauseStartFailed, event.Likely},
		"by the runtime alone":             {nothing, exits, reports("StartError", 128), event.CauseStartFailed, event.Likely},
		"killed by the runc that creates":  {func(p *podWorld) { unstarted(p); create(p) }, killed, nothing, event.CauseStartFailed, event.Likely},
		"stopped before it started":        {unstarted, killed, nothing, event.CauseRuntimeStop, event.Proven},
		"a shell that exits with 127":      {shell, func(p *podWorld) { p.exit(10_001, p.app, 127) }, reports("Error", 127), event.CauseExited, event.Proven},
		"a program that calls itself that": {func(p *podWorld) { unstarted(p); p.app.Exe = "/app/server" }, exits, reports("Error", 1), event.CauseExited, event.Proven},
		"and takes other arguments":        {func(p *podWorld) { unstarted(p); p.app.Args = []string{"server"} }, exits, reports("Error", 1), event.CauseExited, event.Proven},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPodWorld(t)
			p.sees(kubefact.SourceCRI)
			c.is(p)
			c.end(p)
			c.report(p)
			d := p.death(60_000)
			if d.Cause != c.cause || d.Confidence != c.confidence {
				t.Fatalf("%s (%s), want %s (%s): %s", d.Cause, d.Confidence, c.cause, c.confidence, d.Summary)
			}
			if k := d.KubernetesSays; k != nil && k.Agrees != (c.cause == event.CauseStartFailed || k.Reason == "Error") {
				t.Errorf("%+v: %s", k, d.Summary)
			}
			if d.Confidence == event.Proven && d.Cause == event.CauseStartFailed &&
				(!strings.Contains(d.Summary, `never started: its runtime could not execute its program (exec: "/nope": stat /nope: no such file or directory).`) ||
					!hasEvidence(d, kubefact.SourceCRI)) {
				t.Errorf("%s %+v", d.Summary, d.Evidence)
			}
		})
	}
	t.Run("an exec session's", func(t *testing.T) {
		p := newPodWorld(t)
		session := inside(idApp, false, proc(41, "runc:[2:INIT]", p.shim, systemd))
		session.Pod, session.Args = p.app.Pod, []string{"runc", "init"}
		p.signal(10_000, unix.SIGKILL, session, from(p.shim))
		p.exit(10_001, session, 137)
		if d := p.death(13_000); d.Cause == event.CauseStartFailed {
			t.Error(d.Summary)
		}
	})
	t.Run("out of memory", func(t *testing.T) {
		p := newPodWorld(t)
		p.sees(kubefact.SourceCRI)
		unstarted(p)
		p.oom(10_000, p.app, p.app, nil)
		p.exit(10_001, p.app, 137)
		reports("StartError", 128)(p)
		if d := p.death(60_000); d.Cause != event.CauseCgroupOOM {
			t.Errorf("%s: %s", d.Cause, d.Summary)
		}
	})
}
