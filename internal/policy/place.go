package policy

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
)

// cedar-go's validator says what is wrong with a statement and not where, and
// its tree keeps no places. Two steps find the place: the smallest expression
// that is refused by itself (blame), and where that one stands in the text, by
// walking tree and tokens side by side (places).

// maxWork bounds, in expressions that the validator looked at, what finding one
// place may cost.
const maxWork = 20_000

// blamed is an expression that is refused, by its way through the tree.
type blamed struct {
	condition int
	way       []int // the child taken at each level
}

// blamer narrows down what of a statement's conditions is refused.
type blamer struct {
	c    *Compiler
	tree *ast.Policy
	work int
	some bool // it is refused under some of its actions only
}

// refused says why an expression is refused where guard holds; "" when it is
// not. What another condition made sure of does not count, as in Cedar.
func (b *blamer) refused(guard, body ast.IsNode) string {
	if guard != nil {
		body = both(guard, body)
	}
	ast.Inspect(ast.NewNode(body), func(ast.IsNode) bool { b.work++; return true })
	p := *b.tree
	p.Conditions = []ast.ConditionType{{Condition: ast.ConditionWhen, Body: body}}
	if err := b.c.validator.Policy("x", &p); err != nil {
		return explain(err)
	}
	return ""
}

// find is what is refused, where and why; ok is false when it is the scope.
func (b *blamer) find() (at blamed, why string, ok bool) {
	for i, cond := range b.tree.Conditions {
		if why = b.refused(nil, cond.Body); why == "" {
			continue
		}
		at.condition = i
		// One action is enough to find the place by, and costs less.
		if _, open := b.tree.Action.(ast.ScopeTypeEq); !open {
			b.oneAction(cond.Body, &why)
		}
		at.way, why = b.narrow(why, nil, cond.Body)
		return at, why, true
	}
	return at, "", false
}

// oneAction narrows the scope to an action under which body is refused.
func (b *blamer) oneAction(body ast.IsNode, why *string) {
	of, all := b.tree, actionsFrom(b.tree.Action)
	refused, passed := "", false
	for i, name := range actionNames {
		if all&(1<<i) == 0 {
			continue
		}
		p := *of
		p.Action = ast.ScopeTypeEq{Entity: uid("Action", name)}
		p.Conditions = nil
		if b.c.validator.Policy("x", &p) != nil {
			continue // the rest of the scope leaves it out
		}
		one := &blamer{c: b.c, tree: &p}
		switch text := one.refused(nil, body); {
		case text == "":
			passed = true
		case refused == "":
			refused, b.tree = text, &p
		}
	}
	if refused != "" {
		*why = refused
	}
	b.some = passed && refused != ""
}

// narrow goes down to the part that is refused and has no refused part.
func (b *blamer) narrow(why string, guard, n ast.IsNode) (way []int, reason string) {
	for b.work < maxWork {
		step, childGuard, childWhy := b.wrong(guard, n)
		if step == nil {
			break
		}
		for _, i := range step {
			n = children(n)[i]
		}
		way, guard, why = append(way, step...), childGuard, childWhy
	}
	return way, why
}

// wrong finds the first part that is refused by itself; nil for none.
func (b *blamer) wrong(guard, n ast.IsNode) (step []int, partGuard ast.IsNode, why string) {
	switch n := n.(type) {
	case ast.NodeTypeAnd:
		return b.firstOfChain(guard, n)
	case ast.NodeTypeOr:
		for _, p := range chain(n, nil, nil, func(n ast.IsNode) bool { _, ok := n.(ast.NodeTypeOr); return ok }) {
			if why := b.refused(guard, p.node); why != "" {
				return p.way, guard, why
			}
		}
		return nil, nil, ""
	}
	for i, k := range children(n) {
		g := guard
		if cond, ok := n.(ast.NodeTypeIfThenElse); ok && i == 1 {
			g = both(guard, cond.If)
		}
		if _, variable := k.(ast.NodeTypeVariable); variable || b.work > maxWork {
			continue
		}
		// A value of any type is no condition; compared with itself it is one.
		same := ast.NodeTypeEquals{BinaryNode: ast.BinaryNode{Left: k, Right: k}}
		if why := b.refused(g, same); why != "" {
			return []int{i}, g, why
		}
	}
	return nil, nil, ""
}

