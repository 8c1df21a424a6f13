package mcp

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/upstream"
)

// Config is what the configuration file says about servers of tools that are
// processes of this host.
type Config struct {
	Commands []string `yaml:"commands" doc:"Programs that servers of tools may be, by absolute path. Nothing else is ever started."`
	Servers  []Server `yaml:"servers" doc:"Servers of tools that are processes of this host; docs/mcp.md tells their keys."`
}

// Server is a server of tools that is a process of this host: its code runs here
// with the rights that it is given.
type Server struct {
	Name        string            `yaml:"name"`
	Command     string            `yaml:"command"` // one of Commands
	Args        []string          `yaml:"args"`
	Digests     map[string]string `yaml:"digests"`  // SHA-256 in hex of files, the command's among them
	Env         map[string]string `yaml:"env"`      // its variables; there are no others
	EnvFrom     []string          `yaml:"env_from"` // variables of ours that it gets
	Team        string            `yaml:"team"`
	Environment string            `yaml:"environment"`
	Shared      bool              `yaml:"shared"`
	External    bool              `yaml:"external"`
	Classes     []string          `yaml:"classes"`
	Shareable   bool              `yaml:"shareable"` // one process serves all callers
	TimeoutMS   int64             `yaml:"timeout_ms"`
	User        int               `yaml:"user"`     // number of the user it runs as; 0 is nobody's where we may choose
	Readable    []string          `yaml:"readable"` // folders that it may read, beside those of the system
	Writable    []string          `yaml:"writable"`
	MemoryMB    int64             `yaml:"memory_mb"` // 0 is 4096
	Files       int64             `yaml:"files"`     // open files; 0 is 256
	Processes   int64             `yaml:"processes"` // and threads, of its user; 0 is 512
}

var (
	serverName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	digestForm = regexp.MustCompile(`^[0-9a-f]{64}$`)
	envName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
)

// Validate refuses what is not safe to start. data is our folder, which no child
// may read.
func (c *Config) Validate(data string) error {
	bad := func(format string, args ...any) error {
		return fault.New(fault.KindInvalid, "config.invalid", "mcp."+format, args...)
	}
	for _, path := range c.Commands {
		if !filepath.IsAbs(path) || filepath.Clean(path) != path {
			return bad("commands: %q is no absolute path", path)
		}
	}
	names := map[string]bool{}
	for i := range c.Servers {
		s := &c.Servers[i]
		at := func(format string, args ...any) error {
			return bad("servers: %s: %s", s.Name, fmt.Sprintf(format, args...))
		}
		switch {
		case !serverName.MatchString(s.Name) || s.Name == "local" || names[s.Name]:
			return bad("servers: %q is no name, or one that is there twice", s.Name)
		case !slices.Contains(c.Commands, s.Command):
			return at("command %q is not one of mcp.commands", s.Command)
		case !digestForm.MatchString(s.Digests[s.Command]):
			return at("digests has no SHA-256 of %s", s.Command)
		case s.Team == "":
			return at("it belongs to a team")
		case s.MemoryMB < 0 || s.Files < 0 || s.Processes < 0 || s.TimeoutMS < 0 || s.User < 0:
			return at("no limit is negative")
		}
		names[s.Name] = true
		for path, sum := range s.Digests {
			if !filepath.IsAbs(path) || !digestForm.MatchString(sum) {
				return at("digests: %q is no absolute path with a SHA-256 in hex", path)
			}
		}
		for _, name := range slices.Concat(slices.Collect(maps.Keys(s.Env)), s.EnvFrom) {
			if !envName.MatchString(name) || strings.HasPrefix(name, "REEVE_") || strings.HasPrefix(name, "LD_") || strings.HasPrefix(name, "VAULT_") {
				return at("%q is no variable that a child may have", name)
			}
		}
		for _, dir := range slices.Concat(s.Readable, s.Writable) {
			if !filepath.IsAbs(dir) || inside(data, dir) || inside(dir, data) {
				return at("%q is no absolute path, or has to do with our data folder", dir)
			}
		}
	}
	return nil
}

// inside reports whether path is dir or below it.
func inside(dir, path string) bool {
	d, err1 := filepath.Abs(dir)
	p, err2 := filepath.Abs(path)
	if err1 != nil || err2 != nil {
		return true // then it is not let near
	}
	return p == d || strings.HasPrefix(p, strings.TrimSuffix(d, "/")+"/")
}

