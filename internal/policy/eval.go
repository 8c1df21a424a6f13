package policy

import (
	"math"
	"math/bits"
	"net/netip"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go/types"
)

// The evaluator reads a Request directly, where cedar-go's wants a context and
// entities built as Cedar values first: building them cost 10 µs and 150
// allocations of a decision's 14, however little a statement read of them. It
// knows the part of Cedar that compileExpr accepts; other statements go through
// cedar-go. Tests compare both, and both with the reference engine.

// kind is the type of a val.
type kind uint8

const (
	kBool kind = iota
	kLong
	kString
	kEntity
	kSet
	kDecimal  // n is in ten-thousandths
	kIP       // ip
	kDatetime // n is in milliseconds
)

// val is a Cedar value. Sets are of strings or of entities of one type in list,
// which aliases the request, or of anything else in vals.
type val struct {
	k      kind
	elem   kind // of list
	closed bool // list stands for itself and its parents: pii.email is also pii
	n      int64
	s      string // text, or an entity's id
	typ    string // an entity's type, or that of a list's elements
	list   []string
	vals   []val
	ip     netip.Prefix
}

func boolVal(b bool) val {
	if b {
		return val{k: kBool, n: 1}
	}
	return val{k: kBool}
}
func longVal(n int64) val              { return val{k: kLong, n: n} }
func stringVal(s string) val           { return val{k: kString, s: s} }
func entityVal(typ, id string) val     { return val{k: kEntity, typ: typ, s: id} }
func stringsVal(l []string) val        { return val{k: kSet, elem: kString, list: l} }
func uidsVal(t string, l []string) val { return val{k: kSet, elem: kEntity, typ: t, list: l} }

// op is what a node does.
type op uint8

const (
	opConst op = iota
	opPrincipal
	opAction
	opResource
	opField    // of the context, by n
	opHasField // is a field of the context there
	opAttr     // of the entity kids[0], by name
	opHasAttr
	opAnd
	opOr
	opNot
	opIf
	opEq
	opNe
	opLt
	opLe
	opAdd
	opSub
	opMul
	opNeg
	opIn
	opIs
	opIsIn
	opLike
	opContains
	opContainsAll
	opContainsAny
	opIsEmpty
	opHasTag
	opGetTag
	opDecimalLt
	opDecimalLe
	opIPv4
	opIPv6
	opLoopback
	opMulticast
	opInRange
)

// node is a compiled expression.
type node struct {
	op      op
	kids    [3]*node
	n       field
	name    string
	value   val
	pattern types.Pattern
}

// frame is what one evaluation reads.
type frame struct {
	r      *Request
	action string
	effect string
}

// truth evaluates a condition; ok is false when it errs.
func (f *frame) truth(n *node) (is, ok bool) {
	switch n.op {
	case opAnd:
		if is, ok = f.truth(n.kids[0]); !ok || !is {
			return is, ok
		}
		return f.truth(n.kids[1])
	case opOr:
		if is, ok = f.truth(n.kids[0]); !ok || is {
			return is, ok
		}
		return f.truth(n.kids[1])
	case opNot:
		is, ok = f.truth(n.kids[0])
		return !is, ok
	case opHasField:
		return f.has(n.n), true
	}
	v, ok := f.eval(n)
	return v.n != 0, ok && v.k == kBool
}

// eval evaluates an expression; ok is false when it errs.
func (f *frame) eval(n *node) (v val, ok bool) {
	switch n.op {
	case opConst:
		return n.value, true
	case opPrincipal:
		return entityVal("Agent", f.r.Agent.Name), true
	case opAction:
		return entityVal("Action", f.action), true
	case opResource:
		return entityVal(f.r.Resource.Type, f.r.Resource.ID), true
	case opField:
		return f.field(n.n)
	case opAnd, opOr, opNot, opHasField:
		is, ok := f.truth(n)
		return boolVal(is), ok
	case opIf:
		is, ok := f.truth(n.kids[0])
		switch {
		case !ok:
			return v, false
		case is:
			return f.eval(n.kids[1])
		}
		return f.eval(n.kids[2])
	}
	a, ok := f.eval(n.kids[0])
	if !ok {
		return v, false
	}
	switch n.op {
	case opAttr:
		return f.attr(&a, n.name)
	case opHasAttr:
		_, found := f.attr(&a, n.name)
		return boolVal(found), a.k == kEntity
	case opNeg:
		return longVal(-a.n), a.k == kLong && a.n != math.MinInt64
	case opIs:
		return boolVal(a.typ == n.name), a.k == kEntity
	case opLike:
		return boolVal(n.pattern.Match(types.String(a.s))), a.k == kString
	case opIsEmpty:
		return boolVal(len(a.list)+len(a.vals) == 0), a.k == kSet
	case opIPv4:
		return boolVal(types.IPAddr(a.ip).IsIPv4()), a.k == kIP
	case opIPv6:
		return boolVal(types.IPAddr(a.ip).IsIPv6()), a.k == kIP
	case opLoopback:
		return boolVal(types.IPAddr(a.ip).IsLoopback()), a.k == kIP
	case opMulticast:
		return boolVal(types.IPAddr(a.ip).IsMulticast()), a.k == kIP
	case opIsIn:
		if a.k != kEntity || a.typ != n.name {
			return boolVal(false), a.k == kEntity
		}
	}
	b, ok := f.eval(n.kids[1])
	if !ok {
		return v, false
	}
	return f.two(n, &a, &b)
}

