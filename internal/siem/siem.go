// Package siem carries the records of the audit logs to the systems where a
// security team looks.
//
// What for: decisions and administrative changes stream to a SIEM as they are
// recorded, without anybody fetching them.
//
// Who calls it: app gives it the logs and the configuration and runs it; api
// shows its status.
//
// Promises: every record reaches every target at least once, in the order of its
// log, across restarts: the cursor moves only behind what a target took, and is on
// disk. A record names its log and number, so a receiver can drop one that came
// twice. Targets do not wait for each other. What is held in memory is bounded by
// a batch a target. Safe for concurrent use.
//
// How it fails: a target that does not take records is tried again with growing
// pauses, for as long as the log keeps them; Status says since when and why. A
// configuration that cannot work is refused at start (siem.config).
//
// Start reading at New, then Exporter.Run; the targets are in targets.go.
package siem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"reeve/internal/fault"
)

// Config is one target.
type Config struct {
	Name      string `yaml:"name" doc:"What the target is called in reeve siem status; its cursor is kept under it."`
	Kind      string `yaml:"kind" doc:"syslog (RFC 5424 over TLS), splunk (HTTP event collector), https (JSON lines, POSTed) or file (JSON lines)."`
	Address   string `yaml:"address" doc:"host:port of a syslog receiver."`
	URL       string `yaml:"url" doc:"Of a Splunk collector or a receiver of JSON lines; https unless it is on loopback."`
	File      string `yaml:"file" doc:"File to append JSON lines to."`
	TokenFile string `yaml:"token_file" doc:"File with the token that a Splunk collector or an https receiver asks for."`
	CA        string `yaml:"ca" doc:"PEM file of the authority of the receiver's certificate; empty takes the system's."`
}

// Record is a line of a log.
type Record struct {
	Log  string
	Seq  int64
	At   int64 // µs
	Kind string
	Line []byte // canonical JSON, verbatim
}

// Source is a log to be read from any place.
type Source interface {
	Name() string
	// Records gives at most limit records from seq on, in order; none at the end.
	// It may begin later when retention dropped the first.
	Records(ctx context.Context, seq int64, limit int) ([]Record, error)
}

// target takes records. It is used by one goroutine.
type target interface {
	send(ctx context.Context, batch []Record) error
	close()
}

// Options is what an exporter needs. Dir and Sources are required.
type Options struct {
	Dir     string // of the cursors
	Targets []Config
	Sources []Source
	Host    string // named as the sender
	Logger  *slog.Logger
	Now     func() time.Time
	Every   time.Duration // between looks for new records; 0 is a second
}

// Exporter carries records to all targets.
type Exporter struct {
	o    Options
	list []*stream
}

const (
	batchRecords = 200
	firstPause   = time.Second
	longestPause = time.Minute
	sendTimeout  = 30 * time.Second
)

// Status is how one target does.
type Status struct {
	Name, Kind, Where string
	Sent              int64            // records since the start
	Cursors           map[string]int64 // by log: the next record
	LastSent          time.Time        // zero: none since the start
	FailingSince      time.Time        // zero: it works
	Error             string
}

type stream struct {
	c      Config
	target target
	file   string

	mu     sync.Mutex // guards what follows
	status Status
}

