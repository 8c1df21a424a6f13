package topic

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"reeve/internal/encoder"
	"reeve/internal/topic/mood"
)

// Sign is one thing that tells of a session's mood.
type Sign struct {
	Kind   string    `json:"kind"` // one of mood's
	Run    string    `json:"run"`
	Like   string    `json:"like,omitempty"`   // of a re-ask: the run that it was asked in before
	Cosine float64   `json:"cosine,omitempty"` // and how near it is
	At     time.Time `json:"at"`
}

const (
	maxSigns  = 20
	maxRecent = 6  // prompts that a new one is compared with
	maxHashes = 50 // prompts whose order is known
)

// session is the prompts of one session.
type session struct {
	sessionKey
	agent, version string
	runs, prompts  int64
	signs          []Sign
	at             time.Time

	hashes   []uint32 // of all prompts, in their order
	recent   []recent
	lastCell int64
}

type recent struct {
	run    string
	vector [encoder.Size]int8
}

// fresh are the texts of a run that the session has not had. Many agents send the
// conversation so far with each call: what begins as the session ended is history.
// A single text that was the only one before is asked again. first says that
// nothing was asked before the first of them.
func (s *session) fresh(texts []string, hashes []uint32) (fresh []string, first bool) {
	for n := min(len(hashes), len(s.hashes)); n > 0; n-- {
		same := true
		for i, h := range s.hashes[len(s.hashes)-n:] {
			same = same && h == hashes[i]
		}
		if same && len(texts) > 1 {
			return texts[n:], false
		}
	}
	return texts, len(s.hashes) == 0
}

// last is the hash of the last prompt; 0 before the first.
func (s *session) last() uint32 {
	if len(s.hashes) == 0 {
		return 0
	}
	return s.hashes[len(s.hashes)-1]
}

// like is the run whose prompt is nearest to a vector among the session's last
// ones, and how near.
func (s *session) like(v *encoder.Vector) (run string, cosine float64) {
	for i := range s.recent {
		if c := s.recent[i].cosine(v); c > cosine {
			run, cosine = s.recent[i].run, c
		}
	}
	return run, cosine
}

func (r *recent) cosine(v *encoder.Vector) float64 {
	var product, length float64
	for i, x := range r.vector {
		product += float64(x) * float64(v[i])
		length += float64(x) * float64(x)
	}
	return product / math.Sqrt(max(length, 1))
}

func (s *session) remember(run string, hash uint32, v *encoder.Vector) {
	s.prompts++
	if s.hashes = append(s.hashes, hash); len(s.hashes) > maxHashes {
		s.hashes = s.hashes[len(s.hashes)-maxHashes:]
	}
	most := float32(1e-9)
	for _, x := range v {
		most = max(most, x, -x)
	}
	r := recent{run: run}
	for i, x := range v {
		r.vector[i] = int8(math.Round(float64(x / most * 127)))
	}
	if s.recent = append(s.recent, r); len(s.recent) > maxRecent {
		s.recent = s.recent[len(s.recent)-maxRecent:]
	}
}

func (s *session) sign(x Sign) {
	if x.At = x.At.UTC(); len(s.signs) < maxSigns {
		s.signs = append(s.signs, x)
	}
}

func (s *session) score() float64 {
	counts := map[string]int{}
	for _, x := range s.signs {
		counts[x.Kind]++
	}
	return mood.Score(counts)
}

// pack is what is kept of a session's prompts for a day: the last cell, hashes,
// then run and vector of the last ones.
func (s *session) pack() []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(s.lastCell))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(s.hashes)))
	for _, h := range s.hashes {
		b = binary.LittleEndian.AppendUint32(b, h)
	}
	for i := range s.recent {
		b = append(b, byte(len(s.recent[i].run)))
		b = append(b, s.recent[i].run...)
		for _, x := range s.recent[i].vector {
			b = append(b, byte(x))
		}
	}
	return b
}

// unpack reads what pack wrote; what does not read is as if it had been dropped.
func (s *session) unpack(b []byte) {
	r := bytes.NewReader(b)
	var cell uint64
	var n uint32
	if binary.Read(r, binary.LittleEndian, &cell) != nil || binary.Read(r, binary.LittleEndian, &n) != nil || n > maxHashes {
		return
	}
	hashes := make([]uint32, n)
	if binary.Read(r, binary.LittleEndian, hashes) != nil {
		return
	}
	s.lastCell, s.hashes = int64(cell), hashes
	for range maxRecent {
		n, err := r.ReadByte()
		if err != nil {
			return
		}
		run := make([]byte, n)
		var x recent
		if _, err := r.Read(run); err != nil || binary.Read(r, binary.LittleEndian, x.vector[:]) != nil {
			return
		}
		x.run = string(run)
		s.recent = append(s.recent, x)
	}
}
