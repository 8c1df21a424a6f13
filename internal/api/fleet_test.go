package api

import (
	"fmt"
	"testing"

	"reeve/client"
)

// Agents that a sender invents do not fill the page, and nothing of them is
// lost from the counts.
func TestFleetIsCapped(t *testing.T) {
	t.Parallel()
	invented := client.FleetTeam{Team: "shop"}
	for i := range 1000 {
		invented.Agents = append(invented.Agents, client.FleetAgent{Agent: fmt.Sprintf("made-up-%04d", i), Team: "shop", State: stateBad, Runs: 3, Failed: 2})
	}
	quiet := client.FleetTeam{Team: "core", Agents: []client.FleetAgent{
		{Agent: "a", Team: "core", State: stateGood, Runs: 7}, {Agent: "b", Team: "core", State: stateGood, Runs: 5},
	}}
	teams := []client.FleetTeam{invented, quiet}
	capFleet(teams, maxFleet)
	if n, more := len(teams[0].Agents), teams[0].More; n != maxFleet || more == nil || *more != (client.FleetRest{Agents: 700, Runs: 2100, Failed: 1400}) {
		t.Errorf("%d agents of shop are listed and %+v summed up, want 300 and 700 with 2100 runs", n, more)
	}
	if n, more := len(teams[1].Agents), teams[1].More; n != 1 || more == nil || *more != (client.FleetRest{Agents: 1, Runs: 5}) {
		t.Errorf("%d agents of core are listed and %+v summed up, want its first and one", n, more)
	}
	few := []client.FleetTeam{quiet}
	if capFleet(few, maxFleet); len(few[0].Agents) != 2 || few[0].More != nil {
		t.Errorf("a small fleet became %+v", few)
	}
}
