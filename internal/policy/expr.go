package policy

import (
	"errors"

	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
)

// errBeyond says that an expression has something that the evaluator leaves to
// cedar-go: durations and arithmetic with times, records as values, sets made of
// what a request says.
var errBeyond = errors.New("left to cedar-go")

// compileConditions makes one expression of a statement's conditions.
func compileConditions(list []ast.ConditionType) (*node, error) {
	out := &node{op: opConst, value: boolVal(true)}
	for i, c := range list {
		n, err := compileExpr(c.Body)
		if err != nil {
			return nil, err
		}
		if c.Condition == ast.ConditionUnless {
			n = &node{op: opNot, kids: [3]*node{n}}
		}
		if i == 0 {
			out = n
		} else {
			out = &node{op: opAnd, kids: [3]*node{out, n}}
		}
	}
	return out, nil
}

// contextPath is the field that an expression names; fieldNone for another
// expression. The context itself is "".
func contextPath(n ast.IsNode) (path string, ok bool) {
	switch n := n.(type) {
	case ast.NodeTypeVariable:
		return "", n.Name == "context"
	case ast.NodeTypeAccess:
		above, ok := contextPath(n.Arg)
		if !ok {
			return "", false
		}
		path = join(above, string(n.Value))
		// Below a field that is no record, an attribute is an entity's.
		_, isRecord := records[fieldPaths[above]]
		return path, above == "" || isRecord
	}
	return "", false
}

func join(above, name string) string {
	if above == "" {
		return name
	}
	return above + "." + name
}

func compileExpr(n ast.IsNode) (*node, error) {
	if path, ok := contextPath(n); ok {
		f := fieldPaths[path]
		if _, isRecord := records[f]; isRecord || f == fieldNone {
			return nil, errBeyond
		}
		return &node{op: opField, n: f}, nil
	}
	switch n := n.(type) {
	case ast.NodeTypeVariable:
		switch n.Name {
		case "principal":
			return &node{op: opPrincipal}, nil
		case "action":
			return &node{op: opAction}, nil
		case "resource":
			return &node{op: opResource}, nil
		}
	case ast.NodeValue:
		return constant(n.Value)
	case ast.NodeTypeSet:
		return constantSet(n)
	case ast.NodeTypeAccess:
		return named(opAttr, n.Arg, string(n.Value))
	case ast.NodeTypeHas:
		if above, ok := contextPath(n.Arg); ok {
			_, isRecord := records[fieldPaths[above]]
			if f := fieldPaths[join(above, string(n.Value))]; f != fieldNone && (above == "" || isRecord) {
				return &node{op: opHasField, n: f}, nil
			}
			if above == "" || isRecord {
				return nil, errBeyond
			}
		}
		return named(opHasAttr, n.Arg, string(n.Value))
	case ast.NodeTypeIs:
		return named(opIs, n.Left, string(n.EntityType))
	case ast.NodeTypeIsIn:
		return named(opIsIn, n.Left, string(n.EntityType), n.Entity)
	case ast.NodeTypeLike:
		out, err := combine(opLike, n.Arg)
		if err == nil {
			out.pattern = n.Value
		}
		return out, err
	case ast.NodeTypeIfThenElse:
		return combine(opIf, n.If, n.Then, n.Else)
	case ast.NodeTypeAnd:
		return combine(opAnd, n.Left, n.Right)
	case ast.NodeTypeOr:
		return combine(opOr, n.Left, n.Right)
	case ast.NodeTypeNot:
		return combine(opNot, n.Arg)
	case ast.NodeTypeNegate:
		return combine(opNeg, n.Arg)
	case ast.NodeTypeEquals:
		return combine(opEq, n.Left, n.Right)
	case ast.NodeTypeNotEquals:
		return combine(opNe, n.Left, n.Right)
	case ast.NodeTypeLessThan:
		return combine(opLt, n.Left, n.Right)
	case ast.NodeTypeLessThanOrEqual:
		return combine(opLe, n.Left, n.Right)
	case ast.NodeTypeGreaterThan:
		return swapped(opLt, n.Left, n.Right)
	case ast.NodeTypeGreaterThanOrEqual:
		return swapped(opLe, n.Left, n.Right)
	case ast.NodeTypeAdd:
		return combine(opAdd, n.Left, n.Right)
	case ast.NodeTypeSub:
		return combine(opSub, n.Left, n.Right)
	case ast.NodeTypeMult:
		return combine(opMul, n.Left, n.Right)
	case ast.NodeTypeIn:
		return combine(opIn, n.Left, n.Right)
	case ast.NodeTypeContains:
		return combine(opContains, n.Left, n.Right)
	case ast.NodeTypeContainsAll:
		return combine(opContainsAll, n.Left, n.Right)
	case ast.NodeTypeContainsAny:
		return combine(opContainsAny, n.Left, n.Right)
	case ast.NodeTypeIsEmpty:
		return combine(opIsEmpty, n.Arg)
	case ast.NodeTypeHasTag:
		return combine(opHasTag, n.Left, n.Right)
	case ast.NodeTypeGetTag:
		return combine(opGetTag, n.Left, n.Right)
	case ast.NodeTypeExtensionCall:
		return extension(n)
	}
	return nil, errBeyond
}

