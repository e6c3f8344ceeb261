// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

func raw(sig unix.Signal, edit func(*wire.Signal)) *wire.Signal {
	e := &wire.Signal{Signal: int(sig), Syscall: -1, Current: wire.Brief{Key: wire.Key{TGID: 20, Start: 2}}, Target: wire.Brief{Key: wire.Key{TGID: 10, Start: 1}}}
	if edit != nil {
		edit(e)
	}
	return e
}

func real(code int, syscall int64) func(*wire.Signal) {
	return func(e *wire.Signal) { e.Info, e.Code, e.Syscall = wire.InfoReal, code, syscall }
}

func priv(e *wire.Signal) { e.Info = wire.InfoPriv }

// The call path shows the mechanism; si_code is the user's to choose.
func TestVia(t *testing.T) {
	m := NewMechanisms()
	for name, c := range map[string]struct {
		e         *wire.Signal
		functions []string
		want      event.Via
	}{
		"kill":                           {raw(unix.SIGTERM, real(0, unix.SYS_KILL)), nil, event.ViaKill},
		"pidfd":                          {raw(unix.SIGTERM, real(0, unix.SYS_PIDFD_SEND_SIGNAL)), nil, event.ViaKill},
		"tgkill":                         {raw(unix.SIGTERM, real(-6, unix.SYS_TGKILL)), nil, event.ViaTgkill},
		"sigqueue":                       {raw(unix.SIGTERM, real(-1, unix.SYS_RT_SIGQUEUEINFO)), nil, event.ViaSigqueue},
		"a forged timer":                 {raw(unix.SIGTERM, real(-2, unix.SYS_RT_SIGQUEUEINFO)), []string{"do_rt_sigqueueinfo"}, event.ViaSigqueue},
		"a forged fault":                 {raw(unix.SIGSEGV, real(1, unix.SYS_RT_TGSIGQUEUEINFO)), []string{"do_rt_tgsigqueueinfo"}, event.ViaSigqueue},
		"a forged timer, no stack":       {raw(unix.SIGTERM, real(-2, unix.SYS_RT_SIGQUEUEINFO)), nil, event.ViaSigqueue},
		"F_SETSIG under another's write": {raw(unix.SIGTERM, real(1, unix.SYS_WRITE)), []string{"send_sigio_to_task", "kill_fasync", "pipe_write"}, event.ViaSigio},
		"a true fault":                   {raw(unix.SIGSEGV, real(1, -1)), []string{"force_sig_fault"}, event.ViaFault},
		"seccomp forces its signal":      {raw(unix.SIGSYS, real(1, 0)), []string{"force_sig_info_to_task", "__seccomp_filter"}, event.ViaSeccomp},
		"oom":                            {raw(unix.SIGKILL, priv), []string{"__oom_kill_process", "oom_kill_process"}, event.ViaOOM},
		"cgroup.kill":                    {raw(unix.SIGKILL, nil), []string{"__cgroup_kill"}, event.ViaCgroupKill},
		"a timer interrupts a kill":      {raw(unix.SIGALRM, priv), []string{"it_real_fn", "__x64_sys_kill"}, event.ViaTimer},
		"CPU time":                       {raw(unix.SIGXCPU, priv), []string{"posix_cpu_timers_work"}, event.ViaRlimit},
		"a profiler's timer":             {raw(unix.SIGPROF, priv), []string{"posix_cpu_timers_work"}, event.ViaTimer},
		"a broken page":                  {raw(unix.SIGBUS, real(4, -1)), []string{"force_sig_info_to_task", "force_sig_mceerr"}, event.ViaHwerror},
		"a broken page, a tail call":     {raw(unix.SIGBUS, real(4, -1)), []string{"force_sig_info_to_task"}, event.ViaHwerror},
		"a true bus error":               {raw(unix.SIGBUS, real(2, -1)), []string{"force_sig_info_to_task", "force_sig_fault"}, event.ViaFault},
		"a dying parent":                 {raw(unix.SIGTERM, func(e *wire.Signal) { e.Flags, e.Current.Flags = wire.SignalPdeath, pfExiting }), nil, event.ViaPdeathsig},
		"sigpipe, no stack":              {raw(unix.SIGPIPE, nil), nil, event.ViaPipe},
		"a debugger injects":             {raw(unix.SIGKILL, func(e *wire.Signal) { e.Flags = wire.SignalUnseen | wire.SignalTraced }), nil, event.ViaPtrace},
		"PTRACE_KILL, no stack":          {raw(unix.SIGKILL, func(e *wire.Signal) { e.Syscall = unix.SYS_PTRACE }), nil, event.ViaPtrace},
		"a tracer ends, no stack": {raw(unix.SIGKILL, func(e *wire.Signal) {
			priv(e)
			e.Flags, e.Current.Flags = wire.SignalTraced, pfExiting
		}), nil, event.ViaPtrace},
		"a 32-bit kill":    {raw(unix.SIGTERM, func(e *wire.Signal) { real(0, 37)(e); e.Flags = wire.SignalCompat }), []string{"__ia32_sys_kill"}, event.ViaKill},
		"nothing to go by": {raw(unix.SIGTERM, priv), nil, event.ViaKernel},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := m.Via(c.e, c.functions); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// A trigger is named only where it means something.
func TestTriggered(t *testing.T) {
	user := wire.Brief{Key: wire.Key{TGID: 20}}
	kthread := wire.Brief{Key: wire.Key{TGID: 20}, Flags: pfKthread}
	for _, c := range []struct {
		via  event.Via
		who  wire.Brief
		self bool
		want bool
	}{
		{event.ViaTimer, user, false, false}, // strikes whoever runs
		{event.ViaFault, user, true, false},
		{event.ViaOOM, user, true, true}, // the one that allocated, also the victim
		{event.ViaCgroupKill, user, false, true},
		{event.ViaCgroupKill, user, true, true}, // writes its own cgroup's
		{event.ViaTTY, kthread, false, false},
		{event.ViaPtrace, user, true, false},
		{event.ViaSigio, user, false, true},
	} {
		if got := triggered(c.via, c.who, c.self); got != c.want {
			t.Errorf("%s by %+v (self %v): %v", c.via, c.who, c.self, got)
		}
	}
}

// A fork into a cgroup that is being killed is no write of cgroup.kill.
func TestForkedIntoKill(t *testing.T) {
	for _, c := range []struct {
		syscall  int64
		function string
		want     bool
	}{
		{unix.SYS_WRITE, "__cgroup_kill", false},
		{unix.SYS_CLONE3, "cgroup_post_fork", true},
		{unix.SYS_WRITE, "", false}, // the kernel hides its addresses
		{unix.SYS_CLONE3, "", true},
		{unix.SYS_CLONE, "", true},
	} {
		e := raw(unix.SIGKILL, func(e *wire.Signal) { e.Syscall = c.syscall })
		if got := forkedIntoKill(e, c.function); got != c.want {
			t.Errorf("system call %d in %q: %v", c.syscall, c.function, got)
		}
	}
}
