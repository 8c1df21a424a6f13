// Package shop is the world in which the example agents work: an orders
// database and a knowledge base, each a real MCP server over streamable HTTP.
//
// The data are made from a seed. Faults (slow, failing or endless answers) are
// put into the data and the tools only, which is where real ones come from;
// Faults switches them and is used by the demo.
//
// Start reading at New and Shop.Handler.
package shop

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Shop holds the data of both servers. Safe for concurrent use.
type Shop struct {
	mu       sync.Mutex // guards what follows
	rng      *rand.Rand
	orders   map[string]*Order
	articles []article
	faults   Faults
	pace     float64
}

// Order is a row of the orders database.
type Order struct {
	ID       string  `json:"order_id"`
	Customer string  `json:"customer"`
	Product  string  `json:"product"`
	Category string  `json:"category"`
	Total    float64 `json:"total"`
	Currency string  `json:"currency"`
	Country  string  `json:"country"`
	Status   string  `json:"status"` // delivered, in_transit, returned, cancelled
	Days     int     `json:"days_since_delivery"`
	Refunded bool    `json:"refunded"`
	Note     string  `json:"note,omitempty"`
}

type article struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Text  string `json:"text,omitempty"`
}

// Faults are what goes wrong. Rates are between 0 and 1.
type Faults struct {
	LookupTimeout float64       // lookup_order fails with a database timeout
	SlowQuery     float64       // run_query takes SlowFor
	SlowFor       time.Duration //
	EndlessSearch bool          // search_articles always promises one more page
}

// Everyday is the mix of small faults that any system has.
func Everyday() Faults {
	return Faults{LookupTimeout: 0.04, SlowQuery: 0.12, SlowFor: 4 * time.Second}
}

// New makes the data from a seed. pace scales every waiting time; 0 is none,
// for tests.
func New(seed uint64, f Faults, pace float64) *Shop {
	s := &Shop{rng: rand.New(rand.NewPCG(seed, 11)), orders: map[string]*Order{}, faults: f, pace: pace}
	products := []struct {
		name, category string
		price          float64
	}{
		{"desk lamp", "lighting", 39.9},
		{"office chair", "furniture", 249},
		{"standing desk", "furniture", 620},
		{"noise-cancelling headphones", "audio", 189},
		{"mechanical keyboard", "computing", 119},
		{"monitor arm", "computing", 79.5},
		{"espresso machine", "kitchen", 449},
		{"kettle", "kitchen", 34.9},
		{"backpack", "travel", 89},
		{"rain jacket", "clothing", 129},
	}
	for i := range 400 {
		p := products[s.rng.IntN(len(products))]
		o := &Order{
			ID: fmt.Sprint(1000 + i), Customer: fmt.Sprintf("customer-%d", 100+s.rng.IntN(300)), Product: p.name, Category: p.category,
			Total: p.price * float64(1+s.rng.IntN(2)), Currency: "EUR", Country: []string{"DE", "FR", "NL", "PL", "ES"}[s.rng.IntN(5)],
			Status: []string{"delivered", "delivered", "delivered", "delivered", "in_transit", "returned", "cancelled"}[s.rng.IntN(7)],
			Days:   s.rng.IntN(45),
		}
		s.orders[o.ID] = o
	}
	s.articles = makeArticles()
	return s
}

// SetFaults replaces what goes wrong from now on.
func (s *Shop) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Faults tells what goes wrong now.
func (s *Shop) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// chance draws, with the lock held by nobody.
func (s *Shop) chance(p float64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.Float64() < p
}

// pause waits as long as a tool takes: low and high in milliseconds.
func (s *Shop) pause(ctx context.Context, low, high int) error {
	s.mu.Lock()
	ms := float64(low + s.rng.IntN(high-low+1))
	s.mu.Unlock()
	return s.sleep(ctx, time.Duration(ms)*time.Millisecond)
}

func (s *Shop) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(time.Duration(float64(d) * s.pace))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Handler serves the orders database at /orders and the knowledge base at /kb,
// both over MCP, and a plain HTTP API at /api.
func (s *Shop) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, server := range map[string]*mcp.Server{"/orders": s.ordersServer(), "/kb": s.kbServer()} {
		mux.Handle(path, mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server },
			&mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true, MaxRequestBodyBytes: 1 << 20}))
	}
	s.rest(mux)
	return mux
}

type lookupIn struct {
	OrderID string `json:"order_id" jsonschema:"the order's number"`
}

type refundIn struct {
	OrderID string  `json:"order_id" jsonschema:"the order's number"`
	Amount  float64 `json:"amount" jsonschema:"in the order's currency"`
	Reason  string  `json:"reason" jsonschema:"why"`
}

type flagIn struct {
	OrderID string `json:"order_id" jsonschema:"the order's number"`
	Note    string `json:"note" jsonschema:"what a person should know"`
}

type returnsIn struct {
	Limit int `json:"limit" jsonschema:"how many at most"`
}

type queryIn struct {
	GroupBy string `json:"group_by" jsonschema:"status, country, category or product"`
	Measure string `json:"measure" jsonschema:"count, sum_total or avg_total"`
}

