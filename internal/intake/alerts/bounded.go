package alerts

import (
	"errors"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"
)

// maxMade bounds a text that one call of a function makes. What a call costs is
// looked at when it is over: replace("", long) twice would have filled the memory
// by then.
const maxMade = 1 << 20

var errMade = errors.New("makes too long a text")

// bounded stands in for the functions of ext.Strings whose results grow as the
// product of what they get.
func bounded() cel.EnvOption {
	format := formatting()
	text, list := cel.StringType, cel.ListType(cel.StringType)
	options := []cel.EnvOption{
		cel.Function("replace",
			cel.MemberOverload("string_replace_string_string", []*cel.Type{text, text, text}, text, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
				return replace(args[0], args[1], args[2], -1)
			})),
			cel.MemberOverload("string_replace_string_string_int", []*cel.Type{text, text, text, cel.IntType}, text, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
				return replace(args[0], args[1], args[2], int(args[3].(types.Int)))
			}))),
		cel.Function("join",
			cel.MemberOverload("list_join", []*cel.Type{list}, text, cel.UnaryBinding(func(all ref.Val) ref.Val { return join(all, "") })),
			cel.MemberOverload("list_join_string", []*cel.Type{list, text}, text, cel.BinaryBinding(func(all, between ref.Val) ref.Val {
				return join(all, string(between.(types.String)))
			}))),
		cel.Function("format",
			cel.MemberOverload("string_format", []*cel.Type{text, cel.ListType(cel.DynType)}, text, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
				left := maxMade / 4 // what stands in lists is quoted
				if !fits(args[1], &left, 0) {
					return types.WrapErr(errMade)
				}
				return format(args...)
			}))),
	}
	return func(e *cel.Env) (*cel.Env, error) {
		for _, o := range options {
			var err error
			if e, err = o(e); err != nil {
				return nil, err
			}
		}
		return e, nil
	}
}

// formatting is format as ext.Strings has it.
func formatting() func(args ...ref.Val) ref.Val {
	env, err := cel.NewEnv(ext.Strings())
	if err != nil { // constants alone: a bug
		panic(err)
	}
	all, err := env.Functions()["format"].Bindings()
	if err != nil {
		panic(err)
	}
	for _, o := range all {
		if o.Operator == "string_format" && o.Function != nil {
			return o.Function
		}
	}
	panic("format is not where it was")
}

func replace(in, old, with ref.Val, n int) ref.Val {
	s, o, w := string(in.(types.String)), string(old.(types.String)), string(with.(types.String))
	times := strings.Count(s, o) // of "" one more than there are runes
	if n >= 0 {
		times = min(times, n)
	}
	if len(s)+times*(len(w)-len(o)) > maxMade {
		return types.WrapErr(errMade)
	}
	return types.String(strings.Replace(s, o, w, n))
}

func join(all ref.Val, between string) ref.Val {
	var b strings.Builder
	for i, it := 0, all.(traits.Lister).Iterator(); it.HasNext() == types.True; i++ {
		s, ok := it.Next().(types.String)
		if !ok {
			return types.NewErr("join: element %d is no text", i)
		}
		if i > 0 {
			b.WriteString(between)
		}
		if b.WriteString(string(s)); b.Len() > maxMade {
			return types.WrapErr(errMade)
		}
	}
	return types.String(b.String())
}

// fits takes the size of a value from what is left; false when that is too
// little.
func fits(v ref.Val, left *int, depth int) bool {
	*left -= 8
	switch v := v.(type) {
	case types.String:
		*left -= len(v)
	case types.Bytes:
		*left -= len(v)
	case traits.Mapper:
		for it := v.Iterator(); *left >= 0 && depth < maxNested && it.HasNext() == types.True; {
			k := it.Next()
			if !fits(k, left, depth+1) || !fits(v.Get(k), left, depth+1) {
				return false
			}
		}
	case traits.Lister:
		for it := v.Iterator(); *left >= 0 && depth < maxNested && it.HasNext() == types.True; {
			if !fits(it.Next(), left, depth+1) {
				return false
			}
		}
	}
	return *left >= 0 && depth < maxNested
}

// maxNested bounds how deep a value is whose size is looked for.
const maxNested = 100
