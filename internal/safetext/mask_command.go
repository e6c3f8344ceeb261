// SPDX-License-Identifier: Apache-2.0

package safetext

import (
	"strings"
)

// program says which short options of a program take a secret.
type program struct {
	// secret options take it as next argument or attached; attached ones only so, for
	// mysql -p asks for it.
	secret, attached string
	// user options take NAME:SECRET.
	user string
	// verb is followed by a secret; last: the last argument is one.
	verb string
	last bool
	// port: its -p is something else, such as a port or a path.
	port bool
}

// programs are those whose short options mean something known. Anything that
// runs another program (sudo, env, docker exec) is followed by that one's name.
var programs = map[string]program{
	"mysql": {attached: "p", port: true}, "mysqldump": {attached: "p", port: true}, "mariadb": {attached: "p", port: true},
	"mariadb-dump": {attached: "p", port: true}, "mysqladmin": {attached: "p", port: true, verb: "password"},
	"mysqlimport": {attached: "p", port: true}, "mysqlcheck": {attached: "p", port: true}, "mysqlsh": {attached: "p", port: true},
	"sshpass": {secret: "p"}, "mongo": {secret: "p"}, "mongosh": {secret: "p"}, "mongodump": {secret: "p"}, "mongorestore": {secret: "p"},
	"cqlsh": {secret: "p"}, "login": {secret: "pP"},
	"redis-cli": {secret: "a", port: true, verb: "auth"}, "valkey-cli": {secret: "a", port: true, verb: "auth"}, "keydb-cli": {secret: "a", port: true, verb: "auth"},
	"curl": {user: "uU", port: true}, "wget": {user: "u", port: true}, "http": {user: "a", port: true}, "https": {user: "a", port: true}, "xh": {user: "a", port: true},
	"ab": {user: "AP", port: true}, "smbclient": {user: "U", port: true}, "rpcclient": {user: "U", port: true},
	"ldapsearch": {secret: "w", port: true}, "ldapmodify": {secret: "w", port: true}, "ldapadd": {secret: "w", port: true},
	"ldapdelete": {secret: "w", port: true}, "ldappasswd": {secret: "wsa", port: true}, "ldapwhoami": {secret: "w", port: true},
	"sqlcmd": {secret: "P"}, "bcp": {secret: "P"}, "isql": {secret: "P"}, "ipmitool": {secret: "P", port: true},
	"mosquitto_pub": {secret: "P", port: true}, "mosquitto_sub": {secret: "P", port: true},
	"zip": {secret: "P", port: true}, "unzip": {secret: "P", port: true}, "7z": {attached: "p"}, "7za": {attached: "p"}, "7zr": {attached: "p"}, "rar": {attached: "p"}, "unrar": {attached: "p"},
	"snmpwalk": {secret: "AX", port: true}, "snmpget": {secret: "AX", port: true},
	"htpasswd": {last: true, port: true}, "vault": {verb: "login", port: true},
}

// otherP are programs whose -p is known to be no secret.
var otherP = strings.Fields(`mkdir ssh sshd scp sftp ps docker podman nerdctl crictl ctr nginx cp install rsync tar cpio cc gcc g++ c++ clang
	clang++ ld cargo go make python python3 perl ruby node npm pip php pgrep pkill lsof strace ltrace gdb perf bpftrace top htop nc ncat netcat
	telnet nmap iptables ip6tables tmux screen sort read grep find xargs patch git kubectl helm sigtrace taskset chrt renice ionice prlimit
	nsenter unshare bash sh dash zsh ksh fish journalctl systemctl loginctl psql pg_dump pg_restore pg_ctl pg_isready postgres memcached
	gunicorn ping dig useradd usermod chroot script time trap stress stress-ng java mvn gradle tsc jest dotnet terraform ansible mount
	sysctl sed awk less vim nano bc date touch test ls rm mv chmod chown ln cat head tail wc cut runc crun conmon containerd-shim-runc-v2`)

// programMax is the length of the longest of those names, and more.
const programMax = 32

// programSizes are the lengths of their names by the first byte, as bits: most words
// of a script are no program's name, and need not be looked up.
var programSizes [256]uint64

func init() {
	for _, name := range otherP {
		if _, ok := programs[name]; !ok {
			programs[name] = program{port: true}
		}
	}
	for name := range programs {
		programSizes[name[0]] |= 1 << len(name)
	}
}

// runsScripts are programs that hand an argument to a shell.
var runsScripts = map[string]bool{"ssh": true, "watch": true, "eval": true}