// part is one of the parts of `a && b && c`, with its way through the tree.
type part struct {
	way  []int
	node ast.IsNode
}

func chain(n ast.IsNode, way []int, out []part, same func(ast.IsNode) bool) []part {
	if !same(n) {
		return append(out, part{slices.Clone(way), n})
	}
	for i, k := range children(n) {
		out = chain(k, append(way, i), out, same)
	}
	return out
}

// firstOfChain halves `a && b && c` until the first refused part is found: each
// holds under those before it.
func (b *blamer) firstOfChain(guard, n ast.IsNode) (step []int, partGuard ast.IsNode, why string) {
	parts := chain(n, nil, nil, func(n ast.IsNode) bool { _, ok := n.(ast.NodeTypeAnd); return ok })
	upTo := make([]ast.IsNode, len(parts)+1) // the first k together
	for i, p := range parts {
		upTo[i+1] = both(upTo[i], p.node)
	}
	k := sort.Search(len(parts), func(k int) bool { return b.refused(guard, upTo[k+1]) != "" })
	if k == len(parts) {
		return nil, nil, ""
	}
	before := guard
	if k > 0 {
		before = both(guard, upTo[k])
	}
	return parts[k].way, before, b.refused(before, parts[k].node)
}

func both(guard, n ast.IsNode) ast.IsNode {
	if guard == nil {
		return n
	}
	return ast.NodeTypeAnd{BinaryNode: ast.BinaryNode{Left: guard, Right: n}}
}

// children are the parts of an expression in the order of the text.
func children(n ast.IsNode) []ast.IsNode {
	switch n := n.(type) {
	case ast.NodeTypeIfThenElse:
		return []ast.IsNode{n.If, n.Then, n.Else}
	case ast.NodeTypeIsIn:
		return []ast.IsNode{n.Left, n.Entity}
	case ast.NodeTypeIs:
		return []ast.IsNode{n.Left}
	case ast.NodeTypeLike:
		return []ast.IsNode{n.Arg}
	case ast.NodeTypeAccess:
		return []ast.IsNode{n.Arg}
	case ast.NodeTypeHas:
		return []ast.IsNode{n.Arg}
	case ast.NodeTypeNot:
		return []ast.IsNode{n.Arg}
	case ast.NodeTypeNegate:
		return []ast.IsNode{n.Arg}
	case ast.NodeTypeIsEmpty:
		return []ast.IsNode{n.Arg}
	case ast.NodeTypeExtensionCall:
		return n.Args
	case ast.NodeTypeSet:
		return n.Elements
	case ast.NodeTypeRecord:
		out := make([]ast.IsNode, len(n.Elements))
		for i, e := range n.Elements {
			out[i] = e.Value
		}
		return out
	}
	if left, right, _, ok := binary(n); ok {
		return []ast.IsNode{left, right}
	}
	return nil
}

