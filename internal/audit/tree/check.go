package tree

import (
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"reeve/internal/audit/record"
)

// Check compares a log, leaf by leaf, with checkpoints of it: our own and those
// that a witness kept.
type Check struct {
	hasher Hasher
	at     map[int64][]tlog.Hash
	sizes  []int64 // ascending
	broken error
	// Agreed is the largest checkpoint that the leaves so far agree with.
	Agreed int64
}

// NewCheck reads the signed checkpoints of a log; those of other logs are left
// out. One that none of the keys signed is an error.
func NewCheck(origin string, checkpoints []string, keys ...string) (*Check, error) {
	c := &Check{at: map[int64][]tlog.Hash{}}
	for _, text := range checkpoints {
		p, err := ParseCheckpoint([]byte(text))
		if err != nil {
			return nil, err
		}
		if p.Origin != origin {
			continue
		}
		if p, err = OpenCheckpoint([]byte(text), keys...); err != nil {
			return nil, err
		}
		if !slices.Contains(c.at[p.Size], p.Root) {
			c.at[p.Size] = append(c.at[p.Size], p.Root)
		}
		c.sizes = append(c.sizes, p.Size)
	}
	slices.Sort(c.sizes)
	return c, nil
}

// Add takes the next leaf. Its error says which checkpoint the log contradicts.
func (c *Check) Add(leaf record.Hash) error {
	if c.broken != nil {
		return c.broken
	}
	if err := c.hasher.Add(leaf, nil); err != nil {
		return err
	}
	size := c.hasher.Size()
	for _, want := range c.at[size] {
		if root := c.hasher.Root(); root != want {
			c.broken = fmt.Errorf("the first %d records are not those that the checkpoint of that size is about", size)
			return c.broken
		}
		c.Agreed = size
	}
	return nil
}

// End says whether a checkpoint knows of records that are not there.
func (c *Check) End() error {
	if c.broken != nil || len(c.sizes) == 0 {
		return c.broken
	}
	if last := c.sizes[len(c.sizes)-1]; last > c.hasher.Size() {
		return fmt.Errorf("a checkpoint has seen %d records, and there are %d: the newest were removed", last, c.hasher.Size())
	}
	return nil
}