// command masks the words of one command by their order: options and what
// follows them, assignments, and what the program at hand takes for a password.
func (m *masker) command(words []text) {
	var p program
	next, script, runs := kindNone, false, false
	for i := range words {
		w := &words[i]
		m.inside(w, script)
		isScript := script || runs && strings.ContainsAny(w.s, " \t\n")
		script = false
		if next != kindNone {
			k := next
			next = kindNone
			if !isFlag(w.s, k) {
				m.value(k, w, 0)
				continue
			}
		}
		switch {
		case w.s == "--":
			p, runs = program{}, false // kubectl exec pod -- APP
			continue
		case len(w.s) > 1 && w.s[0] == '-':
			next = m.option(w, p)
			script = isScriptOption(w.s)
			continue
		case m.assignment(w, isScript):
			continue
		}
		next = follows(words, i, p)
		if w.s == "exec" || w.s == "run" {
			p, runs = program{}, false // docker exec c APP
		} else if name := programName(w.s); name != "" {
			if known, ok := programs[name]; ok {
				p, runs = known, runsScripts[name]
			}
		}
		if p.last && i == len(words)-1 {
			m.value(kindSecret, w, 0)
		}
	}
}

// programName is the base name of what may be a program's path, else empty.
func programName(s string) string {
	s = s[strings.LastIndexByte(s, '/')+1:]
	if s == "" || len(s) > programMax || programSizes[s[0]]&(1<<len(s)) == 0 {
		return ""
	}
	return s
}

// isScriptOption: -c, -lc and the like are followed by a script.
func isScriptOption(s string) bool {
	return s == "--command" || len(s) <= 5 && s[0] == '-' && s[len(s)-1] == 'c' && lettersOnly(s[1:])
}

// isFlag distinguishes another option from a value that begins with a hyphen.
func isFlag(s string, k kind) bool {
	if len(s) < 2 || s[0] != '-' {
		return false
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(s[1:], "-"), "=")
	return len(s) == 2 || k == kindWeak || strings.ToLower(name) == name && (s[1] == '-' || !strings.ContainsAny(name, "0123456789"))
}

// option masks what an option holds and returns of what kind the next word is.
func (m *masker) option(w *text, p program) kind {
	s := w.s
	if at := strings.IndexAny(s, "=:"); at > 0 {
		name := strings.TrimLeft(s[:at], "-")
		if k := nameKind(name); k != kindNone {
			m.value(k, w, at+1)
		} else if k := userOption(s[:at], p); k == kindUser && s[at] == '=' {
			m.value(k, w, at+1)
		} else if k, from := p.attachedValue(s); k != kindNone {
			m.value(k, w, from)
		}
		return kindNone
	}
	if k, from := p.attachedValue(s); k != kindNone {
		m.value(k, w, from)
		return kindNone
	}
	if len(s) == 2 {
		return p.short(s[1])
	}
	if k := userOption(s, p); k != kindNone {
		return k
	}
	return nameKind(strings.TrimLeft(s, "-"))
}

// short is the kind of what follows an option of one letter.
func (p program) short(c byte) kind {
	switch {
	case strings.IndexByte(p.secret, c) >= 0:
		return kindSecret
	case strings.IndexByte(p.user, c) >= 0:
		return kindUser
	case c == 'p' && !p.port && p.attached == "":
		return kindGuess
	}
	return kindNone
}

// attachedValue finds the value in -pVALUE.
func (p program) attachedValue(s string) (kind, int) {
	if len(s) < 3 || s[1] == '-' {
		return kindNone, 0
	}
	c := s[1]
	switch {
	case strings.IndexByte(p.secret, c) >= 0 || strings.IndexByte(p.attached, c) >= 0:
		return kindSecret, 2
	case strings.IndexByte(p.user, c) >= 0 && strings.IndexByte(s, ':') > 0:
		return kindUser, 2
	case c == 'p' && !p.port && !strings.Contains(s, "="):
		return kindGuess, 2
	}
	return kindNone, 0
}

func userOption(s string, p program) kind {
	if p.user != "" && (s == "--user" || s == "--auth") || s == "--proxy-user" || s == "--userpwd" {
		return kindUser
	}
	return kindNone
}

// assignment masks NAME=value. In a script the value ends at a blank.
func (m *masker) assignment(w *text, isScript bool) bool {
	at := strings.IndexByte(w.s, '=')
	if at <= 0 || isScript || strings.ContainsAny(w.s[:at], " \t\n\"'/:{?&;,") {
		return false
	}
	if k := nameKind(w.s[:at]); k != kindNone {
		m.value(k, w, at+1)
	}
	return true
}

// follows is the kind of the word after this one, where words without a hyphen
// say so: Bearer x, IDENTIFIED BY 'x', config set requirepass x, redis-cli AUTH x.
func follows(words []text, i int, p program) kind {
	s := words[i].s
	if len(s) > nameMax || i+1 == len(words) {
		return kindNone
	}
	// Lengths first: this is asked of each word.
	is := func(s, word string) bool { return len(s) == len(word) && strings.EqualFold(s, word) }
	previous := func(word string) bool { return i > 0 && is(words[i-1].s, word) }
	quotedNext := words[i].nested && words[i+1].quoted
	switch {
	case p.verb != "" && is(s, p.verb):
		return kindSecret
	case is(s, "bearer"):
		return kindGuess
	case is(s, "basic"):
		return kindWeak
	case quotedNext && (previous("identified") && is(s, "by") || is(s, "password")):
		return kindSecret
	case previous("set"):
		return nameKind(s)
	}
	return kindNone
}
