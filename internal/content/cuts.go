package content

// Cut takes bytes [From, To) out of a text and puts With in their place. From and
// To count from the text's beginning.
type Cut struct {
	From, To int64
	With     string
}

// Cuts is Answer for who edits the body himself: what has to give way, in order
// and without overlap. It fails as Answer does.
func (p *Plan) Cuts(body []byte) ([]Cut, []Found, error) {
	if p == nil || p.answer.engine == nil || len(body) == 0 {
		return nil, nil, nil
	}
	list, found, err := p.look(&p.answer, body)
	if err != nil || len(list) == 0 {
		return nil, found, err
	}
	return p.cuts(&p.answer, body, list, Redact), found, nil
}

// Text looks at one text that an answer tells in parts, decoded: the words of
// one message, the arguments of one call. A secret that two events share is whole
// in it. It is for one goroutine.
type Text struct{ s *Stream }

// Text begins a text; json says that it is one JSON value, which stays one.
func (p *Plan) Text(json bool) *Text {
	s := p.Stream()
	s.started, s.writer.json, s.cutting = true, json, true
	return &Text{s}
}

// Add takes the next part. It gives what has to give way and how much of the text
// is decided, from its beginning: what lies before that and in no Cut may go on.
func (t *Text) Add(part []byte) (cuts []Cut, decided int64, err error) {
	s := t.s
	if s.engine == nil || s.err != nil {
		s.base += int64(len(part))
		return nil, s.base, s.err
	}
	if _, err := s.step(part, false); err != nil {
		return nil, 0, err
	}
	if !s.plan.answer.holds {
		return nil, s.base + int64(len(s.raw)), nil
	}
	return s.taken(), s.base + int64(s.view.raw(s.from)), nil
}

// End says that the text is whole; all of it is decided then.
func (t *Text) End() ([]Cut, error) {
	s := t.s
	if s.engine == nil || s.err != nil {
		return nil, s.err
	}
	if _, err := s.step(nil, true); err != nil {
		return nil, err
	}
	return s.taken(), nil
}

// Found is what was found so far.
func (t *Text) Found() []Found { return t.s.found.list() }

func (s *Stream) taken() []Cut {
	cuts := s.cuts
	s.cuts = nil
	return cuts
}
