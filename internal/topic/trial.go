package topic

import (
	"fmt"
	"time"

	"reeve/internal/encoder"
)

// Trial groups texts in memory exactly as the book does in one place: for benches,
// and to see what a set of prompts would come to. Not safe for concurrent use.
type Trial struct {
	space  space
	cells  []*cell
	number int64
	texts  uint32
	topics int
}

// NewTrial has no texts.
func NewTrial() *Trial { return &Trial{space: space{topics: map[string]*Topic{}}} }

// mostTrial is how many cells may be begun between two looks for topics, as many
// prompts come in the time between two looks of the book's.
const mostTrial = 256

// Add takes a text whose vector is known.
func (t *Trial) Add(text string, v *encoder.Vector) {
	t.texts++
	t.cells = append(t.cells, t.space.put(v, wordsOf(text), t.texts, time.Time{}, func() int64 { t.number++; return t.number }))
	if len(t.space.cells) >= mostCell+mostTrial {
		t.condense()
	}
}

func (t *Trial) condense() {
	gone := t.space.condense()
	kept := map[int64]*cell{}
	for _, c := range t.space.cells {
		kept[c.id] = c
	}
	now := map[*cell]*cell{}
	for _, c := range gone {
		if now[c] = kept[c.into]; now[c] == nil {
			now[c] = c // given up
			c.topic = ""
		}
	}
	for i, c := range t.cells {
		if k := now[c]; k != nil {
			t.cells[i] = k
		}
	}
}

// Topics is the topic of each text in the order in which they came, "" where it is
// of none, and what the topics are called.
func (t *Trial) Topics() (of []string, titles map[string]string) {
	t.condense()
	t.space.regroup(time.Time{}, func(time.Time) string { t.topics++; return fmt.Sprint("topic ", t.topics) })
	for _, c := range t.cells {
		of = append(of, c.topic)
	}
	titles = map[string]string{}
	for id, x := range t.space.topics {
		titles[id] = x.Title()
	}
	return of, titles
}

// Cell is the number of each text's cell: what a text without a topic is grouped
// with.
func (t *Trial) Cell() (of []int64) {
	for _, c := range t.cells {
		of = append(of, c.id)
	}
	return of
}