var names = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,40}$`)

// New checks the targets and reads their cursors. It starts nothing.
func New(o Options) (*Exporter, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Every == 0 {
		o.Every = time.Second
	}
	x := &Exporter{o: o}
	if len(o.Targets) == 0 {
		return x, nil
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fault.New(fault.KindUnavailable, "siem.disk", "the folder of cursors cannot be made").WithCause(err)
	}
	seen := map[string]bool{}
	for _, c := range o.Targets {
		t, err := c.target(&x.o)
		if err != nil {
			return nil, err
		}
		if seen[c.Name] {
			return nil, badConfig("two targets are called %s", c.Name)
		}
		seen[c.Name] = true
		s := &stream{c: c, target: t, file: filepath.Join(o.Dir, c.Name+".json")}
		s.status = Status{Name: c.Name, Kind: c.Kind, Where: c.where(), Cursors: map[string]int64{}}
		text, err := os.ReadFile(s.file)
		if err == nil {
			err = json.Unmarshal(text, &s.status.Cursors)
		} else if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err != nil {
			return nil, fault.New(fault.KindInternal, "siem.cursor", "the cursor of %s cannot be read", c.Name).
				WithHint("remove %s: every record is sent again", filepath.Base(s.file)).WithCause(err)
		}
		x.list = append(x.list, s)
	}
	return x, nil
}

func badConfig(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "siem.config", "siem: "+format, args...)
}

// where is the target without secrets.
func (c *Config) where() string {
	switch {
	case c.Address != "":
		return c.Address
	case c.File != "":
		return c.File
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery = nil, ""
	return u.String()
}

// target makes the target that c describes, or says what is wrong with it.
func (c *Config) target(o *Options) (target, error) {
	if !names.MatchString(c.Name) {
		return nil, badConfig("%q is no name of a target", c.Name).WithHint("lower-case letters, digits, - and _")
	}
	switch c.Kind {
	case "syslog":
		if _, _, err := net.SplitHostPort(c.Address); err != nil {
			return nil, badConfig("%s: address %q is no host:port", c.Name, c.Address).WithCause(err)
		}
		return newSyslog(c, o)
	case "splunk", "https":
		if err := c.checkURL(); err != nil {
			return nil, err
		}
		return newHTTP(c, o)
	case "file":
		if c.File == "" {
			return nil, badConfig("%s needs a file", c.Name)
		}
		return &file{path: c.File}, nil
	}
	return nil, badConfig("%s: kind is %q", c.Name, c.Kind).WithHint("syslog, splunk, https or file")
}

func (c *Config) checkURL() error {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return badConfig("%s: %q is no URL", c.Name, c.URL).WithCause(err)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return badConfig("%s: records leave this host in the clear", c.Name).WithHint("use https")
	}
	if c.Kind == "splunk" && c.TokenFile == "" {
		return badConfig("%s needs a token_file", c.Name)
	}
	return nil
}

// Run carries records until ctx ends.
func (x *Exporter) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, s := range x.list {
		wg.Go(func() { x.run(ctx, s) })
	}
	wg.Wait()
	<-ctx.Done() // without targets there is nothing to do
	return context.Cause(ctx)
}

func (x *Exporter) run(ctx context.Context, s *stream) {
	defer s.target.close()
	pause := firstPause
	for {
		wait := x.o.Every
		if err := x.carry(ctx, s); err != nil && ctx.Err() == nil {
			x.failed(s, err)
			wait = pause + rand.N(pause/4+1)
			pause = min(2*pause, longestPause)
		} else {
			pause = firstPause
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

func (x *Exporter) failed(s *stream, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Error = fault.From(err).Error()
	if s.status.FailingSince.IsZero() {
		s.status.FailingSince = x.o.Now()
		x.o.Logger.Error("a siem target takes no records", "target", s.c.Name, "err", err)
	}
}

// carry sends all that there is now.
func (x *Exporter) carry(ctx context.Context, s *stream) error {
	for _, src := range x.o.Sources {
		for ctx.Err() == nil {
			s.mu.Lock()
			at := s.status.Cursors[src.Name()]
			s.mu.Unlock()
			batch, err := src.Records(ctx, at, batchRecords)
			if err != nil {
				return err
			}
			if len(batch) == 0 {
				break
			}
			sctx, cancel := context.WithTimeout(ctx, sendTimeout)
			err = s.target.send(sctx, batch)
			cancel()
			if err != nil {
				return err
			}
			if err := x.sent(s, src.Name(), batch); err != nil {
				return err
			}
		}
	}
	return nil
}

// sent moves the cursor, on disk first.
func (x *Exporter) sent(s *stream, log string, batch []Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Cursors[log] = batch[len(batch)-1].Seq + 1
	text, err := json.Marshal(s.status.Cursors)
	if err != nil {
		return err
	}
	tmp := s.file + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.Write(text)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err == nil {
		err = os.Rename(tmp, s.file)
	}
	if err != nil {
		return fmt.Errorf("keeping the cursor of %s: %w", s.c.Name, err)
	}
	s.status.Sent += int64(len(batch))
	s.status.LastSent = x.o.Now()
	if !s.status.FailingSince.IsZero() {
		x.o.Logger.Info("a siem target takes records again", "target", s.c.Name)
	}
	s.status.FailingSince, s.status.Error = time.Time{}, ""
	return nil
}

// Status is how the targets do.
func (x *Exporter) Status() []Status {
	var out []Status
	for _, s := range x.list {
		s.mu.Lock()
		st := s.status
		st.Cursors = map[string]int64{}
		for k, v := range s.status.Cursors {
			st.Cursors[k] = v
		}
		s.mu.Unlock()
		out = append(out, st)
	}
	return out
}