// Upstreams are the servers as upstreams of the door.
func (c *Config) Upstreams() (out []client.Upstream) {
	for i := range c.Servers {
		s := &c.Servers[i]
		environment := s.Environment
		if environment == "" {
			environment = "production"
		}
		out = append(out, client.Upstream{
			Name: s.Name, Kind: "mcp", Dialect: "stdio", URL: "stdio:" + s.Name, Team: s.Team, Environment: environment,
			Shared: s.Shared, External: s.External, Classes: s.Classes, TimeoutMS: s.TimeoutMS, Revision: s.revision(),
		})
	}
	return out
}

// revision grows with nothing and differs with everything.
func (s *Server) revision() int64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%v", *s))
	return int64(uint32(sum[0])<<16|uint32(sum[1])<<8|uint32(sum[2])) + 1
}

// children starts and watches the processes.
type children struct {
	servers map[string]*Server
	log     *slog.Logger

	mu      sync.Mutex
	state   map[string]*starts
	running map[*pipe]bool
	wg      sync.WaitGroup
	missing sync.Once
}

// starts is how often a server was started in vain.
type starts struct {
	failed int
	next   time.Time
	live   int
}

const (
	maxChildren  = 64 // of one server
	firstBackOff = time.Second
	maxBackOff   = time.Minute
	wellAfter    = 30 * time.Second // a child that lived so long was started well
	graceful     = 2 * time.Second
	maxLine      = maxAnswer
	maxLogLine   = 2 << 10
)

var (
	errChildren = fault.New(fault.KindExhausted, "mcp.children", "the server runs for too many callers at once")
	errDigest   = fault.New(fault.KindUnavailable, "mcp.digest", "the server's program is not the one that the configuration names").
			WithHint("compare its SHA-256 with mcp.servers.digests")
	errStart = fault.New(fault.KindUnavailable, "mcp.start", "the server's process cannot be started")
)

func newChildren(c Config, log *slog.Logger) *children {
	out := &children{servers: map[string]*Server{}, log: log, state: map[string]*starts{}, running: map[*pipe]bool{}}
	for i := range c.Servers {
		out.servers[c.Servers[i].Name] = &c.Servers[i]
	}
	return out
}

// shareable reports whether one process serves all callers.
func (c *children) shareable(u *upstream.Upstream) bool {
	s := c.servers[u.Name]
	return u.Dialect == "stdio" && s != nil && s.Shareable
}

// admit lets a start happen, unless the last ones failed shortly before.
func (c *children) admit(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state[name]
	if s == nil {
		s = &starts{}
		c.state[name] = s
	}
	switch wait := time.Until(s.next); {
	case wait > 0:
		return errStart.WithHint("it ended right after its last start").WithRetryAfter(wait)
	case s.live >= maxChildren:
		return errChildren
	}
	s.live++
	return nil
}

// over notes how a start went.
func (c *children) over(name string, lived time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state[name]
	s.live--
	if lived >= wellAfter {
		s.failed = 0
		return
	}
	wait := min(firstBackOff<<min(s.failed, 10), maxBackOff)
	s.failed++
	s.next = time.Now().Add(wait)
}

// start starts a server for a caller and begins to speak with it.
func (c *children) start(ctx context.Context, name string, ids *atomic.Int64, greet func(*pipe) error) (*pipe, error) {
	s := c.servers[name]
	if s == nil {
		return nil, errStart
	}
	if err := c.admit(name); err != nil {
		return nil, err
	}
	began := time.Now()
	child, err := c.spawn(s)
	if err != nil {
		c.over(name, 0)
		c.log.Warn("a server of tools was not started", "upstream", name, "err", err)
		return nil, err
	}
	p := newPipe(name, ids, s.Shareable)
	p.send, p.end = child.send, child.end
	c.mu.Lock()
	c.running[p] = true
	c.mu.Unlock()
	c.wg.Go(func() {
		err := child.read(func(line []byte) error { return p.heard(context.Background(), line) })
		lived := time.Since(began)
		if child.asked.Load() {
			lived = wellAfter
		}
		c.over(name, lived) // before anybody can try again
		p.broke(err)
		child.wait()
		c.mu.Lock()
		delete(c.running, p)
		c.mu.Unlock()
	})
	if err := greet(p); err != nil {
		p.broke(errPipe)
		return nil, err
	}
	return p, nil
}

// end ends all and waits for them.
func (c *children) end() {
	c.mu.Lock()
	all := slices.Collect(maps.Keys(c.running))
	c.mu.Unlock()
	for _, p := range all {
		p.broke(errPipe)
	}
	c.wg.Wait()
}

// child is a process.
type child struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.ReadCloser
	dir    string
	exited chan struct{}
	asked  atomic.Bool // we ended it
	once   sync.Once
	write  sync.Mutex
}

