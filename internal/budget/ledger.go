package budget

import (
	"math"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// Ledger is all budgets with what was spent of them. One lock guards it: a
// reservation looks at several budgets and must take from all or none, and it
// is held for some hundred nanoseconds.
type Ledger struct {
	o Options

	mu       sync.Mutex
	ready    bool
	accounts map[string]*account           // by the budget's name
	named    [scopes]map[string][]*account // by whom they are for
	everyone [scopes][]*account
	calendar calendar
	people   people

	book    book // what the log says, apart from what is live
	changes sync.Mutex
	notices chan Notice
}

// account is a budget with its shares. Its definition is replaced when people
// change the limit; a change of what is counted makes a new account.
type account struct {
	def    *definition
	shares map[string]*share
}

// share is what one agent, user, task or team spent in the period.
type share struct {
	since    int64 // the period's beginning
	spent    int64 // settled, or kept spent
	reserved int64 // by calls that go on
	unknown  int64 // calls of which nobody knows what they came to
	told     uint8 // thresholds that were told
}

// maxShares bounds the shares of a budget for everyone. Names come from the
// register and from verified credentials, so it is far from what is met.
const maxShares = 200_000

// turn opens the period of now.
func (s *share) turn(since int64) {
	if since > s.since {
		*s = share{since: since}
	}
}

// Reservation is what a call holds back. A nil one holds nothing and is valid.
// Settle or Release ends it; what follows does nothing.
type Reservation struct {
	l     *Ledger
	ended bool
	holds []hold
	buf   [4]hold // most calls meet no more budgets: one allocation
}

// hold is the part of a reservation that one budget carries.
type hold struct {
	account *account
	def     *definition // as it was
	share   *share
	key     string
	since   int64
	amount  int64 // activity.Unknown: nothing bounded it, and the budget only warns
	spent   int64 // activity.Unknown until the end
}

// taken is what the hold keeps away from others.
func (h *hold) taken() int64 { return max(h.amount, 0) }

// Reserve takes a call's upper bound from every budget that matches, or from
// none. It answers nil, nil when none matches. For a Use that observes it takes
// in any case, and an error beside the reservation says what would have been
// refused.
func (l *Ledger) Reserve(now time.Time, u Use) (*Reservation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reserve(now, &u)
}

func (l *Ledger) reserve(now time.Time, u *Use) (*Reservation, error) {
	var r *Reservation
	var refusal error // in observe mode, the first
	for s := range scopes {
		key := u.of(s)
		if key == "" {
			continue
		}
		for _, list := range [2][]*account{l.named[s][key], l.everyone[s]} {
			for _, a := range list {
				if !a.def.covers(u) {
					continue
				}
				h, err := l.hold(now, a, s, key, u)
				if err != nil && !u.Observe {
					return nil, err
				}
				if refusal == nil {
					refusal = err
				}
				if h.account == nil {
					continue
				}
				if r == nil {
					r = &Reservation{l: l}
					r.holds = r.buf[:0]
				}
				r.holds = append(r.holds, h)
			}
		}
	}
	if r == nil {
		return nil, refusal
	}
	for i := range r.holds {
		h := &r.holds[i]
		h.share.reserved = add(h.share.reserved, h.taken())
	}
	return r, refusal
}

// hold looks whether an account can carry the call, and takes nothing yet.
func (l *Ledger) hold(now time.Time, a *account, of scope, name string, u *Use) (hold, error) {
	amount := u.amount(a.def.unit)
	if amount == 0 {
		return hold{}, nil
	}
	if !l.ready {
		return hold{}, fault.New(fault.KindUnavailable, "budget.not_ready", "budgets are still being read from the log").WithRetryAfter(time.Second)
	}
	sp := l.calendar.at(a.def.period, now)
	key := l.people.key(of, name)
	s, err := a.share(key)
	if err != nil {
		return hold{}, err
	}
	s.turn(sp.since)
	if a.def.hard {
		if left := a.def.limit - add(s.spent, s.reserved); amount == activity.Unknown {
			err = unbounded(a.def)
		} else if amount > left {
			l.tell(a.def, key, s, refused)
			err = exceeded(a.def, name, max(left, 0), amount, sp, now)
		}
	}
	return hold{account: a, def: a.def, share: s, key: key, since: s.since, amount: amount, spent: activity.Unknown}, err
}

func unbounded(d *definition) error {
	return fault.New(fault.KindDenied, "budget.unbounded_call", "nothing bounds what this call may spend in %s, and budget %s is a hard one", unitNames[d.unit], d.name).
		WithHint("set the most tokens of the answer (max_tokens), and leave out what has no bound, such as images and tools that the provider runs")
}

func exceeded(d *definition, name string, left, amount int64, sp span, now time.Time) error {
	f := fault.New(fault.KindExhausted, "budget.exceeded", "budget %s of %s %s has %s of %s left; this call may need %s",
		d.name, scopeNames[d.scope], name, d.unit.text(left), d.unit.text(d.limit), d.unit.text(amount))
	if d.period == total {
		return f.WithHint("its owner can raise it")
	}
	until := time.Unix(0, sp.until).UTC()
	return f.WithHint("it is counted anew at %s; its owner can raise it", until.Format(time.RFC3339)).WithRetryAfter(max(until.Sub(now), time.Second))
}

func (a *account) share(key string) (*share, error) {
	if s := a.shares[key]; s != nil {
		return s, nil
	}
	if len(a.shares) >= maxShares {
		return nil, fault.New(fault.KindUnavailable, "budget.too_many_shares", "budget %s counts for %d already", a.def.name, maxShares)
	}
	s := &share{since: math.MinInt64}
	a.shares[key] = s
	return s, nil
}

// add is a sum that stays at the largest number: a budget that only warns may
// be asked for anything.
func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Amounts is what the decision's record keeps: after Reserve with Spent unknown,
// after Settle or Release with what it came to.
func (r *Reservation) Amounts() []activity.Reserve {
	if r == nil {
		return nil
	}
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	out := make([]activity.Reserve, len(r.holds))
	for i := range r.holds {
		h := &r.holds[i]
		out[i] = activity.Reserve{
			Budget: h.def.name, Key: h.key, Count: h.def.count, Since: h.since,
			Unit: unitNames[h.def.unit], Amount: h.amount, Spent: h.spent,
		}
	}
	return out
}

// Settle says what the forwarded call came to; activity.Unknown keeps the
// reserved amount spent. What was not used is free at once.
func (r *Reservation) Settle(_ time.Time, tokensSpent, moneyNanos int64) {
	r.end(func(h *hold) int64 {
		spent := h.amount // calls: it was made
		switch h.def.unit {
		case tokens:
			spent = tokensSpent
		case money:
			spent = moneyNanos
		}
		if spent < 0 {
			return h.amount
		}
		return spent
	})
}

// Release says that the call was never forwarded: nothing was spent.
func (r *Reservation) Release() { r.end(func(*hold) int64 { return 0 }) }

func (r *Reservation) end(came func(*hold) int64) {
	if r == nil {
		return
	}
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	if r.ended {
		return
	}
	r.ended = true
	for i := range r.holds {
		h := &r.holds[i]
		h.spent = came(h)
		if h.share.since != h.since {
			continue // that period is over, and its count gone
		}
		h.share.reserved -= h.taken()
		if h.spent == activity.Unknown {
			h.share.unknown++
			continue
		}
		h.share.spent = add(h.share.spent, h.spent)
		r.l.tell(h.account.def, h.key, h.share, 0)
	}
}

// Left is the smallest rest that the hard budgets leave a caller; nil where no
// budget of that unit bounds it.
func (l *Ledger) Left(now time.Time, u Use) (tokensLeft, callsLeft, moneyLeft *int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range scopes {
		key := u.of(s)
		if key == "" {
			continue
		}
		for _, list := range [2][]*account{l.named[s][key], l.everyone[s]} {
			for _, a := range list {
				if !a.def.hard || !a.def.covers(&u) {
					continue
				}
				left := l.left(now, a, l.people.key(s, key))
				switch a.def.unit {
				case tokens:
					tokensLeft = least(tokensLeft, left)
				case calls:
					callsLeft = least(callsLeft, left)
				case money:
					moneyLeft = least(moneyLeft, left)
				}
			}
		}
	}
	return tokensLeft, callsLeft, moneyLeft
}

func (l *Ledger) left(now time.Time, a *account, key string) int64 {
	if !l.ready {
		return 0
	}
	sp := l.calendar.at(a.def.period, now)
	s := a.shares[key]
	if s == nil || sp.since > s.since {
		return a.def.limit
	}
	return max(a.def.limit-add(s.spent, s.reserved), 0)
}

func least(a *int64, b int64) *int64 {
	if a != nil && *a <= b {
		return a
	}
	return &b
}
