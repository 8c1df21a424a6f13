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
	// FarText is how much of a text is looked through by a rule whose patterns look on
	// to its end from each word (x.*y): what they read grows with its square.
	FarText = 4 << 10
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

// far reports whether a pattern looks on without end for something that must follow,
// and so may read the rest of a text from each place in it, in vain. What is repeated
// last is found as far as it was read. The tree of text was compiled before.
func far(text string) bool {
	tree, err := syntax.Parse(text, syntax.Perl)
	return err != nil || looksOn(tree, true)
}

func looksOn(re *syntax.Regexp, last bool) bool {
	switch re.Op {
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat:
		if re.Op != syntax.OpRepeat || re.Max < 0 {
			return !last || looksOn(re.Sub[0], false)
		}
		last = false
	case syntax.OpConcat:
		for i := len(re.Sub) - 1; i >= 0; i-- {
			if looksOn(re.Sub[i], last) {
				return true
			}
			last = last && edge(re.Sub[i])
		}
		return false
	}
	for _, sub := range re.Sub {
		if looksOn(sub, last) {
			return true
		}
	}
	return false
}

// edge is what matches nothing itself.
func edge(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return false
}