// binary is an expression of two, and what stands between them.
func binary(n ast.IsNode) (left, right ast.IsNode, between string, ok bool) {
	switch n := n.(type) {
	case ast.NodeTypeAnd:
		return n.Left, n.Right, "&&", true
	case ast.NodeTypeOr:
		return n.Left, n.Right, "||", true
	case ast.NodeTypeEquals:
		return n.Left, n.Right, "==", true
	case ast.NodeTypeNotEquals:
		return n.Left, n.Right, "!=", true
	case ast.NodeTypeLessThan:
		return n.Left, n.Right, "<", true
	case ast.NodeTypeLessThanOrEqual:
		return n.Left, n.Right, "<=", true
	case ast.NodeTypeGreaterThan:
		return n.Left, n.Right, ">", true
	case ast.NodeTypeGreaterThanOrEqual:
		return n.Left, n.Right, ">=", true
	case ast.NodeTypeAdd:
		return n.Left, n.Right, "+", true
	case ast.NodeTypeSub:
		return n.Left, n.Right, "-", true
	case ast.NodeTypeMult:
		return n.Left, n.Right, "*", true
	case ast.NodeTypeIn:
		return n.Left, n.Right, "in", true
	case ast.NodeTypeContains:
		return n.Left, n.Right, "contains", true
	case ast.NodeTypeContainsAll:
		return n.Left, n.Right, "containsAll", true
	case ast.NodeTypeContainsAny:
		return n.Left, n.Right, "containsAny", true
	case ast.NodeTypeHasTag:
		return n.Left, n.Right, "hasTag", true
	case ast.NodeTypeGetTag:
		return n.Left, n.Right, "getTag", true
	}
	return nil, nil, "", false
}

