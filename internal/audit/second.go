package audit

import "context"

// Self stands for the second person of a change that needs two where there is
// only one.
const Self = "self"

type secondKey struct{}

// WithSecond names the second person of the changes made under ctx: their
// records say so. person is an id, or Self.
func WithSecond(ctx context.Context, person string) context.Context {
	return context.WithValue(ctx, secondKey{}, person)
}

func secondOf(ctx context.Context) string {
	s, _ := ctx.Value(secondKey{}).(string)
	return s
}
