package llm

import (
	"slices"

	"reeve/internal/content"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
)

// teller is a family that tells texts in parts, over several events.
type teller interface {
	// texts says which texts an event goes on with, and which are whole by it, in
	// the order of the event: s.part, s.end.
	texts(s *sieve, ev *wire.Event) error
}

// sieve applies content rules to the events of a stream before anybody else reads
// them. Each event is looked at as a whole, and each text that events tell in
// parts as one text: a secret that two events share is whole there.
//
//	event -> what stands beside its parts is scanned -> waits until all parts in
//	it are decided -> family
//
// Events keep their order. One in which nothing gives way goes on byte for byte.
// What waits is at most 256 decoded bytes of a text, with the events that came
// after them; what only keeps the line open overtakes.
type sieve struct {
	plan   *content.Plan
	teller teller // nil: nothing is told in parts
	next   func(*wire.Event) error
	split  framing

	texts map[textKey]*text
	parts []piece // of the event at hand
	data  []byte  // of it
	queue []waiting
	size  int // bytes of queue
	found []content.Found
	buf   []byte
}

// textKey names a text of an answer: what kind it is, and where it stands.
type textKey struct {
	kind     string
	at, part int64
}

type text struct {
	look    *content.Text
	length  int64 // told so far, decoded
	decided int64 // of it
	cuts    []content.Cut
}

// piece is a part of a text within an event: data[from:to], between the quotes.
type piece struct {
	of         *text
	begin, end int64 // of the text
	from, to   int
}

// waiting is an event that cannot go on yet.
type waiting struct {
	ev    wire.Event
	parts []piece
	cuts  []content.Cut // beside its parts
}

// Rules applies the rules here where the answer is a stream of events: then it
// knows which events make one text.
func (w *watcher) Rules(p *content.Plan) bool {
	if w.split == nil || !p.Reads() {
		return false
	}
	s := &sieve{plan: p, split: w.split, next: w.sieved, texts: map[textKey]*text{}}
	s.teller, _ = w.family.(teller)
	w.sieve, w.each = s, s.event
	return true
}

// sieved takes an event that rules let go on. Without a judge it goes on even
// where the family cannot read it.
func (w *watcher) sieved(ev *wire.Event) error {
	if w.judge != nil {
		return w.family.event(w, ev)
	}
	if !w.blind {
		w.blind = w.family.event(w, ev) != nil
	}
	if w.changes() {
		w.out = append(w.out, ev.Raw...)
	}
	return nil
}

// changes says whether what goes on may be something else than what came.
func (w *watcher) changes() bool {
	return w.judge != nil || w.sieve != nil && w.sieve.plan.Holds(true)
}

// Found is what rules found in the answer.
func (w *watcher) Found() []content.Found {
	if w.sieve == nil {
		return nil
	}
	return w.sieve.all()
}

var _ gateway.Ruled = (*watcher)(nil)

// event takes the next event.
func (s *sieve) event(ev *wire.Event) error {
	holds := s.plan.Holds(true)
	_, list := s.split.(*elements)
	switch {
	case ev.Data == nil && list: // the array ends
		if err := s.endAll(); err != nil {
			return err
		}
		return s.forward(waiting{ev: *ev})
	case ev.Data == nil, ev.Name == "ping":
		return s.next(ev)
	case ev.Odd && holds:
		return errStrange
	}
	cuts, err := s.read(ev)
	if err != nil {
		if holds {
			return err
		}
		return s.next(ev) // nothing has to be seen
	}
	return s.forward(waiting{ev: *ev, parts: s.parts, cuts: cuts})
}

// read looks at an event: at its parts within their texts, and at all else by
// itself.
func (s *sieve) read(ev *wire.Event) ([]content.Cut, error) {
	data := ev.Data
	s.parts, s.data = s.parts[:0], data
	if s.teller != nil {
		if err := s.teller.texts(s, ev); err != nil {
			return nil, err
		}
	}
	s.buf = append(s.buf[:0], data...)
	for _, p := range s.parts {
		for i := p.from; i < p.to; i++ {
			s.buf[i] = ' '
		}
	}
	cuts, found, err := s.plan.Cuts(s.buf)
	s.note(found)
	// A pattern of the house's own may reach over a part: its text is looked at
	// where it is whole.
	cuts = slices.DeleteFunc(cuts, func(c content.Cut) bool {
		return slices.ContainsFunc(s.parts, func(p piece) bool { return c.From < int64(p.to) && c.To > int64(p.from) })
	})
	return cuts, err
}

// part says that data[from:to], between quotes, goes on with a text; json that
// the text is one JSON value.
func (s *sieve) part(key textKey, json bool, from, to int) error {
	t := s.texts[key]
	if t == nil {
		if len(s.texts) >= maxCalls {
			return wire.ErrLarge
		}
		t = &text{look: s.plan.Text(json)}
		s.texts[key] = t
	}
	return s.add(t, from, to)
}

// whole says that data[from:to] is a text that is told at once.
func (s *sieve) whole(json bool, from, to int) error {
	t := &text{look: s.plan.Text(json)}
	if err := s.add(t, from, to); err != nil {
		return err
	}
	return s.finish(t)
}

func (s *sieve) add(t *text, from, to int) error {
	said := wire.Unquote(s.data[from:to])
	cuts, decided, err := t.look.Add([]byte(said))
	if err != nil {
		s.note(t.look.Found())
		return err
	}
	begin := t.length
	t.length += int64(len(said))
	t.cuts, t.decided = append(t.cuts, cuts...), decided
	s.parts = append(s.parts, piece{of: t, begin: begin, end: t.length, from: from, to: to})
	return nil
}

