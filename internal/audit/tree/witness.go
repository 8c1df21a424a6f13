package tree

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

// WitnessOptions say where checkpoints are kept beside the data folder. Empty
// ones are off.
type WitnessOptions struct {
	File   string // appended to; outside the data folder, best on another machine
	URL    string // POSTed to, as JSON
	Client *http.Client
	Logger *slog.Logger
	Now    func() time.Time
}

// Witness carries checkpoints out of the installation: without one elsewhere,
// the removal of the newest records together with their checkpoints cannot be
// seen. Only the newest of a log counts, so one that cannot be delivered is
// replaced by the next.
type Witness struct {
	o WitnessOptions

	mu     sync.Mutex // guards what follows
	news   map[string][]byte
	posted map[string][]byte // what the URL does not have yet
	state  WitnessState
}

// WitnessState is how the delivery goes.
type WitnessState struct {
	FileAt, URLAt   time.Time // of the last success; zero: none
	FileErr, URLErr string    // "" when the last try worked
}

const (
	witnessEvery   = time.Second      // to the file
	webhookEvery   = 10 * time.Second // to the URL
	webhookTimeout = 10 * time.Second
	// The file is put aside as FILE.1 when it grows beyond this: half a year of a
	// checkpoint each minute.
	maxWitnessFile = 64 << 20
)

// witnessed is a line of the file and the body of a POST.
type witnessed struct {
	At         time.Time `json:"at"`
	Origin     string    `json:"origin"`
	Checkpoint string    `json:"checkpoint"`
}

// NewWitness makes a witness that Run serves.
func NewWitness(o WitnessOptions) *Witness {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: webhookTimeout}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Witness{o: o, news: map[string][]byte{}, posted: map[string][]byte{}}
}

// Offer takes a log's newest checkpoint. It does not wait.
func (w *Witness) Offer(origin string, checkpoint []byte) {
	if w.o.File == "" && w.o.URL == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.news[origin] = checkpoint
	w.posted[origin] = checkpoint
}

// State is how the delivery goes.
func (w *Witness) State() WitnessState {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

// Run delivers until ctx ends, and then once more.
func (w *Witness) Run(ctx context.Context) error {
	file, hook := time.NewTicker(witnessEvery), time.NewTicker(webhookEvery)
	defer file.Stop()
	defer hook.Stop()
	for {
		select {
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), webhookTimeout/5)
			defer cancel()
			w.write()
			w.post(end)
			return nil
		case <-file.C:
			w.write()
		case <-hook.C:
			w.post(ctx)
		}
	}
}

func (w *Witness) take(from map[string][]byte) map[string][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := maps.Clone(from)
	clear(from)
	return out
}

// put gives back what was not delivered, unless there is something newer.
func (w *Witness) put(to, list map[string][]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for origin, c := range list {
		if to[origin] == nil {
			to[origin] = c
		}
	}
}

func (w *Witness) write() {
	if w.o.File == "" {
		return
	}
	list := w.take(w.news)
	if len(list) == 0 {
		return
	}
	err := w.appendFile(list)
	if err != nil {
		w.put(w.news, list)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && w.state.FileErr == "" {
		w.o.Logger.Error("checkpoints do not reach the witness file", "err", err)
	}
	w.state.FileErr = textOf(err)
	if err == nil {
		w.state.FileAt = w.o.Now()
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (w *Witness) appendFile(list map[string][]byte) error {
	if info, err := os.Stat(w.o.File); err == nil && info.Size() > maxWitnessFile {
		if err := os.Rename(w.o.File, w.o.File+".1"); err != nil {
			return err
		}
	}
	var b []byte
	for _, origin := range slices.Sorted(maps.Keys(list)) {
		line, err := json.Marshal(witnessed{w.o.Now().UTC(), origin, string(list[origin])})
		if err != nil {
			return err
		}
		b = append(append(b, line...), '\n')
	}
	f, err := os.OpenFile(w.o.File, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

func (w *Witness) post(ctx context.Context) {
	if w.o.URL == "" {
		return
	}
	list := w.take(w.posted)
	if len(list) == 0 {
		return
	}
	var failed error
	for origin, c := range list {
		if err := w.postOne(ctx, origin, c); err != nil {
			failed = err
			w.put(w.posted, map[string][]byte{origin: c})
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if failed != nil && w.state.URLErr == "" {
		w.o.Logger.Error("checkpoints do not reach the witness", "err", failed)
	}
	w.state.URLErr = textOf(failed)
	if failed == nil {
		w.state.URLAt = w.o.Now()
	}
}

func (w *Witness) postOne(ctx context.Context, origin string, checkpoint []byte) error {
	body, err := json.Marshal(witnessed{w.o.Now().UTC(), origin, string(checkpoint)})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.o.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := w.o.Client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.CopyN(io.Discard, res.Body, 4096); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the witness answered %s", res.Status)
	}
	return nil
}

// ReadWitnessed reads what a witness kept: lines of a witness file, or one signed
// note. The newest checkpoints of each log come last.
func ReadWitnessed(r io.Reader) ([]string, error) {
	in := bufio.NewReader(r)
	if first, err := in.Peek(1); err == nil && first[0] != '{' {
		note, err := io.ReadAll(io.LimitReader(in, maxNote+1))
		if err != nil {
			return nil, err
		}
		if _, err := ParseCheckpoint(note); err != nil {
			return nil, err
		}
		return []string{string(note)}, nil
	}
	var out []string
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 2*maxNote)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var w witnessed
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
			return nil, fmt.Errorf("%w: line %d of the witness file: %w", ErrCheckpoint, n, err)
		}
		if _, err := ParseCheckpoint([]byte(w.Checkpoint)); err != nil {
			return nil, fmt.Errorf("line %d of the witness file: %w", n, err)
		}
		out = append(out, w.Checkpoint)
	}
	return out, lines.Err()
}
