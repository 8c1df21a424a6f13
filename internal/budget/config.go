package budget

import (
	"math"

	"reeve/internal/fault"
)

// Config is the limits that hold without anybody's budget or policy.
type Config struct {
	PilotRate     string  `yaml:"pilot_rate" doc:"How often an agent in its pilot may act. Empty: as often as policy lets it."`
	PilotCalls    int64   `yaml:"pilot_calls" doc:"Calls a day of each agent in its pilot. 0 sets no bound."`
	PilotTokens   int64   `yaml:"pilot_tokens" doc:"Tokens a day of each agent in its pilot. 0 sets no bound."`
	PilotMoney    float64 `yaml:"pilot_money" doc:"US dollars a day of each agent in its pilot. 0 sets no bound."`
	ThrottleBy    int64   `yaml:"throttle_by" doc:"By what the rates of a throttled agent are divided."`
	ThrottledRate string  `yaml:"throttled_rate" doc:"How often a throttled agent may act at most, whatever else holds."`
}

// Defaults are the limits of a plain installation.
func Defaults() Config {
	return Config{
		PilotRate: "120/m by agent", PilotCalls: 10_000, PilotTokens: 5_000_000, PilotMoney: 20,
		ThrottleBy: 4, ThrottledRate: "30/m by agent",
	}
}

// Validate says what is wrong with the limits.
func (c Config) Validate() error {
	bad := func(format string, args ...any) error {
		return fault.New(fault.KindInvalid, "config.invalid", "limits: "+format, args...)
	}
	for _, r := range []string{c.PilotRate, c.ThrottledRate} {
		if _, err := parseRate(r); r != "" && err != nil {
			return bad("%q is no rate such as 30/m by agent", r)
		}
	}
	switch {
	case c.ThrottleBy < 1 || c.ThrottleBy > maxDivide:
		return bad("throttle_by is a number from 1 to %d", maxDivide)
	case c.PilotCalls < 0 || c.PilotTokens < 0 || c.PilotCalls > maxCount || c.PilotTokens > maxCount:
		return bad("the pilots' calls and tokens are whole numbers from 0 on")
	case math.IsNaN(c.PilotMoney) || c.PilotMoney < 0 || c.PilotMoney > maxMoney:
		return bad("pilot_money is an amount from 0 on")
	}
	return nil
}

// pilots are the budgets of agents in their pilot.
func (c Config) pilots() []*definition {
	var out []*definition
	for _, b := range []struct {
		name  string
		unit  unit
		limit float64
	}{{"pilot-calls", calls, float64(c.PilotCalls)}, {"pilot-tokens", tokens, float64(c.PilotTokens)}, {"pilot-money", money, c.PilotMoney}} {
		limit, err := readLimit(b.unit, b.limit, "")
		if b.limit == 0 || err != nil { // which Validate refused
			continue
		}
		out = append(out, &definition{name: b.name, scope: byAgent, match: Everyone, unit: b.unit, limit: limit, period: day, hard: true, pilots: true})
	}
	return out
}

// Rates are the limits that an agent's lifecycle and containment bring, beside
// those of policies.
func (c Config) Rates(lifecycle, containment string) []string {
	var out []string
	if lifecycle == "pilot" && c.PilotRate != "" {
		out = append(out, c.PilotRate)
	}
	if containment == "throttled" && c.ThrottledRate != "" {
		out = append(out, c.ThrottledRate)
	}
	return out
}

// Scale is how a containment narrows rates: for Take.
func (c Config) Scale(containment string) RatesOption {
	if containment == "throttled" {
		return Divided(c.ThrottleBy)
	}
	return RatesOption{}
}
