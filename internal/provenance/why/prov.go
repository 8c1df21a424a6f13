package why

import (
	"strconv"
	"strings"
	"time"

	"reeve/client"
)

// Prov writes an answer as W3C PROV-JSON (the submission of 24 April 2013): steps
// and jobs are activities, what they used and made are entities, the agent is an
// agent. What has no better relation is wasInfluencedBy.
func Prov(w client.Why) map[string]any {
	p := provenanceDocument{"entity": {}, "activity": {}, "agent": {}}
	agent := ""
	if w.Agent != "" {
		agent = name("agent:" + w.Agent)
		p["agent"][agent] = map[string]any{"prov:type": qualified("prov:SoftwareAgent"), "prov:label": w.Agent}
	}
	role := map[string]string{}
	for _, n := range w.Nodes {
		role[n.ID] = section(&n)
		p[role[n.ID]][name(n.ID)] = described(&n)
		if agent != "" && role[n.ID] == "activity" && n.Kind == Step {
			p.relate("wasAssociatedWith", map[string]any{"prov:activity": name(n.ID), "prov:agent": agent})
		}
	}
	for _, u := range w.Unknown {
		if of := p[role[u.Node]]; of != nil && of[name(u.Node)] != nil {
			of[name(u.Node)].(map[string]any)["reeve:supply"] = u.Supply
		}
	}
	for i, c := range w.Causes {
		p.relate("wasInfluencedBy", map[string]any{
			"prov:influencee": name("outcome"), "prov:influencer": name(c.Node), "reeve:likely": c.Score, "reeve:rank": i + 1, "reeve:reasons": list(c.Reasons),
		})
	}
	for _, l := range w.Links {
		p.link(role, l)
	}
	out := map[string]any{"prefix": map[string]string{"reeve": "urn:reeve:", "prov": "http://www.w3.org/ns/prov#", "xsd": "http://www.w3.org/2001/XMLSchema#"}}
	for k, v := range p {
		if len(v) > 0 {
			out[k] = v
		}
	}
	return out
}

type provenanceDocument map[string]map[string]any

// relate adds a relation under an id of its own.
func (p provenanceDocument) relate(kind string, attributes map[string]any) {
	if p[kind] == nil {
		p[kind] = map[string]any{}
	}
	p[kind]["_:"+kind+strconv.Itoa(len(p[kind])+1)] = attributes
}

// link writes a link by what its ends are.
func (p provenanceDocument) link(role map[string]string, l client.WhyLink) {
	from, to := name(l.From), name(l.To)
	switch role[l.From] + " " + role[l.To] {
	case "entity activity":
		p.relate("wasGeneratedBy", map[string]any{"prov:entity": from, "prov:activity": to, "prov:label": l.How})
	case "activity entity":
		p.relate("used", map[string]any{"prov:activity": from, "prov:entity": to, "prov:label": l.How})
	case "activity activity":
		p.relate("wasInformedBy", map[string]any{"prov:informed": from, "prov:informant": to, "prov:label": l.How})
	case "entity entity":
		p.relate("wasDerivedFrom", map[string]any{"prov:generatedEntity": from, "prov:usedEntity": to, "prov:label": l.How})
	default:
		p.relate("wasInfluencedBy", map[string]any{"prov:influencee": from, "prov:influencer": to, "prov:label": l.How})
	}
}

// section is where a node stands in a document.
func section(n *client.WhyNode) string {
	if n.Kind == Step || strings.HasPrefix(n.ID, "job:") {
		return "activity"
	}
	return "entity"
}

func described(n *client.WhyNode) map[string]any {
	out := map[string]any{
		"prov:type": qualified("reeve:" + n.Kind), "prov:label": n.Name, "reeve:role": n.Role, "reeve:state": n.State, "reeve:sentence": n.Sentence,
	}
	if n.Version != nil && *n.Version != "" {
		out["reeve:version"] = *n.Version
	}
	if n.At != nil {
		key := "reeve:at"
		if section(n) == "activity" {
			key = "prov:startTime"
		}
		out[key] = n.At.Format(time.RFC3339Nano)
	}
	var evidence []string
	for _, e := range n.Evidence {
		evidence = append(evidence, e.Kind+":"+e.ID)
	}
	if evidence != nil {
		out["reeve:evidence"] = evidence
	}
	return out
}

func qualified(name string) map[string]string {
	return map[string]string{"$": name, "type": "prov:QUALIFIED_NAME"}
}

// name is a node's id as a qualified name: what is no letter, digit, dot, dash or
// underscore is written in hex, so that no two ids become one.
func name(id string) string {
	var b strings.Builder
	b.WriteString("reeve:")
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.', c == '/':
			b.WriteByte(c)
		default:
			b.WriteByte('-')
			b.WriteString(strconv.FormatUint(uint64(c)+256, 16)[1:])
		}
	}
	return b.String()
}