func (s *Shop) ordersServer() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "orders", Version: "2.3.0"}, nil)
	add(server, "lookup_order", "Look up an order by its number.", func(ctx context.Context, in lookupIn) (any, error) {
		if err := s.pause(ctx, 20, 160); err != nil {
			return nil, err
		}
		if s.chance(s.Faults().LookupTimeout) {
			return nil, errors.Join(s.pause(ctx, 900, 1500), errors.New("orders database: statement timeout after 1500 ms"))
		}
		return s.find(in.OrderID)
	})
	add(server, "issue_refund", "Refund an order. Above 500 EUR a person has to agree.", func(ctx context.Context, in refundIn) (any, error) {
		if err := s.pause(ctx, 80, 300); err != nil {
			return nil, err
		}
		o, err := s.find(in.OrderID)
		switch {
		case err != nil:
			return nil, err
		case o.Refunded:
			return nil, fmt.Errorf("order %s was refunded before", o.ID)
		case in.Amount > o.Total:
			return nil, fmt.Errorf("%.2f is more than was paid (%.2f)", in.Amount, o.Total)
		case in.Amount > 500:
			return nil, fmt.Errorf("a refund of %.2f needs a person's approval", in.Amount)
		}
		s.change(o.ID, func(o *Order) { o.Refunded = true })
		s.newOrder()
		return map[string]any{"refund_id": "rf-" + o.ID, "amount": in.Amount, "currency": o.Currency, "arrives_in_days": 3}, nil
	})
	add(server, "list_open_returns", "List returned orders that were not refunded yet.", func(ctx context.Context, in returnsIn) (any, error) {
		if err := s.pause(ctx, 60, 200); err != nil {
			return nil, err
		}
		var out []Order
		for _, o := range s.all() {
			if o.Status == "returned" && !o.Refunded && len(out) < min(max(in.Limit, 1), 20) {
				out = append(out, o)
			}
		}
		return map[string]any{"orders": out}, nil
	})
	add(server, "flag_order", "Leave a note on an order for a person.", func(ctx context.Context, in flagIn) (any, error) {
		if err := s.pause(ctx, 20, 80); err != nil {
			return nil, err
		}
		if _, err := s.find(in.OrderID); err != nil {
			return nil, err
		}
		s.change(in.OrderID, func(o *Order) { o.Note = in.Note })
		return map[string]any{"order_id": in.OrderID, "flagged": true}, nil
	})
	add(server, "run_query", "Aggregate all orders.", func(ctx context.Context, in queryIn) (any, error) {
		if err := s.pause(ctx, 200, 700); err != nil {
			return nil, err
		}
		if f := s.Faults(); s.chance(f.SlowQuery) {
			if err := s.sleep(ctx, f.SlowFor); err != nil {
				return nil, err
			}
		}
		return aggregate(s.all(), in)
	})
	return server
}

// add registers a tool whose result is JSON text.
func add[In any](server *mcp.Server, name, description string, run func(context.Context, In) (any, error)) {
	mcp.AddTool(server, &mcp.Tool{Name: name, Description: description}, func(ctx context.Context, _ *mcp.CallToolRequest, in In) (*mcp.CallToolResult, any, error) {
		out, err := run(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		raw, err := json.Marshal(out)
		if err != nil {
			return nil, nil, err
		}
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(raw)}}}, nil, nil
	})
}

func (s *Shop) find(id string) (Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.orders[strings.TrimSpace(id)]; o != nil {
		return *o, nil
	}
	return Order{}, fmt.Errorf("there is no order %q", id)
}

func (s *Shop) change(id string, f func(*Order)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.orders[id])
}

// newOrder turns some order into one just delivered, so that a shop which is
// open for days does not run out of orders to refund.
func (s *Shop) newOrder() {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orders[fmt.Sprint(1000+s.rng.IntN(len(s.orders)))]
	o.Refunded, o.Days, o.Note = false, s.rng.IntN(45), ""
}

func (s *Shop) all() []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Order
	for _, o := range s.orders {
		out = append(out, *o)
	}
	slices.SortFunc(out, func(a, b Order) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func aggregate(orders []Order, in queryIn) (any, error) {
	key := map[string]func(Order) string{
		"status": func(o Order) string { return o.Status }, "country": func(o Order) string { return o.Country },
		"category": func(o Order) string { return o.Category }, "product": func(o Order) string { return o.Product },
	}[in.GroupBy]
	if key == nil {
		return nil, fmt.Errorf("cannot group by %q", in.GroupBy)
	}
	count, sum := map[string]float64{}, map[string]float64{}
	for _, o := range orders {
		count[key(o)]++
		sum[key(o)] += o.Total
	}
	type row struct {
		Key   string  `json:"key"`
		Value float64 `json:"value"`
	}
	var rows []row
	for k, n := range count {
		v := n
		switch in.Measure {
		case "sum_total":
			v = sum[k]
		case "avg_total":
			v = sum[k] / n
		case "count":
		default:
			return nil, fmt.Errorf("cannot measure %q", in.Measure)
		}
		rows = append(rows, row{k, float64(int(v*100)) / 100})
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.Key, b.Key))
	})
	return map[string]any{"group_by": in.GroupBy, "measure": in.Measure, "rows": rows}, nil
}
