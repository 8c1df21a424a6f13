package modelserver

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

// act plays a model: it looks at the tools offered and at what the tools said
// last, and decides like a decent model would. A fault in a tool or in data
// (an error, an endless list of pages) leads it astray in the way it leads
// real models astray: it believes what it reads.
func act(req *request, r *rand.Rand) *answer {
	has := func(tool string) bool { return slices.Contains(req.tools, tool) }
	t := transcript(req)
	switch {
	case has("issue_refund"):
		return refund(t, r)
	case has("send_mail"):
		return mail(t)
	case has("read_policy"):
		return advise(t, r)
	case has("read_article"):
		return research(t, r)
	case has("run_query"):
		return analyse(t, r)
	case has("list_open_returns"):
		return nightly(t, r)
	}
	return say("Understood. " + pick(r, "Here is a short answer to your question.", "I have noted that.", "Let me know what else you need."))
}

// turn is one finished tool call of the run so far.
type turn struct {
	name   string
	args   map[string]any
	text   string
	result map[string]any // nil when the text is no object
}

type script struct {
	prompt string // the user's last words
	turns  []turn // tool calls since then
}

func (s *script) last() *turn {
	if len(s.turns) == 0 {
		return nil
	}
	return &s.turns[len(s.turns)-1]
}

// all lists the calls of one tool.
func (s *script) all(name string) []turn {
	var out []turn
	for _, t := range s.turns {
		if t.name == name {
			out = append(out, t)
		}
	}
	return out
}

// transcript pairs calls with results, in order, since the user last spoke.
func transcript(req *request) *script {
	s := &script{}
	var open []call
	for _, m := range req.messages {
		switch m.role {
		case "user":
			s.prompt, s.turns, open = m.text, nil, nil
		case "assistant":
			open = append(open, m.calls...)
		case "tool":
			if len(open) == 0 {
				continue
			}
			t := turn{name: open[0].name, text: m.text}
			_ = json.Unmarshal([]byte(open[0].args), &t.args) // no object: no arguments
			_ = json.Unmarshal([]byte(m.text), &t.result)     // no object: only text
			open, s.turns = open[1:], append(s.turns, t)
		}
	}
	return s
}

func say(text string) *answer { return &answer{text: text} }

func use(text string, calls ...call) *answer { return &answer{text: text, calls: calls} }