// spawn starts the process with what it may have and nothing else.
func (c *children) spawn(s *Server) (*child, error) {
	if err := verify(s); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "reeve-mcp-")
	if err != nil {
		return nil, errStart.WithCause(err)
	}
	cmd := exec.Command(s.Command, s.Args...)
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "TMPDIR=" + dir}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		cmd.Env = append(cmd.Env, name+"="+s.Env[name])
	}
	for _, name := range s.EnvFrom {
		cmd.Env = append(cmd.Env, name+"="+os.Getenv(name))
	}
	n := &child{cmd: cmd, dir: dir, exited: make(chan struct{})}
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	stderr, err3 := cmd.StderrPipe()
	if err := errors.Join(err1, err2, err3); err != nil {
		_ = os.RemoveAll(dir)
		return nil, errStart.WithCause(err)
	}
	n.in, n.out = stdin, stdout
	started := make(chan error, 1)
	// A child dies with the thread that made it, and inherits what that thread may
	// do: so one thread of ours belongs to it until it has ended.
	c.wg.Go(func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		lacking, err := confine(cmd, s, dir)
		if err == nil {
			err = cmd.Start()
		}
		if err == nil {
			more, wrong := limit(cmd.Process.Pid, s)
			lacking = append(lacking, more...)
			if err = wrong; err != nil {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			}
		}
		c.missing.Do(func() {
			if len(lacking) > 0 {
				c.log.Warn("servers of tools run with less protection than there is", "missing", strings.Join(lacking, "; "))
			}
		})
		started <- err
		if err != nil {
			return
		}
		go logLines(stderr, func(line string) { c.log.Debug("a server of tools says", "upstream", s.Name, "text", line) })
		_, _ = cmd.Process.Wait() // its output tells how it went
		close(n.exited)
	})
	if err := <-started; err != nil {
		_ = os.RemoveAll(dir)
		return nil, errStart.WithCause(err)
	}
	return n, nil
}

// verify compares the program and the files that belong to it with their
// digests.
func verify(s *Server) error {
	for _, path := range slices.Sorted(maps.Keys(s.Digests)) {
		f, err := os.Open(path)
		if err != nil {
			return errDigest.WithCause(err)
		}
		sum := sha256.New()
		_, err = io.Copy(sum, f)
		_ = f.Close()
		if err != nil || hex.EncodeToString(sum.Sum(nil)) != s.Digests[path] {
			return errDigest.WithCause(fmt.Errorf("%s: %w", path, errors.Join(err, errors.New("another SHA-256"))))
		}
	}
	return nil
}

func (n *child) send(_ context.Context, msg []byte) error {
	line := make([]byte, 0, len(msg)+1)
	for _, c := range msg {
		if c != '\n' && c != '\r' { // only between values: within one they are escaped
			line = append(line, c)
		}
	}
	n.write.Lock()
	defer n.write.Unlock()
	if _, err := n.in.Write(append(line, '\n')); err != nil {
		return errPipe.WithCause(err)
	}
	return nil
}

// read gives each line of the child's to each until it ends.
func (n *child) read(each func([]byte) error) error {
	r := bufio.NewReaderSize(n.out, 64<<10)
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if len(line) > maxLine {
				return errGarbage
			}
			continue
		case err != nil:
			return errPipe.WithCause(err)
		}
		if text := strings.TrimSpace(string(line)); text != "" {
			if err := each([]byte(text)); err != nil {
				return err
			}
		}
		line = line[:0]
	}
}

// end asks the child to end, and then makes it.
func (n *child) end(why error) {
	n.once.Do(func() {
		n.asked.Store(why == error(errPipe)) // with a cause it is the child's own end
		_ = n.in.Close()
		go func() {
			select {
			case <-n.exited:
			case <-time.After(graceful):
			}
			n.kill()
			_ = n.out.Close()
		}()
	})
}

// wait waits until the child has ended and takes away what it left.
func (n *child) wait() {
	select {
	case <-n.exited:
	case <-time.After(graceful + time.Second):
		n.kill()
		<-n.exited
	}
	_ = os.RemoveAll(n.dir)
}

// logLines gives lines of text to each, a hundred a minute at most.
func logLines(r io.Reader, each func(string)) {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, maxLogLine), 1<<20)
	minute, n := time.Now(), 0
	for s.Scan() {
		if time.Since(minute) > time.Minute {
			minute, n = time.Now(), 0
		}
		if n++; n > 100 {
			continue
		}
		text := s.Text()
		each(text[:min(len(text), maxLogLine)])
	}
	_, _ = io.Copy(io.Discard, r) // a line that is too long: the child must not block on it
}
