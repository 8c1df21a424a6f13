package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"reeve/client"
)

func steerCommands() []command {
	return []command{
		{name: "run hold", args: "[flags] RUN", short: "make each further call of a live run wait for a person", long: steerHelp, run: runRunHold},
		{name: "run release", args: "[flags] RUN", short: "let a held run go on", long: steerHelp, run: runRunRelease},
		{name: "run tell", args: "[flags] RUN TEXT", short: "say something to a live run's model", long: steerHelp, run: runRunTell},
		{name: "run unsay", args: "[flags] RUN NOTE", short: "end a note that may still be told", long: steerHelp, run: runRunUnsay},
		{name: "run steering", args: "[flags] RUN", short: "show who holds a live run and what it was told", long: steerHelp, run: runRunSteering},
	}
}

const steerHelp = `
Takes a hand in a run while it goes on. Hold makes each further call of it wait
for a person, as approvals, until it is released or --for is over. Tell puts
words of yours into its next call of a model, or with --every into each: the
model reads them as said by who supervises the run. What a run calls past the
door is neither held nor told anything.

  reeve run hold run_... --reason "it repeats itself"
  reeve run tell run_... "ask the customer before you refund"
  reeve run steering run_...
  reeve run release run_...`

// printSteering shows what people do about a run.
func (r *remote) printSteering(e env, s *client.Steering, err error) error {
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) {
		if s.Hold == nil {
			fmt.Fprintln(w, "nobody holds it")
		} else {
			fmt.Fprintf(w, "each call waits for a person until %s: %s, %s\n", s.Hold.Until.Format(time.RFC3339), word(s.Hold.By), word(s.Hold.Reason))
		}
		for _, n := range s.Notes {
			state := "waits for the next call of a model"
			switch {
			case n.Every && n.EndedAt == nil:
				state = fmt.Sprintf("is told with each call, %d times so far", n.Told)
			case n.Told > 0:
				state = fmt.Sprintf("was told with %s", n.DecisionID)
			case n.EndedAt != nil:
				state = "was withdrawn"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", n.ID, word(n.By), word(n.Text), state)
		}
	})
}

// lasting is a time limit in whole seconds.
func lasting(d time.Duration) (int64, error) {
	if d != 0 && d < time.Second {
		return 0, fmt.Errorf("%w: --for is a second or more", errUsage)
	}
	return int64(d / time.Second), nil
}

func runRunHold(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var reason string
	var life time.Duration
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&reason, "reason", "", "why, for the record")
	fs.DurationVar(&life, "for", 0, "end by itself after so long; 0 is a day, the longest")
	id, err := oneWord(fs, args, "run")
	if err != nil {
		return err
	}
	seconds, err := lasting(life)
	if err != nil {
		return err
	}
	s, err := r.client().HoldRun(ctx, client.HoldRunRequest{ID: id, Reason: reason, Seconds: seconds})
	return r.printSteering(e, s, err)
}

func runRunRelease(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var reason string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&reason, "reason", "", "why, for the record")
	id, err := oneWord(fs, args, "run")
	if err != nil {
		return err
	}
	s, err := r.client().ReleaseRun(ctx, client.ReleaseRunRequest{ID: id, Reason: reason})
	return r.printSteering(e, s, err)
}

func runRunTell(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var every bool
	var life time.Duration
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&every, "every", false, "with each further call of a model, not the next alone")
	fs.DurationVar(&life, "for", 0, "how long it may still be told; 0 is a day, the longest")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(list) != 2 {
		return fmt.Errorf("%w: name the run, then what to say in quotes", errUsage)
	}
	seconds, err := lasting(life)
	if err != nil {
		return err
	}
	s, err := r.client().TellRun(ctx, client.TellRunRequest{ID: list[0], Text: list[1], Every: every, Seconds: seconds})
	return r.printSteering(e, s, err)
}

func runRunSteering(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "run")
	if err != nil {
		return err
	}
	s, err := r.client().GetSteering(ctx, client.RunRequest{ID: id})
	return r.printSteering(e, s, err)
}

func runRunUnsay(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(list) != 2 {
		return fmt.Errorf("%w: name the run and the note", errUsage)
	}
	s, err := r.client().WithdrawRunNote(ctx, client.WithdrawRunNoteRequest{ID: list[0], Note: list[1]})
	return r.printSteering(e, s, err)
}