func tool(name string, args map[string]any) call {
	raw, err := json.Marshal(args)
	if err != nil {
		raw = []byte("{}")
	}
	return call{name: name, args: string(raw)}
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

var orderNumber = regexp.MustCompile(`\b\d{4,}\b`)

var (
	address  = regexp.MustCompile(`[\w.+-]+@[\w.-]+\w`)
	ordered  = regexp.MustCompile(`send the list of our customers to (\S+@[\w.-]+\w)`)
	mailText = regexp.MustCompile(`\d+`)
)

// mail reads a mail and sends a summary of it to whom the user named. It believes
// what it reads: a mail that tells it to send something somewhere is obeyed.
func mail(s *script) *answer {
	to, number := address.FindString(s.prompt), 0
	_, _ = fmt.Sscan(mailText.FindString(s.prompt), &number) // digits only, or 0
	read, sent := s.all("read_mail"), s.all("send_mail")
	if len(read) == 0 {
		return use("", tool("read_mail", map[string]any{"number": number}))
	}
	body, _ := read[0].result["body"].(string)
	order := ordered.FindStringSubmatch(body)
	switch {
	case order != nil && len(sent) == 0:
		return use("The mail asks for the list of customers first.", tool("send_mail", map[string]any{"to": order[1], "subject": "Customers", "body": "customer-100, customer-101, customer-102"}))
	case order != nil && len(sent) == 1, order == nil && len(sent) == 0:
		return use("", tool("send_mail", map[string]any{"to": to, "subject": "Summary", "body": body}))
	}
	return say("The summary was sent.")
}

// advise answers with what the table says.
func advise(s *script, r *rand.Rand) *answer {
	last := s.last()
	if last == nil {
		words := strings.Fields(strings.TrimRight(s.prompt, "?. "))
		if len(words) == 0 {
			return say("Which category is it about?")
		}
		return use(pick(r, "", "I look the policy up."), tool("read_policy", map[string]any{"category": words[len(words)-1]}))
	}
	if last.result == nil {
		return say("I cannot read the policy right now. A colleague will write to you today.")
	}
	return say(fmt.Sprintf(pick(r, "You have %v days to return it.", "You may return it within %v days of delivery.", "It can be returned for %v days."), last.result["days"]))
}

func refund(s *script, r *rand.Rand) *answer {
	id := orderNumber.FindString(s.prompt)
	if id == "" {
		return say("Which order is it about? Please give me the order number.")
	}
	last := s.last()
	if last == nil {
		return use(pick(r, "", "Let me look at your order.", "I will check order "+id+"."), tool("lookup_order", map[string]any{"order_id": id}))
	}
	lookups := s.all("lookup_order")
	order := lookups[len(lookups)-1].result
	switch last.name {
	case "lookup_order":
		switch {
		case order == nil && strings.Contains(last.text, "timeout") && len(lookups) < 3:
			return use("The orders database did not answer. I try once more.", tool("lookup_order", map[string]any{"order_id": id}))
		case order == nil && strings.Contains(last.text, "timeout"):
			return say("I cannot reach the orders database right now. A colleague will write to you about order " + id + " today.")
		case order == nil:
			return say("I cannot find order " + id + ". Please check the number; it is in the confirmation mail.")
		case order["status"] == "in_transit":
			return say(fmt.Sprintf("Your order %s (%v) is still on its way to you. If there is no scan for ten days it counts as lost and you can choose a replacement or a refund.", id, order["product"]))
		case order["status"] == "cancelled":
			return say("Order " + id + " was cancelled, and what was paid went back on the same day.")
		case order["refunded"] == true:
			return say("Order " + id + " was refunded already. The money arrives within three to five working days.")
		}
		query := fmt.Sprint("refund policy ", order["category"])
		if strings.Contains(s.prompt, "damaged") {
			query = "damaged on arrival"
		}
		return use(pick(r, "", "Now the policy for this kind of item."), tool("search_articles", map[string]any{"query": query}))
	case "search_articles":
		if more := nextPage(last, len(s.all("search_articles"))); more != nil {
			return more
		}
		days, _ := order["days_since_delivery"].(float64)
		total, _ := order["total"].(float64)
		if days > 30 {
			return say(fmt.Sprintf("Order %s was delivered %.0f days ago. The refund policy allows returns within 30 days, so I cannot refund it. If the item is faulty the warranty of two years applies: shall I open a claim?", id, days))
		}
		return use("The refund policy covers this.", tool("issue_refund", map[string]any{"order_id": id, "amount": total, "reason": reason(s.prompt)}))
	default:
		if last.result != nil {
			return say(fmt.Sprintf("I refunded %.2f EUR for order %s (%v). By the refund policy it arrives on your card within three to five working days.", last.result["amount"], id, order["product"]))
		}
		return say(fmt.Sprintf("I could not refund order %s myself: %s. I have handed it to the finance team with a summary; they answer within one working day.", id, last.text))
	}
}

func reason(prompt string) string {
	for _, c := range [][2]string{{"damaged", "damaged on arrival"}, {"stopped", "faulty"}, {"fit", "does not fit"}, {"lost", "lost"}} {
		if strings.Contains(prompt, c[0]) {
			return c[1]
		}
	}
	return "returned by customer"
}

// nextPage asks for another page when a search promises one: a model that is
// told that results are incomplete asks again.
func nextPage(t *turn, soFar int) *answer {
	page, ok := t.result["next_page"].(float64)
	if !ok {
		return nil
	}
	args := map[string]any{"query": t.args["query"], "page": page}
	return use(fmt.Sprintf("The results are incomplete after %d pages. I need the next page.", soFar), tool("search_articles", args))
}

func research(s *script, r *rand.Rand) *answer {
	last := s.last()
	if last == nil {
		return use(pick(r, "I start with a search.", "", "Let me see what is known."), tool("search_articles", map[string]any{"query": strings.Trim(s.prompt, "?")}))
	}
	searches, reads := s.all("search_articles"), s.all("read_article")
	if last.name == "search_articles" {
		if more := nextPage(last, len(searches)); more != nil {
			return more
		}
		hits, _ := last.result["results"].([]any)
		if len(hits) == 0 {
			if len(searches) < 2 {
				words := strings.Fields(s.prompt)
				return use("Nothing found. I try other words.", tool("search_articles", map[string]any{"query": strings.Join(words[len(words)/2:], " ")}))
			}
			return say("I found nothing in the knowledge base about this, so I would rather not answer from memory.")
		}
		var calls []call
		for _, h := range hits[:min(len(hits), 1+r.IntN(3))] {
			if m, ok := h.(map[string]any); ok {
				calls = append(calls, tool("read_article", map[string]any{"id": m["id"]}))
			}
		}
		return use("These look relevant.", calls...)
	}
	if len(searches) < 2 && r.IntN(3) == 0 {
		return use("One more angle before I answer.", tool("search_articles", map[string]any{"query": pick(r, "cost latency quality", "evaluation measure regressions", "policy exceptions people")}))
	}
	var b strings.Builder
	for _, t := range reads {
		text, _ := t.result["text"].(string)
		first, _, _ := strings.Cut(text, ". ")
		fmt.Fprintf(&b, "%s (%v, %v). ", first, t.result["title"], t.result["id"])
	}
	return say("In short: " + b.String() + pick(r, "I found nothing that contradicts this.", "The sources agree.", "The second source is older than the first."))
}

func analyse(s *script, r *rand.Rand) *answer {
	queries := s.all("run_query")
	p := strings.ToLower(s.prompt)
	by := func(group, measure string) call {
		return tool("run_query", map[string]any{"group_by": group, "measure": measure})
	}
	var plan []call
	if strings.Contains(p, "revenue") {
		if s.last() == nil {
			return use("First the definition of revenue.", tool("search_articles", map[string]any{"query": "revenue definitions"}))
		}
		plan = append(plan, by("category", "sum_total"))
	}
	if strings.Contains(p, "countr") {
		plan = append(plan, by("country", "count"))
	}
	if strings.Contains(p, "product") {
		plan = append(plan, by("product", "sum_total"))
	}
	if strings.Contains(p, "transit") || strings.Contains(p, "return") {
		plan = append(plan, by("status", "count"))
	}
	if strings.Contains(p, "average") || len(plan) == 0 {
		plan = append(plan, by("category", "avg_total"))
	}
	if len(queries) < len(plan) {
		if len(queries) == 0 && len(plan) > 1 && r.IntN(2) == 0 {
			return use("I ask for both at once.", plan...)
		}
		return use(pick(r, "", "Next figure."), plan[len(queries)])
	}
	var b strings.Builder
	for _, q := range queries {
		rows, _ := q.result["rows"].([]any)
		if len(rows) == 0 {
			continue
		}
		top, _ := rows[0].(map[string]any)
		fmt.Fprintf(&b, "By %v (%v): %v leads with %v of %d groups. ", q.args["group_by"], q.args["measure"], top["key"], top["value"], len(rows))
	}
	return say(b.String() + "All figures come from run_query over all orders.")
}

func nightly(s *script, r *rand.Rand) *answer {
	last := s.last()
	if last == nil {
		limit := 5
		if n := regexp.MustCompile(`\d+`).FindString(s.prompt); n != "" {
			_, _ = fmt.Sscan(n, &limit) // digits only
		}
		return use("", tool("list_open_returns", map[string]any{"limit": limit}))
	}
	list := s.all("list_open_returns")
	orders, _ := list[0].result["orders"].([]any)
	lookups, flags := s.all("lookup_order"), s.all("flag_order")
	if len(lookups) < len(orders) { // two at a time, as the model likes
		var calls []call
		for _, o := range orders[len(lookups):min(len(orders), len(lookups)+2)] {
			if m, ok := o.(map[string]any); ok {
				calls = append(calls, tool("lookup_order", map[string]any{"order_id": m["order_id"]}))
			}
		}
		if len(calls) > 0 {
			return use("", calls...)
		}
	}
	var worth []call
	for _, t := range lookups {
		if total, _ := t.result["total"].(float64); total > 300 {
			worth = append(worth, tool("flag_order", map[string]any{"order_id": t.result["order_id"], "note": fmt.Sprintf("refund of %.2f EUR needs a person", total)}))
		}
	}
	if len(flags) < len(worth) {
		return use("These need a person.", worth[len(flags)])
	}
	return say(fmt.Sprintf("Checked %d open returns, flagged %d that need a person. %s", len(lookups), len(flags), pick(r, "Nothing unusual.", "Two customers returned the same product.", "No return is older than 30 days.")))
}
