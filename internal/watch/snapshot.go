package watch

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"reeve/internal/detect/hijack"
)

// saveEvery is how much of what was learned a kill may take; large fleets save
// less often, so that saving takes a fiftieth of the time at most.
const saveEvery = 30 * time.Second

// kept is what the file begins with.
type kept struct {
	Version int
	Mark    map[int]mark
	Agents  int
}

const keptVersion = 1

// keptAgent is an agent as the file has it.
type keptAgent struct {
	Team, Environment, Name, Version string
	Door                             bool
	First, Seen, Runs                int64
	Ranges                           map[string]keptTail
	Known                            map[string]map[string]*use
	News                             map[string]*novelty
	Shares                           map[string][2]float64
	Gates                            map[string]*gate
	Tools                            []string
	Moves                            []keptMove
	Hour                             [48]float32
	Days                             []int32
	Topic                            [topicBins]float32
	TopicBlocks                      int
	Short, Long                      []Sum
	Parts                            []Part
	Ways                             map[string]float64 // by which destinations came
}

// keptMove is a move between tools by number.
type keptMove struct {
	From, To int16
	N        float32
}

type keptTail struct {
	Lo, N float64
	Seen  int64
	Bins  [tailBins]float32
}

// save writes what was learned, agent by agent, so that Observe waits for one
// agent at most.
func (w *Watch) save() {
	if w.o.File == "" {
		return
	}
	w.mu.Lock()
	due := w.dirty && w.o.Now().UnixNano() >= w.savedAt
	if !due {
		w.mu.Unlock()
		return
	}
	w.dirty = false
	list := make([]*agent, 0, len(w.agents))
	for _, a := range w.agents {
		list = append(list, a)
	}
	head := kept{Version: keptVersion, Mark: make(map[int]mark, len(w.mark)), Agents: len(list)}
	for k, m := range w.mark {
		head.Mark[k] = m
	}
	w.mu.Unlock()
	began := time.Now()
	err := w.write(head, list)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.savedAt = w.o.Now().UnixNano() + 50*int64(time.Since(began))
	if err != nil {
		w.dirty = true
		w.o.Logger.Warn("what was learned of behaviour could not be kept: a restart forgets it", "err", err)
	}
}

func (w *Watch) write(head kept, list []*agent) (err error) {
	f, err := os.CreateTemp(filepath.Dir(w.o.File), filepath.Base(w.o.File)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // what is left of a failed write
		}
	}()
	out := bufio.NewWriterSize(f, 1<<16)
	enc := gob.NewEncoder(out)
	err = enc.Encode(head)
	for i := 0; i < len(list) && err == nil; i++ {
		w.mu.Lock()
		k := list[i].keep()
		w.mu.Unlock()
		err = enc.Encode(k)
	}
	err = errors.Join(err, out.Flush(), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), w.o.File)
	}
	return err
}

// keep copies what is kept of an agent. The caller holds the lock.
func (a *agent) keep() keptAgent {
	k := keptAgent{
		Team: a.team, Environment: a.environment, Name: a.name, Version: a.version, Door: a.door, First: a.first, Seen: a.seen, Runs: a.runs,
		Ranges: map[string]keptTail{}, Known: map[string]map[string]*use{}, News: map[string]*novelty{}, Shares: map[string][2]float64{}, Gates: map[string]*gate{},
		Tools: append([]string(nil), a.paths.names...), Hour: a.hour, Topic: a.topic.long, TopicBlocks: a.topic.blocks,
		Short: append([]Sum(nil), a.series.short...), Long: append([]Sum(nil), a.series.long...),
	}
	for n, t := range a.ranges {
		k.Ranges[n] = keptTail{t.lo, t.n, t.seen, t.bins}
	}
	for kind, of := range a.known {
		c := make(map[string]*use, len(of))
		for n, u := range of {
			one := *u
			c[n] = &one
		}
		k.Known[kind] = c
	}
	for n, v := range a.news {
		one := *v
		k.News[n] = &one
	}
	for n, s := range a.shares {
		k.Shares[n] = [2]float64{s.hits, s.all}
	}
	for n, g := range a.gates {
		one := *g
		k.Gates[n] = &one
	}
	for m, n := range a.paths.moves {
		k.Moves = append(k.Moves, keptMove{m[0], m[1], n})
	}
	for d := range a.days {
		k.Days = append(k.Days, d)
	}
	for _, of := range a.parts {
		for _, p := range of {
			k.Parts = append(k.Parts, *p)
		}
	}
	if a.ways != nil {
		k.Ways = a.ways.Known()
	}
	return k
}

func (k *keptAgent) agent() *agent {
	a := newAgent(who{k.Team, k.Environment, k.Name, k.Door}, k.First)
	a.version, a.seen, a.runs, a.hour = k.Version, k.Seen, k.Runs, k.Hour
	a.series.short, a.series.long = k.Short, k.Long
	a.topic.long, a.topic.blocks = k.Topic, k.TopicBlocks
	for n, t := range k.Ranges {
		a.ranges[n] = &tail{lo: t.Lo, n: t.N, seen: t.Seen, bins: t.Bins}
	}
	for kind, of := range k.Known {
		a.known[kind] = of
	}
	for n, v := range k.News {
		a.news[n] = v
	}
	for n, s := range k.Shares {
		a.shares[n] = &share{s[0], s[1]}
		a.last[n] = &window{}
	}
	for n, g := range k.Gates {
		a.gates[n] = g
	}
	for _, n := range k.Tools {
		a.paths.number(n)
	}
	for _, m := range k.Moves {
		if a.paths.moves == nil {
			a.paths.number("") // makes the maps
		}
		a.paths.moves[[2]int16{m.From, m.To}] = m.N
		a.paths.from[m.From] += m.N
		a.paths.total += float64(m.N)
	}
	for _, d := range k.Days {
		if a.days == nil {
			a.days = map[int32]struct{}{}
		}
		a.days[d] = struct{}{}
	}
	for i := range k.Parts {
		p := k.Parts[i]
		if a.parts[p.Kind] == nil {
			a.parts[p.Kind] = map[string]*Part{}
		}
		a.parts[p.Kind][p.Name] = &p
	}
	if len(k.Ways) > 0 {
		a.ways = hijack.New(hijack.Options{Ways: maxWays})
		a.ways.Restore(k.Ways)
	}
	for kind := range a.known {
		if a.news[kind] == nil {
			a.news[kind] = &novelty{}
		}
	}
	return a
}

// restore reads what the last process learned. A file that does not read is put
// aside: learning anew is better than not starting.
func (w *Watch) restore() {
	if w.o.File == "" {
		return
	}
	err := w.read()
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return
	}
	w.agents, w.mark = map[who]*agent{}, map[int]mark{}
	aside := w.o.File + ".unreadable"
	w.o.Logger.Warn("what was learned of behaviour cannot be read; learning begins anew", "file", aside, "err", errors.Join(err, os.Rename(w.o.File, aside)))
}

func (w *Watch) read() error {
	f, err := os.Open(w.o.File)
	if err != nil {
		return err
	}
	defer f.Close()
	dec := gob.NewDecoder(bufio.NewReaderSize(f, 1<<16))
	var head kept
	if err := dec.Decode(&head); err != nil {
		return err
	}
	if head.Version != keptVersion {
		return fmt.Errorf("its form is %d and not %d", head.Version, keptVersion)
	}
	for range min(head.Agents, maxAgents) {
		var k keptAgent
		if err := dec.Decode(&k); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		a := k.agent()
		w.agents[a.who] = a
	}
	for p, m := range head.Mark {
		w.mark[p] = m
	}
	return nil
}
