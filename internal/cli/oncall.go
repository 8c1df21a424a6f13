package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"reeve/client"
)

func oncallCommands() []command {
	return []command{
		{name: "oncall now", args: "[flags]", short: "show who is on call now and next", long: onCallHelp, run: runOnCallNow},
		{name: "oncall set", args: "[flags] SCHEDULE", short: "make or change a schedule of one rotation", long: onCallHelp, run: runOnCallSet},
		{name: "oncall override", args: "[flags] SCHEDULE", short: "put somebody on call for a time", long: onCallHelp, run: runOnCallOverride},
		{name: "oncall policy", args: "[flags] POLICY", short: "say who is called, and who next", long: onCallHelp, run: runOnCallPolicy},
		{name: "oncall contacts", args: "[flags] PERSON", short: "show or say how one is reached", long: onCallHelp, run: runOnCallContacts},
		{name: "oncall pages", args: "[flags]", short: "list whom Reeve called, and whether it arrived", long: onCallHelp, run: runOnCallPages},
		{name: "channel list", args: "[flags]", short: "list the ways to tell people", long: channelHelp, run: runChannelList},
		{name: "channel put", args: "[flags] CHANNEL", short: "make or change a channel", long: channelHelp, run: runChannelPut},
		{name: "channel try", args: "[flags] CHANNEL", short: "send a test message and tell what came of it; exit 1 when it was not sent", long: channelHelp, run: runChannelTry},
		{name: "channel deliveries", args: "[flags]", short: "list what was sent, with each answer", long: channelHelp, run: runChannelDeliveries},
		{name: "channel states", args: "[flags] CHANNEL", short: "list what its receiver told of what it was sent", long: channelHelp, run: runChannelStates},
		{name: "channel remove", args: "[flags] CHANNEL", short: "end a channel", long: channelHelp, run: runChannelRemove},
	}
}

const onCallHelp = `
Who is on call, and who is called when nobody answers. docs/oncall.md tells more.

  reeve oncall now
  reeve oncall set support --team support --zone Europe/Berlin --people ada,bob --start 2026-12-01T09:00:00+01:00 --every week
  reeve oncall override support --person me --for 4h --reason "bob is on a train"
  reeve oncall policy support --team support --level support:5m --level support-lead,channel/pager:10m
  reeve oncall contacts me --contact mail=ada@example.com --contact chat=U024BE7LH

A level is schedules, people (person/NAME) and channels (channel/NAME) with commas
and the time after which the next is called, such as support:5m or
support,channel/pager:10m.`

func runOnCallNow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListSchedules(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "SCHEDULE\tTEAM\tNOW\tUNTIL\tNEXT\tREACHED")
		for i := range list.Items {
			s := &list.Items[i]
			now, until, next := "nobody", "", "nobody"
			if s.Now != nil {
				if now, until = s.Now.Person, when(&s.Now.To); s.Now.Further {
					until += " and further"
				}
			}
			if s.Next != nil {
				next = s.Next.Person + " at " + when(&s.Next.From)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%t\n", s.Name, show(s.Team), word(now), until, word(next), s.Reached)
		}
	})
}

func runOnCallSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var people, start string
	rot := client.Rotation{}
	req := client.PutScheduleRequest{}
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Team, "team", "", "whose it is")
	fs.StringVar(&req.Zone, "zone", "UTC", "the time zone in which it hands over")
	fs.StringVar(&people, "people", "", "names in their order, with commas")
	fs.StringVar(&start, "start", "", "when the first one's first shift begins (RFC 3339); empty: now")
	fs.StringVar(&rot.Every, "every", "week", "a shift: day, week, or hours such as 12h")
	fs.StringVar(&rot.Hours, "hours", "", "only these hours, such as 09:00-17:00")
	fs.Var((*texts)(&rot.Days), "day", "only on this day (mon, tue...); may be given again")
	name, err := oneWord(fs, args, "schedule")
	if err != nil {
		return err
	}
	if start == "" {
		start = time.Now().UTC().Format(time.RFC3339)
	}
	if rot.Start, err = time.Parse(time.RFC3339, start); err != nil {
		return fmt.Errorf("%w: --start %q is no time such as 2026-12-01T09:00:00+01:00", errUsage, start)
	}
	rot.People = strings.Split(people, ",")
	req.Name, req.Rotations = name, []client.Rotation{rot}
	s, err := r.client().PutSchedule(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) {
		for _, x := range s.Shifts {
			fmt.Fprintf(w, "%s\t%s\t%s\n", show(x.Person), when(&x.From), when(&x.To))
		}
	})
}

