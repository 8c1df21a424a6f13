package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// GatewayOptions shape the measurement of the door against a bare Go proxy, and
// nginx where asked for, in one run: the same upstream answers 1 kB to all.
type GatewayOptions struct {
	Bin         string        // the program; "" is this one
	ServerArgs  []string      // more flags for it
	Policies    int           // statements beside the starters
	Agents      int           // registered; at most maxCallers of them call
	Connections int           // of the closed loop
	Rounds      int           // every contender is measured so often, in turn
	For         time.Duration // each measurement
	Rate        int           // calls a second of the open loop
	RunCalls    int           // calls of one run of an agent
	Routes      []string      // http, llm
	Nginx       string        // program; "" leaves it out
	Profile     string        // file for a CPU profile of the door's process in its first closed loop, and FILE.rate; "": none
	Progress    io.Writer     // nil: none
}

// GatewayReport is what each contender did, by route.
type GatewayReport struct {
	Routes []RouteReport `json:"routes"`
}

// RouteReport is one route's figures. Shares and differences compare what was
// measured minutes apart at most, in turn, on the same machine.
type RouteReport struct {
	Route      string           `json:"route"`
	Contenders []GatewayFigures `json:"contenders"`       // the bare proxy first, the door last
	Share      float64          `json:"share_of_bare"`    // of the bare proxy's calls/s: the median round
	CPU        float64          `json:"cpu_of_bare"`      // the door's CPU a call by the bare proxy's
	MoreP50    float64          `json:"more_p50_ms"`      // of the door over the bare proxy, at Rate
	MoreP99    float64          `json:"more_p99_ms"`      //
	FirstP50   float64          `json:"first_byte_p50ms"` // the door's over the bare proxy's: a stream's first byte
	FirstP99   float64          `json:"first_byte_p99ms"`
}

// GatewayFigures are one contender's.
type GatewayFigures struct {
	Name           string  `json:"name"`
	CallsPerSecond float64 `json:"calls_per_second"`
	CPUPerCall     float64 `json:"cpu_us_per_call"` // with what follows the call
	RateCPU        float64 `json:"cpu_us_per_call_at_rate"`
	P50            float64 `json:"p50_ms"` // at Rate
	P99            float64 `json:"p99_ms"`
	FirstP50       float64 `json:"first_p50_ms"`
	FirstP99       float64 `json:"first_p99_ms"`
	Errors         int64   `json:"errors"`
}

// Text writes the report for people.
func (r *GatewayReport) Text(w io.Writer) error {
	var errs []error
	line := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format+"\n", args...)
		errs = append(errs, err)
	}
	for _, route := range r.Routes {
		line("/%-11s %9s %12s %12s %19s %23s %7s", route.Route, "calls/s", "CPU a call", "at the rate", "p50, p99 there", "first byte p50, p99", "errors")
		for _, f := range route.Contenders {
			line("%-12s %9.0f %9.0f us %9.0f us %8.2f, %6.2f ms %12.2f, %6.2f ms %7d", f.Name, f.CallsPerSecond, f.CPUPerCall, f.RateCPU, f.P50, f.P99, f.FirstP50, f.FirstP99, f.Errors)
		}
		line("the door makes %.0f %% of the bare proxy's calls/s with %.2f times its CPU; p50 %+.2f ms, p99 %+.2f ms; first byte p50 %+.2f ms, p99 %+.2f ms",
			100*route.Share, route.CPU, route.MoreP50, route.MoreP99, route.FirstP50, route.FirstP99)
	}
	return errors.Join(errs...)
}

func gatewayMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o GatewayOptions
	var bare, output, routes, server string
	var nginx bool
	fs := flag.NewFlagSet("reeve bench gateway", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.Policies, "policies", 1000, "statements beside the starter policies")
	fs.IntVar(&o.Agents, "agents", 1, "agents that are registered; the first 64 of them call")
	fs.IntVar(&o.Connections, "connections", 32, "connections of the closed loop")
	fs.IntVar(&o.Rounds, "rounds", 3, "how often each contender is measured, in turn")
	fs.DurationVar(&o.For, "for", 4*time.Second, "how long each measurement takes")
	fs.IntVar(&o.Rate, "rate", 1000, "calls a second for the latencies")
	fs.IntVar(&o.RunCalls, "run-calls", 10, "calls of one run of an agent")
	fs.StringVar(&routes, "routes", "http,llm", "http, llm or both")
	fs.BoolVar(&nginx, "nginx", false, "measure nginx too (Debian's nginx-light)")
	fs.StringVar(&o.Profile, "profile", "", "write CPU profiles of the server to this file (while its calls/s are measured first) and to FILE.rate (at the set rate)")
	fs.StringVar(&o.Bin, "bin", "", "the program to measure (default: this one)")
	fs.StringVar(&server, "server-args", "", "more flags for the server, separated by spaces")
	fs.StringVar(&output, "o", "text", "text or json")
	fs.StringVar(&bare, "bare-proxy", "", "be the bare proxy to this address, as the measurement starts it")
	if err := parse(fs, args); err != nil {
		return err
	}
	if bare != "" {
		return bareProxy(ctx, bare, stdout)
	}
	if nginx {
		o.Nginx = "nginx"
	}
	o.Routes, o.ServerArgs, o.Progress = strings.Split(routes, ","), strings.Fields(server), stderr
	r, err := Gateway(ctx, o)
	if err != nil {
		return err
	}
	return report(stdout, output, r)
}

// Gateway measures. The upstream is in this process; the bare proxy, nginx and
// Reeve have processes of their own, so that their CPU is known.
func Gateway(ctx context.Context, o GatewayOptions) (*GatewayReport, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	up, stopUpstream, err := gatewayUpstream()
	if err != nil {
		return nil, err
	}
	defer stopUpstream()
	floors, stopFloors, err := startFloors(ctx, o, up)
	if err != nil {
		return nil, err
	}
	defer stopFloors()
	g, err := startGoverned(ctx, o.Bin, o.ServerArgs)
	if err != nil {
		return nil, err
	}
	defer g.end()
	fmt.Fprintf(o.Progress, "setting up %d agents and %d policies\n", o.Agents, o.Policies)
	if err := g.settle(ctx, up, o.Policies, o.Agents); err != nil {
		return nil, fmt.Errorf("setting the door up: %w", err)
	}
	keys, err := g.keys(ctx, min(o.Agents, maxCallers))
	if err != nil {
		return nil, err
	}
	r := &GatewayReport{}
	for _, name := range o.Routes {
		rt, ok := routeOf[name]
		if !ok {
			return nil, fmt.Errorf("a route is http or llm, not %q", name)
		}
		one, err := measureRoute(ctx, o, rt, append(slices.Clone(floors), contender{name: "door", base: g.door + rt.prefix, pid: g.server.Pid(), keys: keys}), g.server)
		if err != nil {
			return nil, err
		}
		r.Routes = append(r.Routes, *one)
	}
	return r, nil
}

// measureRoute measures the contenders in turn: what else the machine does then
// meets all of them.
func measureRoute(ctx context.Context, o GatewayOptions, rt route, list []contender, server *Server) (*RouteReport, error) {
	results := make([]measured, len(list))
	for round := range max(1, o.Rounds) {
		for i := range list {
			fmt.Fprintf(o.Progress, "/%s: measuring the %s, round %d\n", rt.name, list[i].name, round+1)
			var profile profiler
			if round == 0 && list[i].pid == server.Pid() {
				profile = server.profiler(ctx, o.Profile, o.For)
			}
			if err := results[i].round(ctx, o, rt, &list[i], profile); err != nil {
				return nil, fmt.Errorf("measuring the %s: %w", list[i].name, err)
			}
		}
	}
	r := &RouteReport{Route: rt.name}
	for i := range list {
		r.Contenders = append(r.Contenders, results[i].figures(list[i].name))
	}
	floor, door := &results[0], &results[len(list)-1]
	var shares []float64
	for i := range door.speeds {
		shares = append(shares, door.speeds[i]/max(1, floor.speeds[i]))
	}
	f, d := r.Contenders[0], r.Contenders[len(list)-1]
	r.Share, r.CPU = rank(shares, 0.5), d.CPUPerCall/max(1, f.CPUPerCall)
	r.MoreP50, r.MoreP99 = d.P50-f.P50, d.P99-f.P99
	r.FirstP50, r.FirstP99 = d.FirstP50-f.FirstP50, d.FirstP99-f.FirstP99
	return r, nil
}

// rank is the q-th quantile of values, which it sorts.
func rank(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(len(values)-1, int(q*float64(len(values))))]
}
