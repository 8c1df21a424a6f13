package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is what a process and its children have used so far.
type usage struct {
	cpu      float64 // seconds, children included
	childCPU float64 // of that, living children (the query child)
	peak     int64   // highest resident bytes of the process
	rss      int64   // resident bytes now
	childRSS int64   // highest of any living child
}

// clockTicks is USER_HZ, which Linux fixes at 100 for /proc on every
// architecture that Go runs on.
const clockTicks = 100

// procUsage reads /proc. ok is false where there is no /proc or no process.
func procUsage(pid int) (u usage, ok bool) {
	own, waited, ok := procCPU(pid)
	if !ok {
		return u, false
	}
	u.cpu = own + waited
	u.peak, u.rss = procMemory(pid)
	for _, child := range children(pid) {
		c, w, ok := procCPU(child)
		if !ok {
			continue
		}
		u.cpu += c + w
		u.childCPU += c + w
		peak, _ := procMemory(child)
		u.childRSS = max(u.childRSS, peak)
	}
	return u, true
}

// procCPU gives the seconds of a process and of its dead, waited-for children.
func procCPU(pid int) (own, waited float64, ok bool) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, false
	}
	// The name in parentheses may hold anything: fields count from the last one.
	_, rest, ok := strings.Cut(string(raw[strings.LastIndexByte(string(raw), ')'):]), " ")
	f := strings.Fields(rest)
	if !ok || len(f) < 15 {
		return 0, 0, false
	}
	tick := func(i int) float64 { n, _ := strconv.ParseFloat(f[i], 64); return n / clockTicks }
	return tick(11) + tick(12), tick(13) + tick(14), true
}

func procMemory(pid int) (peak, now int64) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "VmHWM:":
			peak = n << 10
		case "VmRSS:":
			now = n << 10
		}
	}
	return peak, now
}

func children(pid int) []int {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var out []int
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		for _, w := range strings.Fields(string(raw)) {
			if n, err := strconv.Atoi(w); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

// ownCPU is what this process has used, in seconds.
func ownCPU() float64 {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return 0
	}
	return float64(ru.Utime.Nano()+ru.Stime.Nano()) / 1e9
}

// diskBytes adds up the files under dir, by their folder without days: that
// tells steps from messages from the log.
func diskBytes(dir string) (total int64, by map[string]int64, err error) {
	by = map[string]int64{}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if os.IsNotExist(err) {
				return nil // merged away while we looked
			}
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		rel, _ := filepath.Rel(dir, path)
		kind := kindOfFile(filepath.ToSlash(rel))
		size := info.Size()
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			size = min(size, st.Blocks*512) // a preallocated file takes what was written
		}
		by[kind] += size
		total += size
		return nil
	})
	return total, by, err
}

// kindOfFile is a file's folder with what looks like a date or a number left
// out: telemetry/segments/2026-11-22/steps/0000000001.parquet is of kind
// telemetry/segments/steps.
func kindOfFile(path string) string {
	parts := strings.Split(path, "/")
	var keep []string
	for _, p := range parts[:len(parts)-1] {
		if strings.Trim(p, "0123456789-") != "" {
			keep = append(keep, p)
		}
	}
	if len(keep) == 0 || len(parts) == 2 { // index.db and its like are worth a line of their own
		keep = parts
	}
	return strings.Join(keep, "/")
}

// metrics reads a Prometheus text page into name{labels} -> value. A server
// without one gives an empty map.
func metrics(ctx context.Context, url, token string) map[string]float64 {
	out := map[string]float64{}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return out
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return out
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return out
	}
	sc := bufio.NewScanner(io.LimitReader(resp.Body, 8<<20))
	for sc.Scan() {
		line := sc.Text()
		i := strings.LastIndexByte(line, ' ')
		if i <= 0 || line[0] == '#' {
			continue
		}
		if v, err := strconv.ParseFloat(line[i+1:], 64); err == nil {
			out[line[:i]] = v
		}
	}
	return out
}

// stages picks the seconds by stage: any series of a name that holds
// "stage_seconds" with a label stage.
func stages(m map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for k, v := range m {
		name, labels, _ := strings.Cut(k, "{")
		if !strings.Contains(name, "stage_seconds") {
			continue
		}
		if _, rest, ok := strings.Cut(labels, `stage="`); ok {
			stage, _, _ := strings.Cut(rest, `"`)
			out[stage] += v
		}
	}
	return out
}