// explain is the validator's complaint in one line. It complains once for each
// action that a scope leaves open, in no order.
func explain(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i, l := range lines {
		if rest, ok := strings.CutPrefix(l, "for policy `"); ok {
			if _, after, ok := strings.Cut(rest, "`, "); ok {
				l = after
			}
		}
		lines[i] = l
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	text := lines[0]
	if len(lines) > 1 && strings.HasPrefix(text, "unable to find an applicable action") {
		text = lines[1] // which says more
	}
	if len(text) > 400 {
		text = strings.ToValidUTF8(text[:400], "") + "..."
	}
	return text
}

// walker goes through tree and tokens side by side.
type walker struct {
	text   string
	at     int // after the last token that was met
	target []int
	found  int // offset of the target; -1 until met
}

// place is where a blamed expression stands: an attribute at its name, else at
// its first token.
func place(text string, from int, tree *ast.Policy, at blamed) int {
	w := &walker{text: text, at: from, found: -1}
	for i, cond := range tree.Conditions {
		word := "when"
		if cond.Condition == ast.ConditionUnless {
			word = "unless"
		}
		w.meet(word)
		w.meet("{")
		w.target = nil
		if i == at.condition {
			w.target = at.way
			w.walk(cond.Body, 0, true)
			break
		}
		w.walk(cond.Body, 0, false)
	}
	if w.found < 0 {
		return from
	}
	return w.found
}

// meet goes on to the next token of that text. One that is not there is not
// waited for: the places after it stay near.
func (w *walker) meet(word string) int {
	for t := next(w.text, w.at); t.kind != tokenEnd; t = next(w.text, t.to) {
		got := w.text[t.from:t.to]
		if got == word {
			w.at = t.to
			return t.from
		}
		if got == ";" {
			break
		}
	}
	return next(w.text, w.at).from
}

func (w *walker) meetText() int {
	for t := next(w.text, w.at); t.kind != tokenEnd; t = next(w.text, t.to) {
		if t.kind == tokenText {
			w.at = t.to
			return t.from
		}
		if w.text[t.from:t.to] == ";" {
			break
		}
	}
	return next(w.text, w.at).from
}

// meetName is an attribute's, which stands as a word or as a text.
func (w *walker) meetName(name string) int {
	if t := next(w.text, w.at); w.text[t.from:t.to] == "." {
		w.at = t.to
	} else if w.text[t.from:t.to] == "[" {
		return w.meetText()
	}
	if t := next(w.text, w.at); t.kind == tokenText {
		return w.meetText()
	}
	return w.meet(name)
}

// walk passes an expression; on says that it lies on the way to the target, and
// depth how far along.
func (w *walker) walk(n ast.IsNode, depth int, on bool) {
	hit := on && depth == len(w.target)
	kid := func(i int, k ast.IsNode) {
		w.walk(k, depth+1, on && !hit && w.target[depth] == i)
	}
	note := func(at int) {
		if hit && w.found < 0 {
			w.found = at
		}
	}
	// What opens brackets is met with its first token.
	begin := w.at
	first := func() int {
		t := next(w.text, begin)
		for t.kind == tokenSign && w.text[t.from] == '(' {
			t = next(w.text, t.to)
		}
		return t.from
	}
	switch n := n.(type) {
	case ast.NodeTypeVariable:
		note(w.meet(string(n.Name)))
	case ast.NodeValue:
		note(w.value(n.Value))
	case ast.NodeTypeAccess:
		kid(0, n.Arg)
		note(w.meetName(string(n.Value)))
	case ast.NodeTypeHas:
		// `a has b.c` is read as `a has b && a.b has c`.
		if t := next(w.text, w.at); w.text[t.from:t.to] != "." {
			kid(0, n.Arg)
			w.meet("has")
		}
		note(w.meetName(string(n.Value)))
	case ast.NodeTypeIfThenElse:
		note(w.meet("if"))
		kid(0, n.If)
		w.meet("then")
		kid(1, n.Then)
		w.meet("else")
		kid(2, n.Else)
	case ast.NodeTypeNot:
		note(w.meet("!"))
		kid(0, n.Arg)
	case ast.NodeTypeNegate:
		note(w.meet("-"))
		kid(0, n.Arg)
	case ast.NodeTypeIsIn:
		note(first())
		kid(0, n.Left)
		w.meet("is")
		w.meet("in")
		kid(1, n.Entity)
	case ast.NodeTypeIs:
		kid(0, n.Left)
		w.meet("is")
		note(next(w.text, w.at).from)
	case ast.NodeTypeLike:
		note(first())
		kid(0, n.Arg)
		w.meet("like")
		w.meetText()
	case ast.NodeTypeIsEmpty:
		note(first())
		kid(0, n.Arg)
		w.meet("isEmpty")
	case ast.NodeTypeSet:
		note(w.meet("["))
		for i, k := range n.Elements {
			kid(i, k)
		}
		w.meet("]")
	case ast.NodeTypeRecord:
		note(w.meet("{"))
		for i, e := range n.Elements {
			w.meetName(string(e.Key))
			w.meet(":")
			kid(i, e.Value)
		}
		w.meet("}")
	case ast.NodeTypeExtensionCall:
		w.call(n, kid, note, first)
	default:
		if left, right, between, ok := binary(n); ok {
			note(first())
			kid(0, left)
			w.meet(between)
			kid(1, right)
		}
	}
}

// call is a function's or a method's.
func (w *walker) call(n ast.NodeTypeExtensionCall, kid func(int, ast.IsNode), note func(int), first func() int) {
	name := string(n.Name)
	args := n.Args
	if constructor := slices.Contains([]string{"decimal", "ip", "datetime", "duration"}, name); constructor || len(args) == 0 {
		note(w.meet(name))
	} else {
		note(first())
		kid(0, args[0])
		w.meet(name)
		for i, k := range args[1:] {
			kid(i+1, k)
		}
		return
	}
	for i, k := range args {
		kid(i, k)
	}
}

func (w *walker) value(v types.Value) int {
	switch v := v.(type) {
	case types.String:
		return w.meetText()
	case types.EntityUID:
		head, _, _ := strings.Cut(string(v.Type), "::")
		at := w.meet(head)
		w.meetText()
		return at
	case types.Long:
		if v < 0 {
			at := w.meet("-")
			w.meet(strings.TrimPrefix(strconv.FormatInt(int64(v), 10), "-"))
			return at
		}
		return w.meet(strconv.FormatInt(int64(v), 10))
	case types.Boolean:
		return w.meet(strconv.FormatBool(bool(v)))
	}
	return next(w.text, w.at).from
}
