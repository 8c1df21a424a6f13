package cli

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/compliance"
)

func complianceCommands() []command {
	return []command{
		{name: "compliance list", args: "[flags]", short: "list frameworks with what they came to last", long: complianceHelp, run: runComplianceList},
		{name: "compliance assess", args: "[flags] FRAMEWORK", short: "ask all questions of a framework, and keep the answers", long: complianceHelp, run: runComplianceAssess},
		{name: "compliance show", args: "[flags] FRAMEWORK", short: "show an assessment: a framework's last, or one by its id", run: runComplianceShow},
		{name: "compliance export", args: "[flags] FRAMEWORK", short: "write the evidence of an assessment as a signed zip", long: complianceHelp, run: runComplianceExport},
		{name: "compliance schedule", args: "[flags] FRAMEWORK", short: "have a framework assessed by itself", long: complianceHelp, run: runComplianceSchedule},
		{name: "compliance verify", args: "[flags] PACK", short: "check a pack alone, without a server", run: runComplianceVerify},
		{name: "compliance mapping", args: "[flags] FRAMEWORK", short: "print a framework's mapping", run: runComplianceMapping},
		{name: "compliance set", args: "[flags] FILE", short: "make a mapping of your own, or change it", long: complianceHelp, run: runComplianceSet},
		{name: "compliance delete", args: "[flags] FRAMEWORK", short: "remove a mapping of your own", run: runComplianceDelete},
	}
}

const complianceHelp = `
A framework maps controls to evidence: KPIs, counts of records, facts. What they
come to is pass, fail or unknown, with its date; what records cannot show is never
passed. Starters of the EU AI Act and NIST AI RMF ship; write your own as YAML.

  reeve compliance list
  reeve compliance assess eu-ai-act --from -90d
  reeve compliance show eu-ai-act                the last assessment
  reeve compliance export eu-ai-act --out pack.zip
  reeve compliance verify pack.zip --key 'NAME+HASH+KEY'
  reeve compliance schedule eu-ai-act --every 30   by itself; what fails anew is a finding
  reeve compliance mapping eu-ai-act > own.yaml  and change it
  reeve compliance set own.yaml

It needs the role auditor for everything; to set a mapping, security. docs/compliance.md.`

func runComplianceList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListComplianceFrameworks(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "FRAMEWORK\tTITLE\tCONTROLS\tPASS\tFAIL\tUNKNOWN\tASSESSED")
		for _, f := range list.Items {
			pass, fail, unknown, at := "-", "-", "-", "never"
			if l := f.Last; l != nil {
				pass, fail, unknown, at = fmt.Sprint(l.Pass), fmt.Sprint(l.Fail), fmt.Sprint(l.Unknown), l.At.Local().Format(time.DateTime)
			}
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", f.ID, word(f.Title), f.Controls, pass, fail, unknown, at)
		}
	})
}

func writeAssessment(w io.Writer, a *client.ComplianceAssessment) {
	fmt.Fprintf(w, "%s\t%s\n%s to %s\tasked %s by %s\n%d pass, %d fail, %d unknown\t%s\n\n", a.Framework, word(a.Title), a.From.Local().Format(time.DateOnly), a.To.Local().Format(time.DateOnly), a.At.Local().Format(time.DateTime), word(a.By), a.Pass, a.Fail, a.Unknown, a.ID)
	for _, k := range a.Controls {
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.Result, k.Article, word(k.Title))
		for _, x := range k.Evidence {
			fmt.Fprintf(w, "  %s\t%s\t%s\n", x.Result, word(x.Title), word(x.Text))
		}
	}
}

func runComplianceAssess(ctx context.Context, e env, c *command, args []string) error {
	var req client.AssessComplianceRequest
	return aboutOne(ctx, e, c, args, "framework", func(ctx context.Context, api *client.Client, id string) (*client.ComplianceAssessment, error) {
		req.ID = id
		return api.AssessCompliance(ctx, req)
	}, writeAssessment, func(fs *flag.FlagSet) {
		fs.StringVar(&req.From, "from", "-720h", "start of the period")
		fs.StringVar(&req.To, "to", "", "end of the period")
	})
}

