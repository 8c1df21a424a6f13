package content

import (
	"slices"
)

// keep is how much of what was sent on stays in sight, for what stands before a
// keyword.
const keep = 512

// Stream looks at an answer as it comes in, byte by byte as the upstream sends
// them. It is for one goroutine. A text that an answer tells in parts is whole in
// a Text alone.
type Stream struct {
	plan   *Plan
	engine *engine

	raw  []byte // what is in sight, as it came
	view view   // of raw, without half an escape at its end

	from int // in the view: what is decided and sent on
	seen int // in the view: known when it was last searched

	// What is decided and not sent on yet, because something before it is not:
	// its keyword may be out of the search by then.
	pending []match

	writer  writer
	started bool
	head    []byte   // what came before that
	marked  bool     // the last that was sent on is a marker: what touches it adds none
	more    []string // the secret that was redacted goes on until one of these, or while it is a token (empty)
	class   string   // of it; "" for none
	run     int      // bytes of it
	out     []byte
	found   finds
	err     error
	held    int // the most that was held back, for tests

	cutting bool  // a Text asks
	base    int64 // of it came before raw
	cuts    []Cut // since it last asked
}

// Stream watches an answer.
func (p *Plan) Stream() *Stream {
	if p == nil || p.answer.engine == nil {
		return &Stream{plan: p}
	}
	return &Stream{plan: p, engine: p.answer.engine, found: finds{plan: p, side: &p.answer}}
}

// Next takes the piece that arrived and gives what may go on, valid until the
// next call. After an error nothing more goes on.
func (s *Stream) Next(piece []byte) ([]byte, error) {
	if s.engine == nil || s.err != nil {
		return piece[:len(piece):len(piece)], s.err
	}
	if s.started || !s.plan.answer.holds {
		return s.step(piece, false)
	}
	// The first bytes tell whether it is JSON; a few of them may have to wait.
	s.head = append(s.head, piece...)
	yes, sure := beginsJSON(s.head)
	if !sure && len(s.head) < 64 {
		return nil, nil
	}
	s.started, s.writer.json = true, yes
	return s.step(s.head, false)
}

// End says that no more comes: what was held back and may go on, what was found,
// and whether a rule blocks it.
func (s *Stream) End() ([]byte, []Found, error) {
	if s.engine == nil {
		return nil, nil, s.err
	}
	if s.err != nil {
		return nil, s.found.list(), s.err
	}
	var head []byte
	if !s.started {
		head = s.head
	}
	out, err := s.step(head, true)
	return out, s.found.list(), err
}

func (s *Stream) step(piece []byte, final bool) ([]byte, error) {
	s.out = s.out[:0]
	s.slide()
	s.raw = append(s.raw, piece...)
	v, _ := unescape(s.raw, final) // half an escape at the end waits in raw
	s.view = v
	list, hold := s.engine.find(scan{text: v.text, from: s.from, seen: s.seen, final: final, stream: true}, s.pending)
	s.seen = len(v.text)
	slices.SortFunc(list, byPlace)
	list = slices.Compact(list)
	if s.err = s.found.note(v.text, list, s.from, hold); s.err != nil {
		return nil, s.err
	}
	s.send(list, hold)
	s.pending = slices.DeleteFunc(list, func(m match) bool { return m.end <= s.from })
	if !s.plan.answer.holds {
		// Nothing is changed, so nothing waits: it has gone on already.
		s.out = append(s.out[:0], piece...)
	}
	s.held = max(s.held, len(v.text)-s.from)
	return s.out, nil
}

// slide drops what is out of sight.
func (s *Stream) slide() {
	cut := s.from - keep
	if cut <= 0 {
		return
	}
	raw := s.view.raw(cut)
	for cut > 0 && s.view.raw(cut-1) == raw { // never within what one escape gave
		cut--
	}
	s.raw = append(s.raw[:0], s.raw[raw:]...)
	s.base += int64(raw)
	s.from -= cut
	s.seen -= cut
	for i := range s.pending {
		p := &s.pending[i]
		p.start, p.end, p.at = p.start-cut, p.end-cut, p.at-cut
	}
}

// send writes what is decided: everything before hold, and what is redacted that
// begins there.
func (s *Stream) send(list []match, hold int) {
	s.goOn()
	for _, m := range list {
		if s.plan.answer.action(m.class) < Redact || m.end <= s.from || m.start >= hold && m.start > s.from {
			continue
		}
		if start := max(m.start, s.from); start > s.from {
			s.copy(start)
		} else if m.start >= hold && !s.marked {
			continue
		}
		s.redact(m.end, m.class)
		if m.more {
			s.class, s.more, s.run = m.class, longSecrets[m.class].ends, 0
			s.goOn()
		}
	}
	if s.class != "" {
		return // all there is belongs to the secret
	}
	if hold > s.from {
		s.copy(hold)
	}
}

func (s *Stream) copy(to int) {
	s.out = s.writer.copy(s.out, s.raw[s.view.raw(s.from):s.view.raw(to)])
	s.from, s.marked = to, false
}

func (s *Stream) redact(to int, class string) {
	from, until, n := s.view.raw(s.from), s.view.raw(to), len(s.out)
	s.out = s.writer.redact(s.out, s.raw[from:until], class, !s.marked)
	if s.cutting {
		s.cuts = append(s.cuts, Cut{From: s.base + int64(from), To: s.base + int64(until), With: string(s.out[n:])})
	}
	s.from, s.marked = to, true
}

// goOn drops what still belongs to a long secret.
func (s *Stream) goOn() {
	if s.class == "" {
		return
	}
	text := s.view.text
	to := s.from
	for ; to < len(text) && s.class != ""; to++ {
		if len(s.more) == 0 && !tokenish[text[to]] {
			break
		}
		s.run++
		for _, end := range s.more {
			if to+1 >= len(end) && string(text[to+1-len(end):to+1]) == end {
				s.class = ""
			}
		}
		if s.run >= beyond {
			s.class = ""
		}
	}
	class := s.class
	if to < len(text) || s.class == "" {
		s.class = ""
	}
	if to > s.from {
		s.redact(to, class)
	}
}
