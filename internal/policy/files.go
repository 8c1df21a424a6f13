package policy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"reeve/internal/fault"
)

// A folder of policies says by its shape whose each file is, so that the rights
// on folders (or a repository's owners of folders) decide who writes what:
//
//	NAME.cedar                    security's own, for everybody
//	guardrails/NAME.cedar         a guardrail
//	teams/TEAM/NAME.cedar         a team's
//	.../NAME.observe.cedar        any of them, in observe
//
// Other names are refused, but for those that begin with a dot or end otherwise
// than .cedar, so that a README may stand beside.

const (
	maxFiles  = 1000
	fileEvery = time.Second
	fileAgain = 10 * time.Second
)

// fileState is what was last read of the folder.
type fileState struct {
	seen  string    // names, sizes and times
	err   error     // why the files of now are not in force; nil when they are
	again time.Time // when to try those anew
}

// FileError says why the files as they are now are not in force; nil when they
// are.
func (s *Store) FileError() error {
	s.change.Lock()
	defer s.change.Unlock()
	return s.files.err
}

// Run follows the files until ctx ends, whose cause it returns. Files that
// cannot be read or are wrong change nothing and are logged once.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(fileEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			if s.o.Dir == "" {
				continue
			}
			if err := s.Reload(ctx); err != nil && ctx.Err() == nil {
				s.o.Logger.Error("the files of policies are not in force; what was before stays", "err", err)
			}
		}
	}
}

// Reload reads the files when they changed since the last look and puts them in
// force, all or none. Only a new failure is returned.
func (s *Store) Reload(ctx context.Context) error {
	s.change.Lock()
	defer s.change.Unlock()
	return s.reload(ctx)
}

func (s *Store) reload(ctx context.Context) error {
	if s.o.Dir == "" {
		return s.adopt(ctx, nil) // files of an earlier configuration end
	}
	paths, seen, err := listFiles(s.o.Dir)
	before, now := s.files.err, s.o.Now()
	if err == nil {
		if seen == s.files.seen && (before == nil || now.Before(s.files.again)) {
			return nil
		}
		s.files.seen = seen
		var docs []Document
		if docs, err = readFiles(s.o.Dir, paths); err == nil {
			err = s.adopt(ctx, docs)
		}
	}
	// What is wrong may be mended elsewhere too: an agent moves, a disk has room.
	s.files.err, s.files.again = err, now.Add(fileAgain)
	if err != nil && before != nil && err.Error() == before.Error() {
		return nil
	}
	return err
}

// listFiles finds the policies below dir, and a text that changes with them.
func listFiles(dir string) (paths []string, seen string, err error) {
	var b strings.Builder
	walk := func(path string, info fs.FileInfo) error {
		if len(paths) == maxFiles {
			return fault.New(fault.KindInvalid, "policy.files", "the folder %s has more than %d policies", dir, maxFiles)
		}
		paths = append(paths, path)
		fmt.Fprintf(&b, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
		return nil
	}
	if err := eachFile(dir, ".", 0, walk); err != nil {
		var f *fault.Error
		if !errors.As(err, &f) {
			err = fault.New(fault.KindInvalid, "policy.files", "the folder of policies %s cannot be read", dir).WithCause(err)
		}
		return nil, "", err
	}
	return paths, b.String(), nil
}

// eachFile walks by hand to follow links, as mounted configuration has them.
func eachFile(dir, below string, depth int, f func(string, fs.FileInfo) error) error {
	list, err := os.ReadDir(filepath.Join(dir, below))
	if err != nil {
		return err
	}
	for _, e := range list {
		name := filepath.Join(below, e.Name())
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, name))
		switch {
		case err != nil:
			return err
		case info.IsDir() && depth < 2:
			if err := eachFile(dir, name, depth+1, f); err != nil {
				return err
			}
		case info.Mode().IsRegular() && strings.HasSuffix(e.Name(), ".cedar"):
			if err := f(name, info); err != nil {
				return err
			}
		}
	}
	return nil
}

func readFiles(dir string, paths []string) ([]Document, error) {
	var docs []Document
	seen := map[string]string{}
	for _, path := range paths {
		d, ok := documentOf(path)
		if !ok {
			return nil, fault.New(fault.KindInvalid, "policy.files", "%s stands where no policy belongs", path).
				WithHint("NAME.cedar, guardrails/NAME.cedar or teams/TEAM/NAME.cedar; NAME.observe.cedar to observe")
		}
		if other := seen[d.Name]; other != "" {
			return nil, fault.New(fault.KindInvalid, "policy.files", "%s and %s have one name", other, path)
		}
		seen[d.Name] = path
		f, err := os.Open(filepath.Join(dir, path))
		if err != nil {
			return nil, fault.New(fault.KindInvalid, "policy.files", "%s cannot be read", path).WithCause(err)
		}
		text, err := io.ReadAll(io.LimitReader(f, maxText+1))
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fault.New(fault.KindInvalid, "policy.files", "%s cannot be read", path).WithCause(err)
		}
		d.Cedar = string(text)
		docs = append(docs, d)
	}
	return docs, nil
}

// documentOf reads a file's place.
func documentOf(path string) (d Document, ok bool) {
	parts := strings.Split(filepath.ToSlash(path), "/")
	d.Name = strings.TrimSuffix(parts[len(parts)-1], ".cedar")
	if name, cut := strings.CutSuffix(d.Name, ".observe"); cut {
		d.Name, d.Observe = name, true
	}
	switch {
	case len(parts) == 1:
	case len(parts) == 2 && parts[0] == "guardrails":
		d.Guardrail = true
	case len(parts) == 3 && parts[0] == "teams":
		d.Team = parts[1]
	default:
		return d, false
	}
	return d, true
}

// adopt makes the policies that are files what docs say; change is held.
func (s *Store) adopt(ctx context.Context, docs []Document) error {
	var changes []change
	wanted := map[string]bool{}
	for _, d := range docs {
		wanted[d.Name] = true
		old, ok := s.Get(d.Name)
		if ok && old.Origin != OriginFile {
			return fault.New(fault.KindConflict, "policy.files", "there is a policy %s already that is no file", d.Name).
				WithHint("give the file another name, or delete that policy")
		}
		if ok && old.Document == d {
			continue
		}
		statements, err := s.Compile(d)
		if err != nil {
			return err
		}
		c := change{name: d.Name, action: "edit", reason: "the file changed", old: old, now: &Policy{Document: d, Origin: OriginFile, Reason: "the file changed", Statements: statements}}
		if !ok {
			c.action, c.reason, c.now.Reason = "create", "a new file", "a new file"
		}
		changes = append(changes, c)
	}
	for _, p := range s.List() {
		if p.Origin == OriginFile && !wanted[p.Name] {
			changes = append(changes, change{name: p.Name, action: "delete", reason: "the file is gone", old: p})
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return s.save(ctx, Actor{Person: "reeve", Name: "files"}, changes...)
}
