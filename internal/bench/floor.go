package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// startFloors starts what the door is compared with: a bare Go proxy and, where
// asked for, nginx.
func startFloors(ctx context.Context, o GatewayOptions, upstream string) (list []contender, stop func(), err error) {
	base, pid, stopBare, err := startBare(ctx, o.Bin, "gateway", upstream)
	if err != nil {
		return nil, nil, err
	}
	list = []contender{{name: "bare proxy", base: base, pid: pid}}
	if o.Nginx == "" {
		return list, stopBare, nil
	}
	base, pid, stopNginx, err := startNginx(ctx, o.Nginx, upstream)
	if err != nil {
		stopBare()
		return nil, nil, err
	}
	return append(list, contender{name: "nginx", base: base, pid: pid}), func() { stopBare(); stopNginx() }, nil
}

// bareProxy is the floor: the standard library's reverse proxy and nothing else,
// in a process of its own so that its CPU is known.
func bareProxy(ctx context.Context, to string, stdout io.Writer) error {
	return serveFloor(ctx, to, stdout, func(p *httputil.ReverseProxy) http.Handler { return p })
}

// serveFloor serves what is made of a bare proxy until ctx ends; it prints its address.
func serveFloor(ctx context.Context, to string, stdout io.Writer, of func(*httputil.ReverseProxy) http.Handler) error {
	target, err := url.Parse(to)
	if err != nil {
		return fmt.Errorf("reading --bare-proxy: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{Handler: of(bare(target)), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, ErrorLog: silent}
	fmt.Fprintln(stdout, "http://"+l.Addr().String())
	go func() { <-ctx.Done(); _ = s.Close() }()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// bare is the standard library's reverse proxy and nothing else.
func bare(target *url.URL) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: time.Minute, DisableCompression: true},
		ErrorLog:  silent,
	}
}

// silent is where a floor's servers log that clients went away.
var silent = log.New(io.Discard, "", 0)

// startBare starts the floor of a measurement in a process of its own.
func startBare(ctx context.Context, bin, measurement, upstream string) (base string, pid int, stop func(), err error) {
	if bin == "" {
		if bin, err = os.Executable(); err != nil {
			return "", 0, nil, fmt.Errorf("finding this program: %w", err)
		}
	}
	cmd := exec.CommandContext(ctx, bin, "bench", measurement, "--bare-proxy", upstream)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", 0, nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", 0, nil, fmt.Errorf("starting the bare proxy: %w", err)
	}
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", 0, nil, fmt.Errorf("the bare proxy did not say where it is: %w", err)
	}
	return strings.TrimSpace(line), cmd.Process.Pid, stop, nil
}

// nginxConf is nginx as a proxy that keeps connections on both sides and passes
// streams on at once; %s: folder, folder, upstream, address.
const nginxConf = `daemon off;
pid %s/pid;
error_log %s/error.log;
worker_processes auto;
events { worker_connections 4096; }
http {
  access_log off;
  upstream bench { server %s; keepalive 256; }
  server {
    listen %s;
    keepalive_requests 1000000;
    location / {
      proxy_pass http://bench;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`

func startNginx(ctx context.Context, program, upstream string) (base string, pid int, stop func(), err error) {
	address, err := freeAddress()
	if err != nil {
		return "", 0, nil, err
	}
	dir, err := os.MkdirTemp("", "reeve-bench-nginx-")
	if err != nil {
		return "", 0, nil, err
	}
	file := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(nginxConf, dir, dir, strings.TrimPrefix(upstream, "http://"), address)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", 0, nil, errors.Join(err, os.RemoveAll(dir))
	}
	cmd := exec.CommandContext(ctx, program, "-p", dir, "-c", file, "-e", filepath.Join(dir, "error.log"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // its master ends its workers
	if err := cmd.Start(); err != nil {
		return "", 0, nil, errors.Join(fmt.Errorf("starting nginx: %w", err), os.RemoveAll(dir))
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	}
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			return "http://" + address, cmd.Process.Pid, stop, c.Close()
		}
		if err := wait(ctx, 20*time.Millisecond); err != nil {
			break
		}
	}
	why, _ := os.ReadFile(filepath.Join(dir, "error.log"))
	stop()
	return "", 0, nil, fmt.Errorf("nginx did not answer: %s", why)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
