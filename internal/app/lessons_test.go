package app

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/agent"
)

// A lesson that a person gives is what an agent is given at the door.
func TestLessonsAtTheDoor(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	register(t, a, "orders-agent")
	_, key, err := a.agents.CreateKey(t.Context(), everyRole(), "orders-agent", agent.NewKey{Label: "test"})
	if err != nil {
		t.Fatal(err)
	}
	c := client.New("http://"+a.Address("listen"), "")
	l, err := c.CreateLesson(t.Context(), client.CreateLessonRequest{Title: "Prices", Text: "Prices come from the price list.", Owner: "me", Measure: "failures", ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	rpc := `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"reeve://lessons"}}`
	if got := post(t.Context(), a.Door()+"/lessons/mcp", "application/json", []byte(rpc), "Authorization", "Bearer "+key); got.status != http.StatusOK || !strings.Contains(got.body, "price list") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := post(t.Context(), a.Door()+"/lessons/mcp", "application/json", []byte(rpc), "Authorization", "Bearer rvk_wrong"); got.status != http.StatusUnauthorized || strings.Contains(got.body, "price list") {
		t.Errorf("a wrong key: %d %s", got.status, got.body)
	}
	got, err := c.GetLesson(t.Context(), client.LessonRequest{ID: l.ID})
	if err != nil || len(got.Reads) != 1 || got.Reads[0].Agent != "orders-agent" || got.Reads[0].How != "resource" || got.Effect == nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := c.RevokeLesson(t.Context(), client.RevokeLessonRequest{ID: l.ID, Reason: "over"}); err != nil {
		t.Fatal(err)
	}
	if got := post(t.Context(), a.Door()+"/lessons/mcp", "application/json", []byte(rpc), "Authorization", "Bearer "+key); strings.Contains(got.body, "price list") {
		t.Errorf("a revoked lesson is given: %s", got.body)
	}
}