// end says that the texts which which names are whole.
func (s *sieve) end(which func(textKey) bool) error {
	for key, t := range s.texts {
		if which(key) {
			delete(s.texts, key)
			if err := s.finish(t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sieve) finish(t *text) error {
	cuts, err := t.look.End()
	s.note(t.look.Found())
	if err != nil {
		return err
	}
	t.cuts, t.decided = append(t.cuts, cuts...), t.length
	return nil
}

// endAll says that nothing more comes.
func (s *sieve) endAll() error { return s.end(func(textKey) bool { return true }) }

// done lets all go on that waits, at the end of the stream.
func (s *sieve) done() error {
	if err := s.endAll(); err != nil {
		return err
	}
	return s.flush()
}

// forward lets an event go on, behind those that wait.
func (s *sieve) forward(e waiting) error {
	if err := s.flush(); err != nil {
		return err
	}
	if len(s.queue) == 0 && e.decided() {
		return s.send(&e)
	}
	if s.size += len(e.ev.Raw) + len(e.ev.Data) + len(e.ev.Headers); s.size > maxHeld {
		return wire.ErrLarge
	}
	e.ev, e.parts = kept(&e.ev), slices.Clone(e.parts)
	s.queue = append(s.queue, e)
	return nil
}

// flush sends the events that need not wait any more.
func (s *sieve) flush() error {
	n := 0
	for ; n < len(s.queue) && s.queue[n].decided(); n++ {
		e := &s.queue[n]
		s.size -= len(e.ev.Raw) + len(e.ev.Data) + len(e.ev.Headers)
		if err := s.send(e); err != nil {
			return err
		}
	}
	if n > 0 {
		s.queue = slices.Delete(s.queue, 0, n)
	}
	return nil
}

func (e *waiting) decided() bool {
	return !slices.ContainsFunc(e.parts, func(p piece) bool { return p.of.decided < p.end })
}

// send gives an event to who reads it, with what gives way taken out.
func (s *sieve) send(e *waiting) error {
	var edits []wire.Edit
	for _, c := range e.cuts {
		edits = append(edits, wire.Edit{From: int(c.From), To: int(c.To), With: []byte(c.With)})
	}
	for i := range e.parts {
		if p := &e.parts[i]; p.cut() {
			edits = append(edits, wire.Edit{From: p.from, To: p.to, With: p.left(e.ev.Data)})
		}
	}
	if len(edits) == 0 {
		return s.next(&e.ev)
	}
	edits = append(edits, spelled(e.ev.Data)...)
	sortEdits(edits)
	edits = slices.CompactFunc(edits, func(later, e wire.Edit) bool { return later.From < e.To }) // it lies in another
	ev := e.ev
	ev.Data = wire.Apply(nil, e.ev.Data, edits)
	ev.Raw = s.split.put(nil, &e.ev, e.ev.Name, ev.Data)
	return s.next(&ev)
}

// cut says whether something of the part gives way, and forgets what lies before
// it: parts of a text go on in their order.
func (p *piece) cut() bool {
	t := p.of
	n := 0
	for n < len(t.cuts) && t.cuts[n].To <= p.begin {
		n++
	}
	t.cuts = t.cuts[n:]
	return len(t.cuts) > 0 && t.cuts[0].From < p.end
}

// left is what stays of a part, quoted.
func (p *piece) left(data []byte) []byte {
	said := wire.Unquote(data[p.from:p.to])
	var out []byte
	at := p.begin
	for _, c := range p.of.cuts {
		if c.From >= p.end {
			break
		}
		if c.From >= p.begin {
			out = append(append(out, said[at-p.begin:c.From-p.begin]...), c.With...)
		}
		at = min(c.To, p.end)
	}
	return wire.Quote(nil, string(append(out, said[at-p.begin:]...)))
}

// spelled are the edits that empty "logprobs": they spell a text token by token,
// beside it.
func spelled(data []byte) (edits []wire.Edit) {
	c := wire.NewCursor(data)
	eachMember(&c, func(key []byte, from, to int) {
		if string(key) == "logprobs" {
			switch data[from] {
			case '[':
				edits = append(edits, wire.Edit{From: from, To: to, With: []byte("[]")})
			case '{':
				edits = append(edits, wire.Edit{From: from, To: to, With: []byte("null")})
			}
		}
	})
	return edits
}

// eachMember calls each with every member of a value and of all within it, but
// not within a member named logprobs.
func eachMember(c *wire.Cursor, each func(key []byte, from, to int)) {
	switch c.Kind() {
	case '{':
		for o := c.Object(); o.Next(); {
			key, from := o.Key, c.Pos()
			if string(key) == "logprobs" {
				c.Skip()
			} else {
				eachMember(c, each)
			}
			if c.Err() == nil {
				each(key, from, c.Pos())
			}
		}
	case '[':
		for a := c.Array(); a.Next(); {
			eachMember(c, each)
		}
	default:
		c.Skip()
	}
}

func (s *sieve) note(found []content.Found) { s.found = content.Add(s.found, found) }

// all is what was found, also in texts that are not whole.
func (s *sieve) all() []content.Found {
	out := slices.Clone(s.found)
	for _, t := range s.texts {
		out = content.Add(out, t.look.Found())
	}
	return out
}