func runOnCallOverride(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var length time.Duration
	req := client.OverrideRequest{}
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Person, "person", "me", "who takes it")
	fs.DurationVar(&length, "for", 4*time.Hour, "how long, from now")
	fs.StringVar(&req.Reason, "reason", "", "why")
	name, err := oneWord(fs, args, "schedule")
	if err != nil {
		return err
	}
	req.Name, req.To = name, time.Now().Add(length)
	s, err := r.client().OverrideOnCall(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) {
		if s.Now != nil {
			fmt.Fprintf(w, "%s is on call until %s\n", word(s.Now.Person), when(&s.Now.To))
		}
	})
}

// readLevel reads "support,channel/pager:5m".
func readLevel(text string) (client.EscalationLevel, error) {
	at := strings.LastIndex(text, ":")
	if at < 0 {
		return client.EscalationLevel{}, fmt.Errorf("%w: %q is no level such as support:5m", errUsage, text)
	}
	if _, err := time.ParseDuration(text[at+1:]); err != nil {
		return client.EscalationLevel{}, fmt.Errorf("%w: of %q the time comes last, as in support,channel/pager:10m", errUsage, text)
	}
	l := client.EscalationLevel{After: text[at+1:]}
	for _, name := range strings.Split(text[:at], ",") {
		switch kind, rest, ok := strings.Cut(name, "/"); {
		case ok && kind == "person":
			l.People = append(l.People, rest)
		case ok && kind == "channel":
			l.Channels = append(l.Channels, rest)
		case name != "":
			l.Schedules = append(l.Schedules, name)
		}
	}
	return l, nil
}

func runOnCallPolicy(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var levels []string
	req := client.PutEscalationPolicyRequest{}
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Team, "team", "", "whose incidents and approvals; without it those of teams without a policy")
	fs.StringVar(&req.For, "for", "", "incidents or approvals alone")
	fs.IntVar(&req.Repeat, "repeat", 0, "how often the levels are gone through again")
	fs.Var((*texts)(&levels), "level", "who is called, and when the next is; may be given again")
	name, err := oneWord(fs, args, "policy")
	if err != nil {
		return err
	}
	for _, text := range levels {
		l, err := readLevel(text)
		if err != nil {
			return err
		}
		req.Levels = append(req.Levels, l)
	}
	req.Name = name
	p, err := r.client().PutEscalationPolicy(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, p, func(w io.Writer) { fmt.Fprintf(w, "policy %s has %d levels\n", p.Name, len(p.Levels)) })
}

func runOnCallContacts(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var list []string
	fs := c.flags(e)
	r.bind(fs)
	fs.Var((*texts)(&list), "contact", "channel=address; may be given again; without one they are shown")
	person, err := oneWord(fs, args, "person, or me")
	if err != nil {
		return err
	}
	var out *client.Contacts
	if len(list) == 0 {
		out, err = r.client().GetContacts(ctx, client.ContactsRequest{Person: person})
	} else {
		req := client.PutContactsRequest{Person: person}
		for _, text := range list {
			name, address, _ := strings.Cut(text, "=")
			req.Items = append(req.Items, client.Contact{Channel: name, Address: address})
		}
		out, err = r.client().PutContacts(ctx, req)
	}
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		for _, x := range out.Items {
			fmt.Fprintf(w, "%s\t%s\n", x.Channel, word(x.Address))
		}
	})
}

func runOnCallPages(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListPagesRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Object, "object", "", "only about this incident or approval, by id")
	fs.IntVar(&req.Limit, "limit", 50, "at most so many")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListPages(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "PAGE\tSTATE\tLEVEL\tABOUT\tCALLED")
		for _, p := range list.Items {
			var called []string
			for _, x := range p.Calls {
				called = append(called, fmt.Sprintf("%s on %s: %s", show(x.Person), x.Channel, x.State))
			}
			fmt.Fprintf(w, "%s\t%s\t%d of %d\t%s\t%s\n", p.ID, p.State, p.Step, p.Levels, word(p.Title), word(strings.Join(called, "; ")))
		}
	})
}

const channelHelp = `
A channel is a way to tell people: Slack, Teams, e-mail, PagerDuty, Jira Service
Management, ServiceNow, a signed webhook. Its secret comes from a file or the
environment, never from the command line, and is never read back.

  reeve channel put mail --kind email --url smtps://mail.example.com --from reeve@example.com --user reeve --token-file pw
  reeve channel put chat --kind slack --to '#ops' --token-file bot-token --signing-file signing-secret --incidents warning
  reeve channel try chat
  reeve channel deliveries --state unknown
  reeve channel states pager

PagerDuty, Jira Service Management and ServiceNow tell of what people did there when
they are given the address that put prints, and --signing-file has the secret by
which they are known (docs/oncall.md).`

