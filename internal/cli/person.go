package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"reeve/client"
)

func personCommands() []command {
	return []command{
		{name: "person create", args: "[flags] NAME", short: "make an account", long: personHelp, run: runPersonCreate},
		{name: "person list", args: "[flags]", short: "list people with their teams and roles", run: runPersonList},
		{name: "person roles", args: "[flags] NAME", short: "replace somebody's roles", long: personHelp, run: runPersonRoles},
		{name: "person disable", args: "[flags] NAME", short: "end an account and its sessions", run: runPersonDisable},
		{name: "team create", args: "[flags] NAME", short: "make a team", run: runTeamCreate},
		{name: "team list", args: "[flags]", short: "list teams", run: runTeamList},
	}
}

const personHelp = `
Roles are viewer, reader, developer, approver, responder, security, auditor and
admin, each for a team and an environment: --role "developer support staging",
--role "viewer support", --role security (everywhere). Give --role more often
for more. The password is asked for, or read from a line of standard input.
Roles need a fresh second factor and, where there is another admin, that admin's
consent (reeve proposal confirm).`

// roleFlags collects --role.
type roleFlags []client.Grant

func (r *roleFlags) String() string { return "" }

func (r *roleFlags) Set(s string) error {
	w := strings.Fields(s)
	if len(w) == 0 || len(w) > 3 {
		return fmt.Errorf("%q is no role; write \"developer support staging\" or \"security\"", s)
	}
	g := client.Grant{Role: w[0], Team: "*", Environment: "*"}
	if len(w) > 1 {
		g.Team = w[1]
	}
	if len(w) > 2 {
		g.Environment = w[2]
	}
	*r = append(*r, g)
	return nil
}

func runPersonCreate(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var roles roleFlags
	var req client.CreatePersonRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.Var(&roles, "role", "a `role`, for a team and an environment; may be repeated")
	fs.StringVar(&req.FullName, "full-name", "", "as others see it")
	fs.StringVar(&req.Email, "email", "", "where they are reached")
	teams := fs.String("teams", "", "teams, with commas between")
	w, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(w) != 1 {
		return fmt.Errorf("%w: reeve person create NAME", errUsage)
	}
	req.Name, req.Grants = w[0], roles
	if *teams != "" {
		req.Teams = strings.Split(*teams, ",")
	}
	if req.Password, err = askPassword(e); err != nil {
		return err
	}
	p, err := r.client().CreatePerson(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, p, func(w io.Writer) {
		fmt.Fprintf(w, "%s\t%s\n", p.ID, p.Name)
		if p.Waits != "" {
			fmt.Fprintf(w, "the roles wait for another admin: reeve proposal confirm %s\n", p.Waits)
		}
	})
}

func runPersonList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.PageRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.IntVar(&req.Limit, "limit", 200, "at most so many")
	fs.StringVar(&req.Cursor, "cursor", "", "where the page before ended")
	if err := parse(fs, args); err != nil {
		return err
	}
	page, err := r.client().ListPeople(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, page, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tID\tTEAMS\tROLES")
		for _, p := range page.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", word(p.Name), p.ID, word(strings.Join(p.Teams, ",")), rolesText(p))
		}
		if page.Next != "" {
			fmt.Fprintf(w, "more: --cursor %s\n", page.Next)
		}
	})
}

func rolesText(p client.Person) string {
	if p.Disabled {
		return "disabled"
	}
	var out []string
	for _, g := range p.Grants {
		out = append(out, strings.TrimSuffix(strings.TrimSuffix(g.Role+" "+g.Team+" "+g.Environment, " *"), " *"))
	}
	return word(strings.Join(out, ", "))
}

// findPerson reads the account that is called name, or has the id.
func findPerson(ctx context.Context, api *client.Client, name string) (client.Person, error) {
	for p, err := range client.Pages(func(cursor string) (*client.List[client.Person], error) {
		return api.ListPeople(ctx, client.PageRequest{Cursor: cursor, Limit: 1000})
	}) {
		if err != nil || p.Name == name || p.ID == name {
			return p, err
		}
	}
	return client.Person{}, fmt.Errorf("there is no person %q", name)
}

// runPersonRoles replaces somebody's roles.
func runPersonRoles(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	roles := roleFlags{}
	fs := c.flags(e)
	r.bind(fs)
	fs.Var(&roles, "role", "a `role`, for a team and an environment; may be repeated; none takes all away")
	w, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(w) != 1 {
		return fmt.Errorf("%w: reeve person roles NAME --role ROLE", errUsage)
	}
	api := r.client()
	p, err := findPerson(ctx, api, w[0])
	if err != nil {
		return err
	}
	grants := []client.Grant(roles)
	changed, err := api.UpdatePerson(ctx, client.UpdatePersonRequest{ID: p.ID, Version: p.Version, Grants: &grants})
	if err != nil {
		return err
	}
	return r.print(e.stdout, changed, func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", changed.Name, rolesText(*changed)) })
}

// runPersonDisable ends an account, or opens it again.
func runPersonDisable(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	again := false
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&again, "undo", false, "open the account again")
	w, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(w) != 1 {
		return fmt.Errorf("%w: reeve person disable NAME", errUsage)
	}
	api := r.client()
	p, err := findPerson(ctx, api, w[0])
	if err != nil {
		return err
	}
	off := !again
	changed, err := api.UpdatePerson(ctx, client.UpdatePersonRequest{ID: p.ID, Version: p.Version, Disabled: &off})
	if err != nil {
		return err
	}
	return r.print(e.stdout, changed, func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", changed.Name, rolesText(*changed)) })
}

func runTeamCreate(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.CreateTeamRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Channel, "channel", "", "where the team is reached")
	w, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(w) != 1 {
		return fmt.Errorf("%w: reeve team create NAME", errUsage)
	}
	req.Name = w[0]
	t, err := r.client().CreateTeam(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, t, func(w io.Writer) { fmt.Fprintf(w, "%s\t%s\n", t.ID, t.Name) })
}

func runTeamList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	page, err := r.client().ListTeams(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, page, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tPEOPLE\tCHANNEL")
		for _, t := range page.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\n", word(t.Name), word(strings.Join(t.People, ",")), word(t.Channel))
		}
	})
}
