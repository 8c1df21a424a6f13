package token

// Agent is what identity needs to know of a registered agent.
type Agent struct {
	Name        string
	Team        string
	Environment string
	Purpose     string
	Epoch       int64 // raised by a stop: older credentials are dead
}

// Agents finds the agent that may be given credentials now, or says why not: it
// is not there or retired (then the Agent is empty), or stopped (then it is
// not).
type Agents func(name string) (Agent, error)
