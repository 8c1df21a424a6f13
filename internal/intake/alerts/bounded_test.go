package alerts

import (
	"net/http"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/fault"
)

// TestMappingsStayBounded: what an expression makes is refused before it is made,
// and all elements of a delivery share what it may cost.
func TestMappingsStayBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 200_000)
	for _, c := range []struct{ name, title, body, why string }{
		{"replace", `"x".replace("", body.y).replace("", body.y)`, `{"y":"` + long + `"}`, ""},
		{"replace so often", `"x".replace("", body.y, 2).replace("", body.y, 1000000)`, `{"y":"` + long + `"}`, ""},
		{"replace of constants", `"x"` + strings.Repeat(`.replace("", "`+strings.Repeat("a", 900)+`")`, 3), `{}`, "too long a text"},
		{"join", `body.l.join(body.y)`, `{"y":"` + long + `","l":["a"` + strings.Repeat(`,""`, 50_000) + `]}`, "too long a text"},
		{"join of much", `body.l.join()`, `{"l":["a"` + strings.Repeat(`,"`+long[:50_000]+`"`, 20) + `]}`, ""},
		{"format", `"` + strings.Repeat("%s", 100) + `".format([` + strings.TrimSuffix(strings.Repeat("body,", 100), ",") + `])`, `{"y":"` + long + `"}`, "too long a text"},
		{"format of what is deep", `"%s".format([body])`, `{"a":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`, "too long a text"},
	} {
		program, problems := Compile(&client.AlertMapping{Title: "string(size(" + c.title + "))"})
		if len(problems) > 0 {
			t.Errorf("%s: %+v", c.name, problems)
			continue
		}
		_, err := anyJSON(&Request{Body: []byte(c.body), Now: now, Header: http.Header{}, Mapping: program})
		if !fault.Is(err, fault.KindInvalid) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", c.name, err)
		}
	}

	each := client.AlertMapping{Each: "body.l", Key: "item", Title: `string(body.s.map(a, body.s.map(b, a).size()).size())`}
	program, problems := Compile(&each)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	body := `{"s":[1` + strings.Repeat(",1", 100) + `],"l":["a"` + strings.Repeat(`,"a"`, maxReports-1) + `]}`
	if _, err := anyJSON(&Request{Body: []byte(body), Now: now, Header: http.Header{}, Mapping: program}); err == nil || !strings.Contains(err.Error(), errCost.Error()) {
		t.Errorf("5,000 elements at 140,000 each: %v", err)
	}
}

// TestMappingsStillMakeTexts: the functions that are bounded do what they did.
func TestMappingsStillMakeTexts(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		`"banana".replace("an", "o")`:                                       "booa",
		`"banana".replace("a", "oo", 2)`:                                    "boonoona",
		`"ab".replace("", "-")`:                                             "-a-b-",
		`"ab".replace("b", "")`:                                             "a",
		`["a", "b"].join("-") + ["c", "d"].join()`:                          "a-bcd",
		`"%s is %d, %s".format(["a", 3, [1, "b"]])`:                         "a is 3, [1, b]",
		`body.l.map(x, string(x)).join(", ") + " " + string(body.l.size())`: "1, 2 2",
	} {
		program, problems := Compile(&client.AlertMapping{Title: title})
		if len(problems) > 0 {
			t.Errorf("%s: %+v", title, problems)
			continue
		}
		got, err := anyJSON(&Request{Body: []byte(`{"l":[1,2]}`), Now: now, Header: http.Header{}, Mapping: program})
		if err != nil || len(got) != 1 || got[0].Title != want {
			t.Errorf("%s: %v, %v", title, got, err)
		}
	}
}

// TestElementsHaveTheirOwnWords: many elements do not keep the whole body each.
func TestElementsHaveTheirOwnWords(t *testing.T) {
	t.Parallel()
	for _, each := range []string{"body.l", "body.l.map(x, {'k': x.k, 'n': x.n})"} {
		program, problems := Compile(&client.AlertMapping{Each: each, Key: "item.k"})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		got, err := anyJSON(&Request{Body: []byte(`{"l":[{"k":"a","n":1},{"k":"b","n":2}]}`), Now: now, Header: http.Header{}, Mapping: program})
		if err != nil || len(got) != 2 {
			t.Fatal(got, err)
		}
		if said := strings.ReplaceAll(string(got[1].Raw), " ", ""); said != `{"k":"b","n":2}` {
			t.Errorf("%s: %s", each, said)
		}
	}
}