func runChannelStates(ctx context.Context, e env, c *command, args []string) error {
	return aboutOne(ctx, e, c, args, "channel", func(ctx context.Context, api *client.Client, name string) (*client.List[client.ChannelState], error) {
		return api.ListChannelStates(ctx, client.ChannelRequest{Name: name})
	}, func(w io.Writer, list *client.List[client.ChannelState]) {
		fmt.Fprintln(w, "ARRIVED\tTHERE AT\tSTATE\tOF\tBY\tTO\tWHAT CAME OF IT")
		for i := range list.Items {
			s := &list.Items[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", when(&s.ArrivedAt), when(&s.At), s.State, word(s.Object), show(word(s.By)), show(word(s.To)), strings.TrimSuffix(s.Outcome+": "+word(s.Text), ": "))
		}
	})
}

func runChannelList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListChannels(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "CHANNEL\tKIND\tTEAM\tTO\tINCIDENTS\tKEYED\tOFF")
		for _, x := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%t\t%t\n", x.Name, x.Kind, show(x.Team), word(strings.TrimSpace(x.Settings.URL+" "+x.Settings.Channel)), show(x.Incidents), x.Keyed, x.Off)
		}
	})
}

// channelSecret reads a secret from a file; "" gives none.
func channelSecret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file)
	return strings.TrimSpace(string(b)), err
}

func runChannelPut(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var token, signing string
	var req client.PutChannelRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Kind, "kind", "", "slack, teams, email, pagerduty, jsm, servicenow or webhook")
	fs.StringVar(&req.Team, "team", "", "whose it is; without it all teams'")
	fs.StringVar(&req.Settings.URL, "url", "", "where to, where the kind does not say")
	fs.StringVar(&req.Settings.Channel, "to", "", "Slack's channel, a mail's recipient, a ticket's group")
	fs.StringVar(&req.Settings.From, "from", "", "the sender of mails")
	fs.StringVar(&req.Settings.User, "user", "", "the user, where there is one")
	fs.BoolVar(&req.Settings.Insecure, "insecure", false, "mail without TLS, to a server on this host alone")
	fs.StringVar(&token, "token-file", "", "a file with the secret that sends; without it the old one stays")
	fs.StringVar(&signing, "signing-file", "", "a file with the secret that verifies what comes back")
	fs.StringVar(&req.Incidents, "incidents", "", "tell of incidents of at least this severity")
	fs.BoolVar(&req.Off, "off", false, "send nothing on it")
	name, err := oneWord(fs, args, "channel")
	if err != nil {
		return err
	}
	req.Name = name
	if req.Token, err = channelSecret(token); err != nil {
		return err
	}
	if req.Signing, err = channelSecret(signing); err != nil {
		return err
	}
	x, err := r.client().PutChannel(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) {
		fmt.Fprintf(w, "channel %s is %s\n", x.Name, x.Kind)
		if x.Answers != "" {
			fmt.Fprintf(w, "what people press comes back to %s\n", x.Answers)
		}
	})
}

func runChannelTry(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.TryChannelRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.To, "to", "", "an address within it")
	name, err := oneWord(fs, args, "channel")
	if err != nil {
		return err
	}
	req.Name = name
	d, err := r.client().TryChannel(ctx, req)
	if err != nil {
		return err
	}
	if err := r.print(e.stdout, d, func(w io.Writer) { writeDelivery(w, d) }); err != nil {
		return err
	}
	if d.State != "sent" {
		return exitCode(1)
	}
	return nil
}

func writeDelivery(w io.Writer, d *client.Delivery) {
	said := ""
	if n := len(d.Tries); n > 0 {
		said = strings.TrimSpace(fmt.Sprintf("%d %s", d.Tries[n-1].Status, d.Tries[n-1].Text))
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", when(&d.CreatedAt), d.Channel, d.State, d.Purpose, show(d.Person), word(d.Title), word(said))
}

func runChannelDeliveries(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListDeliveriesRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Channel, "channel", "", "only on this one")
	fs.StringVar(&req.State, "state", "", "queued, claimed, sent, failed, unknown or cancelled")
	fs.StringVar(&req.Object, "object", "", "only about this incident or approval, by id")
	fs.IntVar(&req.Limit, "limit", 50, "at most so many")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListDeliveries(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "AT\tCHANNEL\tSTATE\tPURPOSE\tPERSON\tWHAT\tANSWER")
		for i := range list.Items {
			writeDelivery(w, &list.Items[i])
		}
	})
}

func runChannelRemove(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "channel")
	if err != nil {
		return err
	}
	if err := r.client().RemoveChannel(ctx, client.ChannelRequest{Name: name}); err != nil {
		return err
	}
	if r.output == "json" {
		return json.NewEncoder(e.stdout).Encode(map[string]string{"removed": name})
	}
	_, err = fmt.Fprintf(e.stdout, "channel %s is gone\n", name)
	return err
}
