package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// Server is a Reeve of our own, in a process of its own, for a measurement or
// to be killed. Not safe for concurrent use.
type Server struct {
	Bin  string // the program; "" is this one
	Dir  string // its data folder
	Log  io.Writer
	HTTP string // console and API, host:port
	OTLP string // OTLP over HTTP, host:port
	GRPC string // OTLP over gRPC, host:port
	Args []string
	Env  []string // besides this process's
	// Command starts it; nil is serve --dev.
	Command []string

	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// NewServer picks free loopback ports for a server on dir. Nothing starts yet.
func NewServer(bin, dir string, log io.Writer) (*Server, error) {
	if bin == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("finding this program: %w", err)
		}
		bin = self
	}
	s := &Server{Bin: bin, Dir: dir, Log: log}
	for _, p := range []*string{&s.HTTP, &s.OTLP, &s.GRPC} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("finding a free port: %w", err)
		}
		*p = l.Addr().String()
		defer l.Close() // after all three are known, so that they differ
	}
	return s, nil
}

// Start starts the server and returns when /readyz says yes.
func (s *Server) Start(ctx context.Context) error {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	command := s.Command
	if command == nil {
		command = []string{"serve", "--dev"}
	}
	s.cmd = exec.Command(s.Bin, slices.Concat(command, []string{
		"--data", s.Dir, "--listen", s.HTTP, "--gateway-listen", "",
		"--otlp-http-listen", s.OTLP, "--otlp-grpc-listen", s.GRPC,
	}, s.Args)...)
	s.cmd.Stdout, s.cmd.Stderr = s.Log, s.Log
	if len(s.Env) > 0 {
		s.cmd.Env = append(os.Environ(), s.Env...)
	}
	// A bench that dies must not leave a server behind.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.done = make(chan struct{})
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", s.Bin, err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.HTTP+"/readyz", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-s.done:
			return fmt.Errorf("the server ended before it was ready: %w", s.err)
		case <-ctx.Done():
			_ = s.Kill()
			return errors.New("the server was not ready within a minute")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// profiler takes CPU profiles into a file whose name gets the given ending; nil
// takes none.
type profiler func(ending string) error

// take starts taking one and gives what waits for its end.
func (p profiler) take(ending string) (wait func() error) {
	if p == nil {
		return func() error { return nil }
	}
	var g errgroup.Group
	g.Go(func() error { return p(ending) })
	return g.Wait
}

// profiler takes profiles of the server, over most of d; nil when the file has
// no name. Servers have profiles with --dev only.
func (s *Server) profiler(ctx context.Context, file string, d time.Duration) profiler {
	if file == "" {
		return nil
	}
	return func(ending string) error {
		url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.HTTP, max(1, int(d.Seconds())-1))
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return fmt.Errorf("asking for a profile: %w", err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("asking for a profile: the server answers %s", resp.Status)
		}
		f, err := os.Create(file + ending)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, resp.Body)
		return errors.Join(err, f.Close())
	}
}

// Pid is the server's process id.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Kill ends the server at once (SIGKILL) and waits until it is gone.
func (s *Server) Kill() error {
	err := s.cmd.Process.Kill()
	<-s.done
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Stop asks the server to end and waits for it, at most half a minute.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.done:
		return nil
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("the server did not stop within half a minute"), s.Kill())
	}
}

// tempDir makes a folder that cleanup removes.
func tempDir() (dir string, cleanup func(), err error) {
	if dir, err = os.MkdirTemp("", "reeve-bench-"); err != nil {
		return "", nil, err
	}
	return filepath.Join(dir, "data"), func() { _ = os.RemoveAll(dir) }, nil
}

// tempServer starts a server on data; "" is a fresh folder that cleanup
// removes.
func tempServer(ctx context.Context, bin, data string, args []string, log io.Writer) (s *Server, cleanup func(), err error) {
	remove := func() {}
	if data == "" {
		if data, remove, err = tempDir(); err != nil {
			return nil, nil, err
		}
	}
	if s, err = NewServer(bin, data, log); err != nil {
		remove()
		return nil, nil, err
	}
	s.Args = args
	if err := s.Start(ctx); err != nil {
		remove()
		return nil, nil, err
	}
	return s, func() { _ = s.Stop(); remove() }, nil
}
