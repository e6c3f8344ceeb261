// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
)

// rule names a mechanism by a kernel function on the stack. Where signals is
// not 0, the rule holds for those only (bit n-1 for signal n).
type rule struct {
	via     event.Via
	signals uint64
	names   []string
}

func bit(signals ...unix.Signal) uint64 {
	var set uint64
	for _, s := range signals {
		set |= 1 << (s - 1)
	}
	return set
}

// rules say which function means which mechanism; all were seen on the stacks
// of 5.10 to 6.18. Within one stack the innermost frame that a rule knows
// decides: an interrupt's frames lie inside those of the call it interrupted.
func rules() []rule {
	return []rule{
		{event.ViaKill, 0, []string{"__x64_sys_kill", "__arm64_sys_kill", "__ia32_sys_kill", "__ia32_compat_sys_kill", "__do_sys_kill", "kill_something_info", "__x64_sys_pidfd_send_signal", "__arm64_sys_pidfd_send_signal", "__ia32_sys_pidfd_send_signal", "__do_sys_pidfd_send_signal", "__se_sys_pidfd_send_signal", "do_pidfd_send_signal"}},
		{event.ViaTgkill, 0, []string{"do_tkill", "__x64_sys_tkill", "__x64_sys_tgkill", "__arm64_sys_tkill", "__arm64_sys_tgkill", "__ia32_sys_tkill", "__ia32_sys_tgkill", "__do_sys_tkill", "__do_sys_tgkill"}},
		{event.ViaSigqueue, 0, []string{"do_rt_sigqueueinfo", "do_rt_tgsigqueueinfo", "__x64_sys_rt_sigqueueinfo", "__x64_sys_rt_tgsigqueueinfo", "__arm64_sys_rt_sigqueueinfo", "__arm64_sys_rt_tgsigqueueinfo", "__ia32_compat_sys_rt_sigqueueinfo", "__ia32_compat_sys_rt_tgsigqueueinfo", "__ia32_sys_rt_sigqueueinfo"}},
		{event.ViaCgroupKill, 0, []string{"__cgroup_kill", "cgroup_kill_write", "cgroup_post_fork"}},
		{event.ViaOOM, 0, []string{"__oom_kill_process", "oom_kill_process", "oom_kill_memcg_member", "mark_oom_victim"}},
		{event.ViaPtrace, 0, []string{"exit_ptrace", "ptrace_request", "ptrace_attach", "ptrace_resume", "arch_ptrace"}},
		{event.ViaPidnsExit, 0, []string{"zap_pid_ns_processes"}},
		{event.ViaTimer, bit(unix.SIGVTALRM, unix.SIGPROF), []string{"posix_cpu_timers_work", "run_posix_cpu_timers", "handle_posix_cpu_timers", "check_cpu_itimer"}},
		{event.ViaRlimit, bit(unix.SIGXCPU, unix.SIGKILL), []string{"posix_cpu_timers_work", "run_posix_cpu_timers", "handle_posix_cpu_timers", "check_process_timers", "check_thread_timers", "check_rlimit"}},
		{event.ViaTimer, 0, []string{"it_real_fn", "posix_timer_fn", "posix_timer_event", "posix_timer_queue_signal", "posixtimer_send_sigqueue", "posix_cpu_timers_work", "run_posix_cpu_timers", "alarm_handle_timer", "alarmtimer_fired", "common_timer_set"}},
		{event.ViaTTY, 0, []string{"isig", "__isig", "n_tty_receive_signal_char", "n_tty_receive_char_special", "tty_signal_session_leader", "__tty_hangup", "tty_vhangup", "disassociate_ctty", "disassociate_ctty_exec", "__tty_check_change", "job_control", "pty_signal", "tty_do_resize", "pty_resize", "vc_do_resize", "tty_signal"}},
		{event.ViaSeccomp, 0, []string{"__seccomp_filter", "__secure_computing", "seccomp_filter"}},
		{event.ViaHwerror, 0, []string{"memory_failure", "kill_procs", "kill_accessing_process", "kill_me_maybe", "kill_me_now", "do_machine_check", "collect_procs", "force_sig_mceerr"}},
		{event.ViaBPF, 0, []string{"bpf_send_signal", "bpf_send_signal_thread", "bpf_send_signal_common", "bpf_send_signal_task", "do_bpf_send_signal"}},
		{event.ViaSigio, 0, []string{"send_sigio_to_task", "send_sigio", "kill_fasync", "kill_fasync_rcu", "send_sigurg", "send_sigurg_to_task", "sk_send_sigurg"}},
		{event.ViaSysrq, 0, []string{"send_sig_all", "sysrq_handle_term", "sysrq_handle_kill", "__handle_sysrq"}},
		{event.ViaCoredump, 0, []string{"zap_threads", "zap_process"}},
		{event.ViaPipe, bit(unix.SIGPIPE), []string{"pipe_write", "sk_stream_error", "unix_stream_sendmsg", "sock_sendmsg", "tcp_sendmsg_locked", "do_splice"}},
		{event.ViaRlimit, bit(unix.SIGXFSZ), []string{"generic_write_check_limits", "generic_write_checks", "inode_newsize_ok", "vfs_write", "do_sys_ftruncate", "do_truncate", "ext4_file_write_iter"}},
		{event.ViaFault, 0, []string{"force_sig_info_to_task", "force_sig_fault_to_task", "force_sig_fault", "force_sig", "force_sigsegv", "force_fatal_sig", "force_exit_sig", "force_sig_bnderr", "force_sig_pkuerr", "force_sig_ptrace_errno_trap", "force_sig_fault_trapno"}},
		{event.ViaKernel, 0, []string{"do_notify_parent", "do_notify_parent_cldstop", "do_notify_pidfd", "kill_orphaned_pgrp", "__do_notify", "do_mq_timedsend"}},
	}
}

// Mechanisms names the mechanism of signals by the kernel's own stack.
type Mechanisms struct{ byName map[string][]rule }

// NewMechanisms prepares the table.
func NewMechanisms() *Mechanisms {
	m := &Mechanisms{byName: map[string][]rule{}}
	for _, r := range rules() {
		for _, name := range r.names {
			m.byName[name] = append(m.byName[name], r)
		}
	}
	return m
}

// Knows reports whether a kernel function means something here.
func (m *Mechanisms) Knows(name string) bool {
	return m.byName[name] != nil || name == "forget_original_parent" || name == "moom_callback"
}

// onStack finds the innermost function that names a mechanism for the signal.
// Seccomp and memory failure force their signals: their frames lie further out
// than force_sig*, and win over it.
func (m *Mechanisms) onStack(sig int, functions []string) (via event.Via, function string) {
	for _, name := range functions {
		r, ok := m.match(sig, name)
		if !ok {
			continue
		}
		if via == "" {
			via, function = r.via, name
			if via != event.ViaFault {
				return via, function
			}
			continue
		}
		if r.via == event.ViaSeccomp || r.via == event.ViaHwerror {
			return r.via, name
		}
	}
	return via, function
}

func (m *Mechanisms) match(sig int, name string) (rule, bool) {
	for _, r := range m.byName[name] {
		if r.signals == 0 || r.signals&(1<<(sig-1)) != 0 {
			return r, true
		}
	}
	return rule{}, false
}

// sent reports whether a mechanism has a sender.
func sent(via event.Via) bool {
	return via == event.ViaKill || via == event.ViaTgkill || via == event.ViaSigqueue
}

func has(functions []string, prefix string) bool {
	for _, f := range functions {
		if strings.HasPrefix(f, prefix) {
			return true
		}
	}
	return false
}
