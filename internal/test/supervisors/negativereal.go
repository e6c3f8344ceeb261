// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// realNegative are negative cases of real software.
func realNegative() []rulecase {
	return []rulecase{
		{name: "gunicorn-max-requests", what: "gunicorn: reloaded, then a worker has had its max_requests", negative: true, together: 2, needs: []string{"gunicorn"}, run: maxRequests},
		{name: "fpm-timeout", what: "php-fpm: SIGUSR1 reopens the logs, then a request takes longer than request_terminate_timeout", negative: true, needs: []string{"php-fpm8.2"}, run: fpmTimeout},
		{name: "supervisord-restart", what: "supervisord: SIGUSR2 reopens the logs; more than 1 s later supervisorctl restarts a program", negative: true, together: 2, needs: []string{"supervisord", "supervisorctl"}, run: supervisordRestart},
	}
}

func maxRequests(r *run) error {
	main, err := startGunicorn(r, "--max-requests", "1")
	if err != nil {
		return err
	}
	r.assign(main)
	old := r.children(main.pid)
	a, err := r.script(unix.SIGHUP, main)
	if err != nil {
		return err
	}
	if err := r.await("the reload is done", func() bool {
		for _, k := range old {
			if k.alive() {
				return false
			}
		}
		kids := r.children(main.pid)
		for _, k := range kids {
			if !handles(k.pid, unix.SIGTERM) || !sleeps(k.pid) {
				return false
			}
		}
		return len(kids) == 2
	}); err != nil {
		return err
	}
	fresh := r.children(main.pid)
	c, err := net.Dial("unix", r.file("sock"))
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return err
	}
	if _, err := io.ReadAll(c); err != nil {
		return err
	}
	return r.await("a worker has ended", func() bool {
		i := slices.IndexFunc(fresh, func(s status) bool { return !s.alive() })
		if i >= 0 {
			r.roles[fresh[i].ident] = "new worker"
			r.expect(truth{victim: fresh[i].ident, role: "new worker", want: exited, not: []ident{a}})
		}
		return i >= 0
	})
}

var fpmTerminates = regexp.MustCompile(`child (\d+), .* execution timed out .*, terminating`)

func fpmTimeout(r *run) error {
	main, err := startFPM(r, "request_terminate_timeout = 1s\n")
	if err != nil {
		return err
	}
	r.assign(main)
	kids := r.children(main.pid)
	a, err := r.script(unix.SIGUSR1, main)
	if err != nil {
		return err
	}
	if err := r.awaitText("log", "re-opened"); err != nil {
		return err
	}
	php := r.write("slow.php", "<?php while (true) usleep(10000);\n")
	c, err := net.Dial("unix", r.file("sock"))
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write(fastCGI(map[string]string{"SCRIPT_FILENAME": php, "REQUEST_METHOD": "GET"})); err != nil {
		return err
	}
	// Its own log says whom it ends.
	return r.await("a child's timeout", func() bool {
		b, _ := os.ReadFile(r.file("log"))
		m := fpmTerminates.FindSubmatch(b)
		if m == nil {
			return false
		}
		pid, _ := strconv.Atoi(string(m[1]))
		i := slices.IndexFunc(kids, func(s status) bool { return s.pid == pid })
		if i >= 0 {
			r.expect(truth{victim: kids[i].ident, role: "worker", want: byParent, by: main, not: []ident{a}})
		}
		return i >= 0
	})
}

// fastCGI is a request without a body.
func fastCGI(params map[string]string) []byte {
	var b bytes.Buffer
	record := func(kind byte, content []byte) {
		b.Write([]byte{1, kind, 0, 1})
		_ = binary.Write(&b, binary.BigEndian, uint16(len(content)))
		b.Write([]byte{0, 0})
		b.Write(content)
	}
	record(1, []byte{0, 1, 0, 0, 0, 0, 0, 0}) // a request to a responder
	var p bytes.Buffer
	for k, v := range params {
		p.Write([]byte{byte(len(k)), byte(len(v))})
		p.WriteString(k + v)
	}
	record(4, p.Bytes())
	record(4, nil)
	record(5, nil)
	return b.Bytes()
}

func supervisordRestart(r *run) error {
	main, err := startSupervisord(r)
	if err != nil {
		return err
	}
	r.assign(main)
	plain, _ := r.withRole("plain")
	a, err := r.script(unix.SIGUSR2, main)
	if err != nil {
		return err
	}
	if err := r.awaitText("log", "logreopen"); err != nil {
		return err
	}
	// What it does within its reaction to the signal is that reaction.
	if err := r.passes(1100 * time.Millisecond); err != nil {
		return err
	}
	c := exec.Command("supervisorctl", "-c", r.file("s.conf"), "restart", "plain")
	c.Env = environment()
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "started") {
		return fmt.Errorf("supervisorctl: %w: %s", err, out)
	}
	r.expect(truth{victim: plain, role: "worker", want: byParent, by: main, not: []ident{a}})
	return nil
}
