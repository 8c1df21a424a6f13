package policy

// About lists the policies that can be about an agent of a team: those of
// everybody or of its team with a statement whose principal is anyone, the
// agent or its team. Whether a statement takes part in a decision is still for
// its conditions to say. The values are shared: do not change them.
func (s *Store) About(agent, team string) []*Policy {
	var out []*Policy
	for _, p := range s.List() {
		if p.Team != "" && p.Team != team {
			continue
		}
		for i := range p.Statements {
			if p.Statements[i].About(agent, team) {
				out = append(out, p)
				break
			}
		}
	}
	return out
}

// About reports whether a statement's principal can be an agent of a team.
func (st *Statement) About(agent, team string) bool {
	switch of := st.scope[0]; of.entity.Type {
	case "":
		return true
	case "Agent":
		return string(of.entity.ID) == agent
	case "Team":
		return string(of.entity.ID) == team
	}
	return false
}
