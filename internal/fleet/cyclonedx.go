package fleet

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/internal/agent"
)

// CycloneDX writes an inventory as a CycloneDX 1.6 bill of materials, in the
// style of an ML-BOM: the agent is what it is about, models are components of
// type machine-learning-model, prompts, sources and datasets are data, servers
// and peers are services, and all of them are the agent's dependencies. What
// nobody registered or approved carries the property reeve:known=false. The
// serial number follows from the content: the same inventory has the same one.
func CycloneDX(a *agent.Agent, inv Inventory, version, tool string, at time.Time) map[string]any {
	self := "agent/" + a.Name
	var components, services []any
	refs := []string{}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\x00%s\x00%s\n", a.Team, a.Name, version)
	for _, p := range inv.Parts {
		ref := p.Kind + "/" + p.Name
		if slices.Contains(refs, ref) {
			continue
		}
		refs = append(refs, ref)
		fmt.Fprintf(sum, "%s\x00%s\x00%d\x00%d\n", ref, p.Detail, p.Seen, p.LastSeen.UnixMicro())
		switch p.Kind {
		case KindServer, KindPeer:
			services = append(services, map[string]any{"bom-ref": ref, "name": p.Name, "properties": p.properties()})
		default:
			components = append(components, p.component(ref))
		}
	}
	about := map[string]any{
		"type": "application", "bom-ref": self, "name": a.Name, "description": a.Purpose, "properties": properties(
			"reeve:team", a.Team, "reeve:environment", a.Environment, "reeve:lifecycle", a.Lifecycle, "reeve:autonomy", a.Autonomy, "reeve:owner", a.Owner,
			"reeve:parts_left_out", strconv.FormatInt(inv.Left, 10),
		),
	}
	if version != "" {
		about["version"] = version
	}
	dependencies := []any{map[string]any{"ref": self, "dependsOn": refs}}
	for _, r := range refs {
		dependencies = append(dependencies, map[string]any{"ref": r})
	}
	out := map[string]any{
		"$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": serial(sum.Sum(nil)), "version": 1,
		"metadata": map[string]any{
			"timestamp": at.UTC().Format(time.RFC3339),
			"tools":     map[string]any{"components": []any{map[string]any{"type": "application", "name": "reeve", "version": cmp.Or(tool, "dev")}}},
			"component": about,
		},
		"dependencies": dependencies,
	}
	// The lists may be absent and not null.
	if len(components) > 0 {
		out["components"] = components
	}
	if len(services) > 0 {
		out["services"] = services
	}
	return out
}

func (p *Part) component(ref string) map[string]any {
	c := map[string]any{"bom-ref": ref, "name": p.Name, "type": "application", "properties": p.properties()}
	data := func(kind string) {
		c["type"], c["data"] = "data", []any{map[string]any{"type": kind, "name": p.Name}}
	}
	switch p.Kind {
	case KindModel:
		c["type"] = "machine-learning-model"
		if p.Detail != "" {
			c["publisher"] = p.Detail
		}
	case KindPrompt, KindPolicy:
		data("configuration")
	case KindSource, KindDataset:
		data("dataset")
	case KindCode:
		c["name"], c["version"] = cmp.Or(p.Detail, p.Name), p.Name
	}
	return c
}

func (p *Part) properties() []any {
	detail := p.Detail
	if p.Kind == KindModel || p.Kind == KindCode {
		detail = "" // stands in a field of its own
	}
	return properties(
		"reeve:kind", p.Kind, "reeve:known", strconv.FormatBool(p.Known), "reeve:first_seen", stamp(p.FirstSeen), "reeve:last_seen", stamp(p.LastSeen),
		"reeve:seen", strconv.FormatInt(p.Seen, 10), "reeve:last_run", p.Run, "reeve:detail", detail,
	)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// properties are name and value in turn; empty values are left out.
func properties(pairs ...string) []any {
	out := []any{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, map[string]any{"name": pairs[i], "value": pairs[i+1]})
		}
	}
	return out
}

// serial is a UUID of the kind that follows from a name.
func serial(sum []byte) string {
	b := slices.Clone(sum[:16])
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80 // version 8: the application's own
	h := hex.EncodeToString(b)
	return "urn:uuid:" + strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}
