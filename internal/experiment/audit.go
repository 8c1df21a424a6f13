package experiment

import "reeve/internal/fault"

// AuditKind is an experiment that puts sampled questions to an agent, to hold its
// answers against what is true: a source's plan starts it, and nobody else does.
const AuditKind = "audit"

func (p *Plan) checkAudit() error {
	switch {
	case len(p.Asks) == 0:
		return invalid("an audit is started by the plan of a source").WithHint("`reeve source plan SOURCE --agent AGENT --dataset NAME`")
	case p.Repeats != 1 || p.Baseline != "" || p.Dataset != "" || len(p.Evaluators) > 0:
		return invalid("an audit asks each question once, and compares with the truth alone")
	}
	for i := range p.Asks {
		if t := &p.Asks[i]; t.Expected == "" && len(t.Contains)+len(t.Absent) == 0 {
			return invalid("question %d of the audit does not say what is true", i+1)
		}
	}
	return nil
}

// MayInvoke says why somebody may not have an agent asked, or that nobody can: it is
// not there, it is another team's, nobody said how it is invoked.
func (b *Book) MayInvoke(who Actor, agent string) (team, environment string, err error) {
	if b.o.Agrees == nil {
		return "", "", fault.New(fault.KindUnavailable, "experiment.not_possible", "this server audits nothing")
	}
	team, environment, _, err = b.place(who, agent, "developer")
	return team, environment, err
}
