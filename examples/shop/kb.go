package shop

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type searchIn struct {
	Query string `json:"query" jsonschema:"words to look for"`
	Page  int    `json:"page,omitempty" jsonschema:"page of results, from 1"`
}

type readIn struct {
	ID string `json:"id" jsonschema:"the article's id"`
}

func (s *Shop) kbServer() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "knowledge-base", Version: "1.8.1"}, nil)
	add(server, "search_articles", "Search the knowledge base.", func(ctx context.Context, in searchIn) (any, error) {
		if err := s.pause(ctx, 40, 220); err != nil {
			return nil, err
		}
		hits := s.search(in.Query)
		if s.Faults().EndlessSearch {
			// A broken index: each page repeats what was said and promises another.
			var texts []string
			for _, h := range hits {
				texts = append(texts, h.Text)
			}
			page := max(in.Page, 1)
			return map[string]any{
				"results": hits, "page": page, "next_page": page + 1, "complete": false,
				"hint": "results are incomplete, ask for next_page", "preview": strings.Join(texts, "\n"),
			}, nil
		}
		for i := range hits {
			hits[i].Text = ""
		}
		return map[string]any{"results": hits, "complete": true}, nil
	})
	add(server, "read_article", "Read an article in full.", func(ctx context.Context, in readIn) (any, error) {
		if err := s.pause(ctx, 30, 120); err != nil {
			return nil, err
		}
		for _, a := range s.articles {
			if a.ID == in.ID {
				return a, nil
			}
		}
		return nil, fmt.Errorf("there is no article %q", in.ID)
	})
	return server
}

// search ranks articles by how many of the query's words they hold.
func (s *Shop) search(query string) []article {
	type hit struct {
		article
		score int
	}
	var hits []hit
	for _, a := range s.articles {
		text := strings.ToLower(a.Title + " " + a.Text)
		score := 0
		for _, w := range strings.Fields(strings.ToLower(query)) {
			if len(w) > 3 && strings.Contains(text, strings.Trim(w, "?.,")) {
				score++
			}
		}
		if score > 0 {
			hits = append(hits, hit{a, score})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int { return cmp.Or(b.score-a.score, cmp.Compare(a.ID, b.ID)) })
	var out []article
	for _, h := range hits[:min(len(hits), 4)] {
		out = append(out, h.article)
	}
	return out
}

func makeArticles() []article {
	var out []article
	for i, a := range articleTexts {
		out = append(out, article{ID: fmt.Sprintf("kb-%03d", i+1), Title: a[0], Text: a[1]})
	}
	return out
}

// articleTexts are title and text.
var articleTexts = [...][2]string{
	{"Refund policy", "Customers may return any item within 30 days of delivery for a full refund. Opened audio products are excluded unless they are faulty. Refunds go back to the original means of payment and arrive within three to five working days. Refunds above 500 EUR need the agreement of a person in the finance team."},
	{"Refund policy: furniture", "Furniture that was assembled may be returned within 30 days if all parts are present. The customer keeps the parcel label. Collection is arranged by the carrier; the refund is issued when the warehouse has confirmed the return."},
	{"Refund policy: kitchen", "Kitchen machines that were used may be returned within 30 days if they are clean. Espresso machines are checked by the workshop first, which takes up to four working days."},
	{"Shipping times", "Orders placed before 14:00 leave the warehouse on the same day. Standard delivery takes two to four working days in Germany, France and the Netherlands, three to six in Spain and Poland. An order in transit for more than ten days counts as lost."},
	{"Lost parcels", "A parcel without a scan for ten days is lost. The agent opens a claim with the carrier and offers a replacement or a refund. The claim takes up to three weeks; the customer does not wait for it."},
	{"Damaged on arrival", "Ask for two photographs. Damage reported within seven days is accepted without question. Offer a replacement first, a refund second, a discount of 20 per cent if the customer wants to keep the item."},
	{"Cancelling an order", "An order can be cancelled until it is packed. After that the customer refuses the parcel or returns it. Cancelled orders are refunded on the same day."},
	{"Loyalty programme", "Customers with more than five orders a year are premium customers. They get free express delivery and may return items within 60 days."},
	{"Warranty", "All products have a warranty of two years. Mechanical keyboards and headphones have three. Warranty claims go to the workshop with the order number."},
	{"Battery recall 2026", "Headphones made between March and May 2026 are recalled because the battery may swell. Customers get a free replacement. Do not ask them to send the old item by air."},
	{"Agents and retrieval: a survey of evaluation", "Retrieval quality decides most of the quality of an answer. Teams that measure recall at ten and the share of answers with a source find regressions two weeks earlier than teams that measure thumbs alone. Small samples need intervals."},
	{"Prompt caching economics", "Cached input tokens cost a tenth to a half of fresh ones. A stable prefix of instructions and tool definitions gives hit rates above 80 per cent. Anything that changes early in the prompt, such as the time of day, destroys the cache."},
	{"Model selection for support", "Small models resolve most refund questions at a tenth of the price. Large models pay off where several policies meet. Route by the number of policies that retrieval finds, not by the length of the question."},
	{"Tool design for agents", "Tools with few parameters and clear errors are called correctly more often. An error that says what to do next halves the number of retries. Tools that page through results should say how many pages there are."},
	{"Latency budgets", "Users wait about ten seconds for an agent before they leave. The first words should come within two. Two thirds of the time is spent in model calls, most of the rest in one slow tool."},
	{"Incident review: carrier outage in spring", "The carrier's tracking service failed for five hours. Agents answered from stale data and promised dates that could not be met. Since then the tracking tool says how old its data are."},
	{"Data quality: country codes", "Orders before 2024 use two spellings of country codes. Queries that group by country should fold them. The nightly job flags rows that do not match."},
	{"Seasonality of returns", "Returns rise by 40 per cent in January and by 15 per cent after the summer sale. Clothing leads, furniture follows ten days later."},
	{"Quarterly revenue definitions", "Revenue counts delivered orders less refunds. Cancelled orders do not count. Orders in transit count on the day of delivery."},
	{"Vector indexes compared", "Approximate indexes lose two to five per cent of recall. For fewer than a million passages an exact search is fast enough on one machine."},
	{"Guardrails in practice", "Rules on arguments stop more harm than rules on text. The most useful rule limits the amount of money in one call. The second limits how often."},
	{"Human handover", "A handover keeps its context: what was asked, what was tried, what remains. People resolve handed-over cases twice as fast when the agent states its own doubt."},
	{"Cost allocation", "Token costs are charged to the team whose key made the call. Shared agents charge the team that asked."},
	{"Privacy of conversations", "Conversations are kept for 90 days. Names and addresses are removed from training data. Agents use the customer number, never the name."},
}
