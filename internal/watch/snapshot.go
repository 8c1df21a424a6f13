package watch

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/detect/counts"
	"reeve/internal/detect/drift"
	"reeve/internal/detect/forest"
	"reeve/internal/detect/hijack"
	course "reeve/internal/detect/series"
	"reeve/internal/detect/template"
)

// saveEvery is how much of what was learned a kill may take; large fleets save
// less often, so that saving takes a fiftieth of the time at most.
const saveEvery = 30 * time.Second

// kept is what the file begins with.
type kept struct {
	Version int
	Mark    map[int]mark
	Agents  int
	Open    []activity.RunID // runs that went on: what came of them is lost with the process
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
	Deep                             *keptDeep          // nil: nothing is known of whole runs
	Lines                            *keptLines         // nil: of its logs
}

// keptDeep is what is known of whole runs. It has a form of its own: one that does
// not fit is learned anew, and the rest of its agent stays.
type keptDeep struct {
	Form   int
	Runs   int64
	Week   float64 // runs of a week, as they were when it began
	Drift  drift.Kept
	Bad    drift.KeptADWIN
	Forest forest.Kept
	Course []course.Kept
	Volume keptVolume
}

const deepForm = 1

type keptVolume struct {
	Runs int
	N    []int
	Rate []counts.Kept
}

// keptLines are the kinds of log lines of an agent.
type keptLines struct {
	Form  int
	Kinds template.Kept
	News  template.KeptNovelty
}

const linesForm = 1

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
	for id, all := range w.runs {
		if slices.ContainsFunc(all, func(r *run) bool { return !r.ended && r.steps > 0 }) {
			head.Open = append(head.Open, id)
		}
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
	k.Deep = a.deep.keep()
	if a.lines != nil {
		k.Lines = &keptLines{linesForm, a.lines.miner.Keep(), a.lines.news.Keep()}
	}
	return k
}

// keep copies what is known of whole runs; nil when there is nothing.
func (d *deep) keep() *keptDeep {
	if d == nil || d.drift == nil {
		return nil
	}
	k := &keptDeep{Form: deepForm, Runs: d.runs, Week: d.week, Drift: d.drift.Keep(), Bad: d.bad.Keep(), Forest: d.forest.Keep(), Volume: keptVolume{Runs: d.volume.runs, N: slices.Clone(d.volume.n[:])}}
	for _, c := range d.course {
		k.Course = append(k.Course, c.Keep())
	}
	for _, r := range d.volume.rate {
		k.Volume.Rate = append(k.Volume.Rate, r.Keep())
	}
	return k
}

// restoreDeep makes what was known of an agent's whole runs what is known now, under
// what is wanted of detectors now. It reports whether it fits.
func (w *Watch) restoreDeep(a *agent, k *keptDeep) bool {
	if k.Form != deepForm || len(k.Course) != len(courses) || len(k.Volume.N) != len(volumes) || len(k.Volume.Rate) != len(volumes) || k.Volume.Runs < 0 || k.Volume.Runs >= volumeRuns {
		return false
	}
	d := &deep{runs: k.Runs}
	d.begin(w, a, math.Max(k.Week, 1))
	if !d.drift.Restore(k.Drift) || !d.bad.Restore(k.Bad) || !d.forest.Restore(k.Forest) {
		return false
	}
	for i := range k.Course {
		if !d.course[i].Restore(k.Course[i]) {
			return false
		}
	}
	d.volume.runs = k.Volume.Runs
	copy(d.volume.n[:], k.Volume.N)
	for i := range k.Volume.Rate {
		d.volume.rate[i].Restore(k.Volume.Rate[i])
	}
	a.deep = d
	w.deeps++
	return true
}

// restoreLines does the same for the kinds of an agent's log lines.
func (w *Watch) restoreLines(a *agent, k *keptLines) bool {
	if k.Form != linesForm {
		return false
	}
	m, ok := template.Restore(template.Options{Templates: maxLogLines}, k.Kinds)
	if !ok {
		return false
	}
	a.lines = &lines{m, template.NewNovelty(w.alarms("new_log", a))}
	a.lines.news.Restore(k.News)
	w.logs++
	return true
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
	w.agents, w.mark, w.cut, w.deeps, w.logs = map[who]*agent{}, map[int]mark{}, nil, 0, 0
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
	anew := 0
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
		if k.Deep != nil && w.deeps < maxDeep && !w.restoreDeep(a, k.Deep) || k.Lines != nil && w.logs < maxLogs && !w.restoreLines(a, k.Lines) {
			anew++
		}
	}
	if anew > 0 {
		w.o.Logger.Warn("what was known of whole runs has another form; it is learned anew", "agents", anew)
	}
	w.cut = make(map[activity.RunID]struct{}, min(len(head.Open), maxRuns))
	for _, id := range head.Open[:min(len(head.Open), maxRuns)] {
		w.cut[id] = struct{}{}
	}
	for p, m := range head.Mark {
		w.mark[p] = m
	}
	return nil
}
