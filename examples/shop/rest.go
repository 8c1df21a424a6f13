package shop

import (
	"encoding/json"
	"net/http"
)

// rest is the shop's plain HTTP API, for agents that speak no MCP:
//
//	GET  /api/orders/{id}   an order
//	POST /api/refunds       {"order_id", "amount", "reason"}; takes a moment, as a bank does
func (s *Shop) rest(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		if s.pause(r.Context(), 20, 90) != nil {
			return // the caller has gone away
		}
		o, err := s.find(r.PathValue("id"))
		if err != nil {
			writeJSON(w, http.StatusNotFound, map[string]any{"error": err.Error()})
			return
		}
		writeJSON(w, http.StatusOK, o)
	})
	mux.HandleFunc("POST /api/refunds", func(w http.ResponseWriter, r *http.Request) {
		var in refundIn
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&in); err != nil {
			writeJSON(w, http.StatusBadRequest, map[string]any{"error": "no refund: " + err.Error()})
			return
		}
		if _, err := s.find(in.OrderID); err != nil {
			writeJSON(w, http.StatusNotFound, map[string]any{"error": err.Error()})
			return
		}
		if s.pause(r.Context(), 1500, 3000) != nil {
			return // cut before the money went
		}
		s.change(in.OrderID, func(o *Order) { o.Refunded = true })
		writeJSON(w, http.StatusCreated, map[string]any{"refund_id": "rf-" + in.OrderID, "amount": in.Amount, "arrives_in_days": 3})
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller has gone away: nobody to tell
}
