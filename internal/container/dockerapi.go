// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// dockerAPI asks a daemon what is needed here. Docker's own client could; its
// imports cost every start of sigtrace more than a millisecond, and its binary
// two megabytes, for two requests.
type dockerAPI struct {
	http *http.Client
	base string

	mu      sync.Mutex
	version string // the daemon's, once it has been asked
}

// errNoContainer is the daemon's 404.
var errNoContainer = errors.New("no such container")

const (
	dockerAnswerMax = 64 << 20
	dockerErrorMax  = 4 << 10
)

// newDockerAPI is for a URL as DOCKER_HOST has it: unix:// or tcp://, which is
// plain HTTP.
func newDockerAPI(host string) (*dockerAPI, error) {
	transport := &http.Transport{MaxIdleConns: 2}
	api := &dockerAPI{http: &http.Client{Transport: transport}}
	switch scheme, address, _ := strings.Cut(host, "://"); scheme {
	case "unix":
		api.base = "http://docker" // a name that HTTP wants and nobody looks up
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", address)
		}
	case "tcp", "http":
		api.base = "http://" + address
	default:
		return nil, fmt.Errorf("%q is neither unix:///PATH nor tcp://HOST:PORT", host)
	}
	return api, nil
}

// get asks for a path of the API in the version that the daemon speaks itself:
// the lowest that new ones take is above the highest of old ones.
func (d *dockerAPI) get(ctx context.Context, path string, into any) error {
	version, err := d.speaks(ctx)
	if err != nil {
		return err
	}
	err = d.ask(ctx, "/v"+version+path, func(r *http.Response) error {
		return json.NewDecoder(io.LimitReader(r.Body, dockerAnswerMax)).Decode(into)
	})
	if err != nil && !errors.Is(err, errNoContainer) {
		d.forget() // it may be another daemon by the next time
	}
	return err
}

func (d *dockerAPI) speaks(ctx context.Context) (version string, err error) {
	d.mu.Lock()
	version = d.version
	d.mu.Unlock()
	if version != "" {
		return version, nil
	}
	err = d.ask(ctx, "/_ping", func(r *http.Response) error {
		if version = r.Header.Get("Api-Version"); version == "" {
			return errors.New("it does not tell the version of its API: is it Docker?")
		}
		return nil
	})
	d.mu.Lock()
	d.version = version
	d.mu.Unlock()
	return version, err
}

func (d *dockerAPI) forget() {
	d.mu.Lock()
	d.version = ""
	d.mu.Unlock()
}

func (d *dockerAPI) ask(ctx context.Context, path string, read func(*http.Response) error) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+path, nil)
	if err != nil {
		return err
	}
	response, err := d.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return read(response)
	case http.StatusNotFound:
		return errNoContainer
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, dockerErrorMax))
	return fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(text)))
}

func (d *dockerAPI) close() { d.http.CloseIdleConnections() }
