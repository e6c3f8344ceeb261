// SPDX-License-Identifier: Apache-2.0

package safetext

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkMask measures what masking costs for each command line: what is
// masked for every death, and for each of its ancestors.
func BenchmarkMask(b *testing.B) {
	for _, c := range []struct {
		name string
		args []string
	}{
		{"short", []string{"sleep", "1000"}},
		{"server", []string{"/usr/sbin/nginx", "-g", "daemon off;", "-c", "/etc/nginx/nginx.conf"}},
		{"java", []string{"java", "-Xmx512m", "-XX:+UseG1GC", "-Dfile.encoding=UTF-8", "-cp", strings.Repeat("/app/lib/some-library-1.2.3.jar:", 40), "com.example.Main", "--spring.profiles.active=prod"}},
		{"runc", []string{"runc", "--root", "/run/containerd/runc/k8s.io", "--log", "/run/containerd/io.containerd.runtime.v2.task/k8s.io/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/log.json", "--log-format", "json", "kill", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "15"}},
		{"build", []string{"go", "test", "-race", "./...", strings.Repeat("/some/path/to/a/package ", 40)}},
		{"script", []string{"sh", "-c", strings.Repeat("for f in a b; do echo \"$f\" >> out; [ -e $f ] || exit 1; done\n", 20)}},
		{"secret", []string{"app", "--password=hunter2", "--listen", ":8080"}},
		{"nested", []string{"sh", "-c", "exec app --token abcDEF123 --url https://u:p4ssw0rd@host/x"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			from := cpuTime(b)
			for b.Loop() {
				Mask(c.args)
			}
			b.ReportMetric(float64(cpuTime(b)-from)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpuTime is what the process has used, in nanoseconds: on a busy machine the time
// that passes says little.
func cpuTime(b *testing.B) int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
