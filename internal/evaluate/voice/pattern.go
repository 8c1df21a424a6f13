package voice

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
)

const (
	// MaxPattern bounds what one pattern becomes: a few bytes such as x{1000}
	// become a thousand instructions, each of which may be asked at each byte of a
	// text.
	MaxPattern = 5000
	// MaxPatterns bounds all patterns of an evaluator together.
	MaxPatterns = 50_000
)

var errLarge = errors.New("the patterns are too large: repeat less, or make several of them")

// Compile compiles a pattern that somebody wrote, and tells its size in
// instructions. What is too large is refused before anything is made of it.
func Compile(text string) (*regexp.Regexp, int, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, 0, fmt.Errorf("a pattern is not one of Go's (RE2): %w", err)
	}
	n := size(tree)
	if n > MaxPattern {
		return nil, n, fmt.Errorf("a pattern has %d instructions, and %d is the most: %w", n, MaxPattern, errLarge)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, n, fmt.Errorf("a pattern is not one of Go's (RE2): %w", err)
	}
	return re, n, nil
}

// size is how many instructions a pattern becomes, within a few. It is counted
// on the tree: to expand the pattern only to count it is what must not be done.
func size(re *syntax.Regexp) int {
	n := 0
	for _, sub := range re.Sub {
		n = min(n+size(sub), 1<<30) // repetitions multiply
	}
	switch re.Op {
	case syntax.OpConcat:
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpAlternate:
		n += len(re.Sub) - 1
	case syntax.OpCapture, syntax.OpStar, syntax.OpPlus, syntax.OpQuest:
		n += 2
	case syntax.OpRepeat:
		n = min(n*re.Min+(n+1)*max(re.Max-re.Min, 1), 1<<30)
	default: // a class, a dot, an edge
		n = 1
	}
	return max(n, 1)
}