// two evaluates what takes two values.
func (f *frame) two(n *node, a, b *val) (v val, ok bool) {
	switch n.op {
	case opEq:
		return boolVal(equal(a, b)), true
	case opNe:
		return boolVal(!equal(a, b)), true
	case opLt:
		return boolVal(a.n < b.n), ordered(a, b)
	case opLe:
		return boolVal(a.n <= b.n), ordered(a, b)
	case opAdd, opSub, opMul:
		if a.k != kLong || b.k != kLong {
			return v, false
		}
		r, ok := arithmetic(n.op, a.n, b.n)
		return longVal(r), ok
	case opIn, opIsIn:
		return f.in(a, b)
	case opContains:
		return boolVal(contains(a, b)), a.k == kSet
	case opContainsAll:
		return boolVal(containsAll(a, b)), a.k == kSet && b.k == kSet
	case opContainsAny:
		return boolVal(containsAny(a, b)), a.k == kSet && b.k == kSet
	case opHasTag:
		_, found := f.tag(a, b)
		return boolVal(found), a.k == kEntity && b.k == kString
	case opGetTag:
		if a.k != kEntity || b.k != kString {
			return v, false
		}
		return f.tag(a, b)
	case opDecimalLt:
		return boolVal(a.n < b.n), a.k == kDecimal && b.k == kDecimal
	case opDecimalLe:
		return boolVal(a.n <= b.n), a.k == kDecimal && b.k == kDecimal
	case opInRange:
		return boolVal(types.IPAddr(b.ip).Contains(types.IPAddr(a.ip))), a.k == kIP && b.k == kIP
	}
	return v, false
}

func ordered(a, b *val) bool { return a.k == b.k && (a.k == kLong || a.k == kDatetime) }

func arithmetic(o op, a, b int64) (r int64, ok bool) {
	switch o {
	case opAdd:
		r = a + b
		return r, (r > a) == (b > 0)
	case opSub:
		r = a - b
		return r, (r < a) == (b > 0)
	}
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi != 0 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(lo), lo <= 1<<63
	}
	return int64(lo), lo < 1<<63
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-n)
	}
	return uint64(n)
}

func equal(a, b *val) bool {
	if a.k != b.k {
		return false
	}
	switch a.k {
	case kString:
		return a.s == b.s
	case kEntity:
		return a.s == b.s && a.typ == b.typ
	case kSet:
		return containsAll(a, b) && containsAll(b, a)
	case kIP:
		return a.ip == b.ip
	}
	return a.n == b.n
}

// contains reports whether a set has an element.
func contains(set, x *val) bool {
	for i := range set.vals {
		if equal(&set.vals[i], x) {
			return true
		}
	}
	if len(set.list) == 0 || x.k != set.elem || x.typ != set.typ && x.k == kEntity {
		return false
	}
	for _, s := range set.list {
		if s == x.s || set.closed && len(s) > len(x.s) && s[len(x.s)] == '.' && s[:len(x.s)] == x.s {
			return true
		}
	}
	return false
}

func containsAll(a, b *val) bool {
	for i := range b.vals {
		if !contains(a, &b.vals[i]) {
			return false
		}
	}
	x := val{k: b.elem, typ: b.typ}
	for _, s := range b.list {
		for x.s = s; ; x.s = x.s[:strings.LastIndexByte(x.s, '.')] {
			if !contains(a, &x) {
				return false
			}
			if !b.closed || strings.IndexByte(x.s, '.') < 0 {
				break
			}
		}
	}
	return true
}

func containsAny(a, b *val) bool {
	for i := range b.vals {
		if contains(a, &b.vals[i]) {
			return true
		}
	}
	x := val{k: b.elem, typ: b.typ}
	for _, s := range b.list {
		for x.s = s; ; x.s = x.s[:strings.LastIndexByte(x.s, '.')] {
			if contains(a, &x) {
				return true
			}
			if !b.closed || strings.IndexByte(x.s, '.') < 0 {
				break
			}
		}
	}
	return false
}

// in is Cedar's `in`: an entity is in itself and in its ancestors.
func (f *frame) in(a, b *val) (val, bool) {
	switch {
	case a.k != kEntity:
		return val{}, false
	case b.k == kEntity:
		return boolVal(f.below(a.typ, a.s, b.typ, b.s)), true
	case b.k != kSet || b.elem != kEntity && len(b.list) > 0:
		return val{}, false
	}
	is := false
	for i := range b.vals {
		if b.vals[i].k != kEntity {
			return val{}, false
		}
		is = is || f.below(a.typ, a.s, b.vals[i].typ, b.vals[i].s)
	}
	for _, s := range b.list {
		is = is || f.below(a.typ, a.s, b.typ, s)
	}
	if b.closed && !is {
		for _, s := range b.list {
			for i := strings.LastIndexByte(s, '.'); i >= 0 && !is; i = strings.LastIndexByte(s, '.') {
				s = s[:i]
				is = f.below(a.typ, a.s, b.typ, s)
			}
		}
	}
	return boolVal(is), true
}

// below reports whether an entity is another or has it as an ancestor.
func (f *frame) below(typ, id, aboveType, above string) bool {
	if id == above && typ == aboveType {
		return true
	}
	r := f.r
	switch {
	case typ == "Agent" && id == r.Agent.Name:
		return aboveType == "Team" && above == r.Agent.Team && above != ""
	case typ == r.Resource.Type && id == r.Resource.ID:
		return r.Resource.Upstream != "" && f.below("Upstream", r.Resource.Upstream, aboveType, above)
	case typ == "Upstream" && id == r.Resource.Upstream:
		return aboveType == "Team" && above == r.Resource.UpstreamTeam && above != ""
	case typ == "User" && id == r.Call.User && id != "":
		return aboveType == "Team" && slices.Contains(r.Call.UserTeams, above) || aboveType == "Group" && slices.Contains(r.Call.UserGroups, above)
	}
	return false
}
