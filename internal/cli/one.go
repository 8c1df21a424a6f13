package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"reeve/client"
)

// aboutOne is a command that names one thing, asks the server about it once and
// prints the answer. noun is what is to be named; more adds flags.
func aboutOne[T any](ctx context.Context, e env, c *command, args []string, noun string,
	ask func(ctx context.Context, api *client.Client, name string) (T, error), text func(w io.Writer, answer T), more ...func(*flag.FlagSet),
) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	for _, add := range more {
		add(fs)
	}
	name, err := oneWord(fs, args, noun)
	if err != nil {
		return err
	}
	answer, err := ask(ctx, r.client(), name)
	if err != nil {
		return err
	}
	return r.print(e.stdout, answer, func(w io.Writer) { text(w, answer) })
}

// endOf is when what is set --for so long ends by itself; nil where it holds until
// somebody ends it.
func endOf(life time.Duration) (*time.Time, error) {
	switch {
	case life < 0:
		return nil, fmt.Errorf("%w: --for is not negative", errUsage)
	case life == 0:
		return nil, nil
	}
	till := time.Now().Add(life)
	return &till, nil
}