// lastAssessment is the assessment of that id, or a framework's last.
func lastAssessment(ctx context.Context, api *client.Client, id string) (*client.ComplianceAssessment, error) {
	if !strings.HasPrefix(id, "asm_") {
		list, err := api.ListComplianceAssessments(ctx, client.ListComplianceAssessmentsRequest{Framework: id, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(list.Items) > 0 {
			id = list.Items[0].ID
		}
	}
	return api.GetComplianceAssessment(ctx, client.ComplianceAssessmentRequest{ID: id})
}

func runComplianceShow(ctx context.Context, e env, c *command, args []string) error {
	return aboutOne(ctx, e, c, args, "framework or assessment", lastAssessment, writeAssessment)
}

func runComplianceMapping(ctx context.Context, e env, c *command, args []string) error {
	return aboutOne(ctx, e, c, args, "framework", func(ctx context.Context, api *client.Client, id string) (*client.ComplianceFramework, error) {
		return api.GetComplianceFramework(ctx, client.ComplianceFrameworkRequest{ID: id})
	}, func(w io.Writer, f *client.ComplianceFramework) { fmt.Fprint(w, f.Mapping) })
}

func runComplianceSet(ctx context.Context, e env, c *command, args []string) error {
	return aboutOne(ctx, e, c, args, "file", func(ctx context.Context, api *client.Client, file string) (*client.ComplianceFramework, error) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		f, err := compliance.Read(string(text)) // the place of a mistake is told before anything is sent
		if err != nil {
			return nil, err
		}
		req := client.PutComplianceFrameworkRequest{ID: f.ID, Mapping: string(text)}
		if have, err := api.GetComplianceFramework(ctx, client.ComplianceFrameworkRequest{ID: f.ID}); err == nil {
			req.Revision = have.Revision
		}
		return api.PutComplianceFramework(ctx, req)
	}, func(w io.Writer, f *client.ComplianceFramework) {
		fmt.Fprintf(w, "framework %s has %d controls, revision %d\n", f.ID, f.Controls, f.Revision)
	})
}

func runComplianceSchedule(ctx context.Context, e env, c *command, args []string) error {
	var req client.PutComplianceScheduleRequest
	return aboutOne(ctx, e, c, args, "framework", func(ctx context.Context, api *client.Client, id string) (*client.PutComplianceScheduleRequest, error) {
		req.ID = id
		return &req, api.PutComplianceSchedule(ctx, req)
	}, func(w io.Writer, s *client.PutComplianceScheduleRequest) {
		if s.Every == 0 {
			fmt.Fprintf(w, "framework %s is assessed when somebody asks\n", s.ID)
			return
		}
		fmt.Fprintf(w, "framework %s is assessed every %d days, over those days\n", s.ID, s.Every)
	}, func(fs *flag.FlagSet) {
		fs.IntVar(&req.Every, "every", 30, "`days` between two assessments; 0 ends it")
	})
}

func runComplianceDelete(ctx context.Context, e env, c *command, args []string) error {
	return aboutOne(ctx, e, c, args, "framework", func(ctx context.Context, api *client.Client, id string) (*client.ComplianceFrameworkRequest, error) {
		req := client.ComplianceFrameworkRequest{ID: id}
		return &req, api.DeleteComplianceFramework(ctx, req)
	}, func(w io.Writer, f *client.ComplianceFrameworkRequest) {
		fmt.Fprintf(w, "framework %s is removed\n", f.ID)
	})
}

func runComplianceExport(ctx context.Context, e env, c *command, args []string) error {
	var out string
	return aboutOne(ctx, e, c, args, "framework or assessment", func(ctx context.Context, api *client.Client, id string) (*client.CompliancePack, error) {
		a, err := lastAssessment(ctx, api, id)
		if err != nil {
			return nil, err
		}
		pack, err := api.ExportCompliance(ctx, client.ComplianceAssessmentRequest{ID: a.ID})
		if err != nil {
			return nil, err
		}
		raw, err := base64.StdEncoding.DecodeString(pack.Zip)
		if err != nil {
			return nil, err
		}
		if out != "" {
			pack.Name = out
		}
		pack.Zip = ""
		return pack, os.WriteFile(pack.Name, raw, 0o600)
	}, func(w io.Writer, p *client.CompliancePack) { fmt.Fprintf(w, "evidence is in %s\n", p.Name) }, func(fs *flag.FlagSet) {
		fs.StringVar(&out, "out", "", "`file` to write; FRAMEWORK-DATE.zip unless said otherwise")
	})
}

// runComplianceVerify needs no server: whoever gets a pack checks it alone.
func runComplianceVerify(_ context.Context, e env, c *command, args []string) error {
	var keys string
	fs := c.flags(e)
	fs.StringVar(&keys, "key", "", "the `keys` of the audit log that are trusted, with commas: `reeve audit keys`")
	file, err := oneWord(fs, args, "pack")
	if err != nil {
		return err
	}
	if keys == "" {
		return fmt.Errorf("%w: give the key that is trusted with --key", errUsage)
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if info.Size() > 256<<20 {
		return fmt.Errorf("%w: %s is larger than a pack can be", errUsage, file)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	m, err := compliance.Verify(raw, strings.Split(keys, ",")...)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "the pack is whole: %d files of %s, assessment %s, made %s\n", len(m.Files), word(m.Framework), word(m.Assessment), m.Made.Format(time.RFC3339))
	return nil
}
