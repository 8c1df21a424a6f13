package run

import "testing"

// Hashes of a day find content that is there already; across teams that would
// tell one what another said.
func TestHashesOfTeamsDiffer(t *testing.T) {
	t.Parallel()
	h, err := newHasher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	same := h.sum(1, "shop", "text", []byte("a secret"))
	if again := h.sum(1, "shop", "text", []byte("a secret")); again != same {
		t.Error("the same content of a team has two hashes")
	}
	for _, k := range []hashScope{{1, "core", "text"}, {2, "shop", "text"}, {1, "shop", "json"}, {1, "", "textshop"}, {1, "op", "text\x00sh"}} {
		if other := h.sum(k.day, k.team, k.format, []byte("a secret")); other == same {
			t.Errorf("%+v has the hash of shop's", k)
		}
	}
}
