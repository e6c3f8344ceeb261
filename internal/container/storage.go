// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Storage names the containers of Podman (root's) and CRI-O from the records
// of the library that both keep them in, containers/storage. It needs no
// socket.
type Storage struct {
	root fs.FS
}

// The records, and where each container's pidfile is. Podman's ordinary
// containers are in the first, its --rm ones and CRI-O's in the second.
const (
	storedContainers   = "var/lib/containers/storage/overlay-containers/containers.json"
	storedVolatile     = "var/lib/containers/storage/overlay-containers/volatile-containers.json"
	storedTransient    = "run/containers/storage/overlay-containers/volatile-containers.json"
	storageRunDir      = "run/containers/storage/overlay-containers"
	storagePIDFileName = "userdata/pidfile"
)

// NewStorage reads below root, the host's root directory.
func NewStorage(root fs.FS) *Storage { return &Storage{root: root} }

// Name implements [Source].
func (s *Storage) Name() string { return "containers-storage" }

// Close implements [Source].
func (s *Storage) Close() error { return nil }

// storedRecord is one container; Metadata is JSON in a string.
type storedRecord struct {
	ID       string   `json:"id"`
	Names    []string `json:"names"`
	Metadata string   `json:"metadata"`
}

// storedMetadata is what Podman (libpod/storage.go) and CRI-O
// (internal/storage/runtime.go) write there; from pod-id on CRI-O alone.
type storedMetadata struct {
	ImageName    string `json:"image-name"`
	Name         string `json:"name"`
	PodID        string `json:"pod-id"`
	MetadataName string `json:"metadata-name"`
	UID          string `json:"uid"`       // of sandboxes only
	Namespace    string `json:"namespace"` // of sandboxes only
	Attempt      int    `json:"attempt"`
}

// List gives all containers of the records.
func (s *Storage) List(context.Context) ([]Info, error) {
	records, err := s.records()
	if err != nil {
		return nil, err
	}
	infos := make([]Info, 0, len(records))
	for id := range records {
		infos = append(infos, s.info(records, id))
	}
	return infos, nil
}

// Inspect gives the container with ref's id.
func (s *Storage) Inspect(_ context.Context, ref Ref) (Info, bool, error) {
	if !isID(ref.ID) {
		return Info{}, false, nil
	}
	records, err := s.records()
	if err != nil {
		return Info{}, false, err
	}
	if _, ok := records[ref.ID]; !ok {
		return Info{}, false, nil
	}
	return s.info(records, ref.ID), true, nil
}

// records gives the metadata of all containers by id.
func (s *Storage) records() (map[string]storedMetadata, error) {
	records := make(map[string]storedMetadata)
	there := false
	for _, name := range []string{storedContainers, storedVolatile, storedTransient} {
		var stored []storedRecord
		err := readJSON(s.root, name, &stored)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		there = true
		for _, record := range stored {
			records[record.ID] = record.metadata()
		}
	}
	if !there {
		return nil, absent("no /" + storedContainers)
	}
	return records, nil
}

// metadata decodes the inner JSON; other users of the library (Buildah) write
// other things there, which leaves the name.
func (r storedRecord) metadata() storedMetadata {
	var metadata storedMetadata
	if err := json.Unmarshal([]byte(r.Metadata), &metadata); err != nil {
		metadata = storedMetadata{}
	}
	if metadata.Name == "" && len(r.Names) > 0 {
		metadata.Name = r.Names[0]
	}
	return metadata
}

func (s *Storage) info(records map[string]storedMetadata, id string) Info {
	record := records[id]
	info := Info{
		ID:      id,
		Name:    record.Name,
		Image:   record.ImageName,
		Runtime: RuntimePodman,
		Attempt: record.Attempt,
		PID:     readPID(s.root, path.Join(storageRunDir, id, storagePIDFileName)),
	}
	if record.PodID == "" {
		return info
	}
	info.Runtime, info.Name = RuntimeCRIO, record.MetadataName
	if record.PodID == id {
		info.Sandbox, info.Name = true, ""
	}
	if sandbox, ok := records[record.PodID]; ok {
		info.Pod = &event.Pod{Namespace: sandbox.Namespace, Name: sandbox.MetadataName, UID: sandbox.UID}
	}
	return info
}