func combine(o op, kids ...ast.IsNode) (*node, error) {
	out := &node{op: o}
	for i, k := range kids {
		n, err := compileExpr(k)
		if err != nil {
			return nil, err
		}
		out.kids[i] = n
	}
	return out, nil
}

func named(o op, of ast.IsNode, name string, more ...ast.IsNode) (*node, error) {
	out, err := combine(o, append([]ast.IsNode{of}, more...)...)
	if err == nil {
		out.name = name
	}
	return out, err
}

// swapped is a > b as b < a. Which side is evaluated first shows only in which
// error is met, and an error is an error.
func swapped(o op, a, b ast.IsNode) (*node, error) { return combine(o, b, a) }

func constant(v types.Value) (*node, error) {
	x, ok := literal(v)
	if !ok {
		return nil, errBeyond
	}
	return &node{op: opConst, value: x}, nil
}

func literal(v types.Value) (val, bool) {
	switch v := v.(type) {
	case types.Boolean:
		return boolVal(bool(v)), true
	case types.Long:
		return longVal(int64(v)), true
	case types.String:
		return stringVal(string(v)), true
	case types.EntityUID:
		return entityVal(string(v.Type), string(v.ID)), true
	case types.Decimal:
		n, ok := parseDecimal(v.String())
		return val{k: kDecimal, n: n}, ok
	case types.IPAddr:
		return val{k: kIP, ip: v.Prefix()}, true
	case types.Datetime:
		return val{k: kDatetime, n: v.Milliseconds()}, true
	case types.Set:
		out := val{k: kSet}
		for e := range v.All() {
			x, ok := literal(e)
			if !ok {
				return out, false
			}
			out.vals = append(out.vals, x)
		}
		return out, true
	}
	return val{}, false
}

// constantSet is a set of literals.
func constantSet(n ast.NodeTypeSet) (*node, error) {
	out := &node{op: opConst, value: val{k: kSet}}
	for _, e := range n.Elements {
		k, err := compileExpr(e)
		if err != nil {
			return nil, err
		}
		if k.op != opConst {
			return nil, errBeyond
		}
		out.value.vals = append(out.value.vals, k.value)
	}
	return out, nil
}

// extension compiles calls on decimals, addresses and times; those that make one
// of a literal are done here.
func extension(n ast.NodeTypeExtensionCall) (*node, error) {
	if len(n.Args) == 1 {
		if text, ok := n.Args[0].(ast.NodeValue); ok {
			if s, ok := text.Value.(types.String); ok {
				return construct(string(n.Name), string(s))
			}
		}
	}
	ops := map[string]op{
		"lessThan": opDecimalLt, "lessThanOrEqual": opDecimalLe, "isIpv4": opIPv4, "isIpv6": opIPv6,
		"isLoopback": opLoopback, "isMulticast": opMulticast, "isInRange": opInRange,
	}
	switch name := string(n.Name); name {
	case "greaterThan":
		return swapped(opDecimalLt, n.Args[0], n.Args[1])
	case "greaterThanOrEqual":
		return swapped(opDecimalLe, n.Args[0], n.Args[1])
	default:
		if o, ok := ops[name]; ok {
			return combine(o, n.Args...)
		}
	}
	return nil, errBeyond
}

func construct(name, text string) (*node, error) {
	var v types.Value
	var err error
	switch name {
	case "decimal":
		v, err = types.ParseDecimal(text)
	case "ip":
		v, err = types.ParseIPAddr(text)
	case "datetime":
		v, err = types.ParseDatetime(text)
	default:
		return nil, errBeyond
	}
	if err != nil {
		return nil, errBeyond // the validator refuses it
	}
	return constant(v)
}
