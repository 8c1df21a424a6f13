package api

import (
	"slices"
	"testing"
	"time"

	"reeve/client"
)

func TestConnections(t *testing.T) {
	t.Parallel()
	since := testNow.Add(-time.Hour)
	a := newTestAPI(t, func(o *Options) {
		o.SIEM = func() []client.SIEMTarget {
			return []client.SIEMTarget{
				{Name: "well", Kind: "splunk", Where: "https://user:secret@splunk.example/services?token=abc", Sent: 3, LastSentAt: &since},
				{Name: "ill", Kind: "syslog", Where: "tcp://log:514", FailingSince: &since, Error: `Post "https://hooks.example/services/T0/B0/secret?x=1": refused`, Behind: map[string]int64{"a": 2, "b": 3}},
				{Name: "new", Kind: "file", Where: "/var/log/x"},
			}
		}
		o.ProviderButtons = []client.ProviderButton{{Name: "okta", Label: "Okta"}}
	})
	got := get[client.OtherSystems](t, a, "/connections", "as viewer+auditor")
	var order []string
	for _, c := range got.Items {
		order = append(order, c.Kind+" "+c.Name+" "+c.State)
	}
	want := []string{"siem ill failing", "sign_in okta unknown", "siem new quiet", "siem well working"}
	if !slices.Equal(order, want) {
		t.Errorf("connections %q, want %q", order, want)
	}
	if ill := got.Items[0]; ill.Waiting == nil || *ill.Waiting != 5 || ill.LastError != `Post "https://hooks.example": refused` || ill.Path != "/audit" {
		t.Errorf("the failing one: %+v", ill)
	}
	if well := got.Items[3]; well.Where != "https://splunk.example" {
		t.Errorf("an address shows %q, and must show no secret", well.Where)
	}
	if !slices.Equal(got.Parts, []string{"siem", "sign-in"}) || got.Text != "4 connections: 1 working, 1 failing, 1 without a word yet." {
		t.Errorf("parts %q, in words %q", got.Parts, got.Text)
	}
	if less := get[client.OtherSystems](t, a, "/connections", "as viewer"); len(less.Items) != 1 || less.Items[0].Kind != "sign_in" {
		t.Errorf("who may not list where records go sees %+v", less.Items)
	}
	if r := send(a, "GET", Prefix+"/connections", "as viewer@core/*", ""); r.status != 403 {
		t.Errorf("who sees one team alone gets %d, want 403: an address is the house's", r.status)
	}
}
