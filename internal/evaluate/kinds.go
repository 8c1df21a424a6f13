package evaluate

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"

	"reeve/internal/evaluate/ground"
	"reeve/internal/evaluate/voice"
)

// check looks at a run's texts.
type check func(*Texts) Found

// Finder finds personal data and secrets in a text, by class; app fills it in.
type Finder func(team, environment, text string) []string

var kinds = map[string]func(*Evaluator) (check, error){
	"groundedness": func(*Evaluator) (check, error) { return groundedness, nil },
	"leak":         func(*Evaluator) (check, error) { return nil, nil }, // the Book knows what finds
	"refusal":      func(*Evaluator) (check, error) { return refusal, nil },
	"rule":         rule,
	"schema":       schemaCheck,
	"voice":        voiceCheck,
}

const (
	maxMarks = 50
	maxMark  = 300
)

func groundedness(t *Texts) Found {
	docs := make([]string, len(t.Documents))
	for i, d := range t.Documents {
		docs[i] = d.Text
	}
	if len(docs) == 0 {
		return Found{Text: "The run read nothing that its answer could rest on."}
	}
	r := ground.Check(t.Answer, docs...)
	f := Found{Verdict: map[string]string{ground.Alert: Fail, ground.Judge: Unsure, ground.Pass: Pass}[r.Band]}
	if !math.IsNaN(r.Score) {
		f.Score = &r.Score
	}
	bad := 0
	for _, s := range r.Sentences {
		m := Mark{Start: s.Start, End: s.End, Text: cut(t.Answer[s.Start:s.End], maxMark), Good: s.Supported, Says: fmt.Sprintf("%.0f %% of its words stand in what was read", 100*s.Support)}
		if e := s.Evidence; e.End > e.Start {
			d := t.Documents[e.Document]
			m.Step, m.Document, m.Evidence = d.Step, d.Name, cut(d.Text[e.Start:e.End], maxMark)
		}
		if !s.Supported {
			bad++
			if missing := words(t.Answer, s.Missing); missing != "" {
				m.Says += "; not there: " + missing
			}
		}
		if len(f.Marks) < maxMarks {
			f.Marks = append(f.Marks, m)
		}
	}
	switch {
	case f.Verdict == "":
		f.Text = "There is too little in the answer to be checked."
	case bad == 0:
		f.Text = fmt.Sprintf("Each of %d sentences is carried by what was read.", len(r.Sentences))
	default:
		f.Text = fmt.Sprintf("%d of %d sentences are not carried by what was read.", bad, len(r.Sentences))
	}
	return f
}

func words(text string, all []ground.Word) string {
	var out []string
	for _, w := range all {
		if s := text[w.Start:w.End]; !slices.Contains(out, s) && len(out) < 8 {
			out = append(out, s)
		}
	}
	return strings.Join(out, ", ")
}

// leak finds classes of personal data and secrets in an answer that the user did
// not say first.
func leak(find Finder) check {
	return func(t *Texts) Found {
		if t.Answer == "" {
			return Found{}
		}
		said := find(t.Team, t.Environment, t.Prompt)
		var out []string
		for _, c := range find(t.Team, t.Environment, t.Answer) {
			if !slices.Contains(said, c) && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
		if len(out) == 0 {
			return Found{Verdict: Pass, Text: "No personal data or secret that the user had not given."}
		}
		return Found{Verdict: Fail, Text: "The answer has " + strings.Join(out, ", ") + ", which the user had not given."}
	}
}

// Refusals, reasons and other ways, in four languages. They are searched for in
// small letters.
var (
	refusing  = regexp.MustCompile(`\b(i|we)( am| are|'m|'re)? ?(sorry,? (but )?)?(i |we )?(can ?not|can't|won't|am not able to|are not able to|am unable to|are unable to|must decline)\b|\bnot (able|allowed|permitted) to (help|assist|do|provide|share)|\bkann (ich|ihnen|dir) (leider )?(nicht|kein)|\bje ne (peux|suis) pas (en mesure|autorisé)?|\bno puedo\b|\blo siento\b`)
	reasoning = regexp.MustCompile(`\b(because|since|due to|as (it|this|that|our|the)|policy|not permitted|privacy|security|regulation|law|weil|da (ich|es|das)|grund|parce que|car |politique|porque|debido a|política)\b`)
	offering  = regexp.MustCompile(`\b(instead|however|but (i|we|you) can|you (can|could|may)|i can|we can|please (contact|call|write|visit|use|see)|let me|would you like|alternativ|stattdessen|sie können|wenden sie sich|vous pouvez|à la place|contactez|puede|en su lugar|póngase)\b`)
)

// refusal tells how a refusal was given: with its reason, and with what else can
// be done. An answer that refuses nothing has no verdict.
func refusal(t *Texts) Found {
	low := strings.ToLower(strings.ReplaceAll(cut(t.Answer, 20_000), "’", "'"))
	at := refusing.FindStringIndex(low)
	if at == nil || at[0] > 400 { // what stands far down is about a part
		return Found{Text: "The answer refuses nothing."}
	}
	rest := low[:at[0]] + " " + low[at[1]:]
	why, else_ := reasoning.MatchString(rest), offering.MatchString(rest)
	score := 0.0
	for _, yes := range []bool{why, else_} {
		if yes {
			score += 0.5
		}
	}
	f := Found{Score: &score}
	switch {
	case why && else_:
		f.Verdict, f.Text = Pass, "It refuses with a reason, and says what else can be done."
	case why:
		f.Verdict, f.Text = Unsure, "It refuses with a reason, and leaves the user without another way."
	case else_:
		f.Verdict, f.Text = Unsure, "It refuses and says what else can be done, without a reason."
	default:
		f.Verdict, f.Text = Fail, "It refuses without a reason, and without another way."
	}
	return f
}

const (
	maxWhen     = 2000
	maxRuleCost = 1_000_000
)

var ruleEnv = func() (*cel.Env, error) {
	return cel.NewEnv(cel.CrossTypeNumericComparisons(true),
		cel.Variable("answer", cel.StringType), cel.Variable("prompt", cel.StringType), cel.Variable("documents", cel.ListType(cel.StringType)),
		cel.Variable("agent", cel.StringType), cel.Variable("version", cel.StringType), cel.Variable("task", cel.StringType),
		cel.Variable("steps", cel.IntType), cel.Variable("errors", cel.IntType), cel.Variable("cost", cel.DoubleType))
}

func rule(e *Evaluator) (check, error) {
	if strings.TrimSpace(e.When) == "" || len(e.When) > maxWhen {
		return nil, invalid("a rule has a condition of 1 to %d bytes that is true of what passes", maxWhen).WithHint(`answer.contains("order") && errors == 0`)
	}
	env, err := ruleEnv()
	if err != nil {
		return nil, fmt.Errorf("making the language of evaluators: %w", err)
	}
	ast, issues := env.Compile(e.When)
	if issues.Err() != nil {
		x := issues.Errors()[0]
		message, _, _ := strings.Cut(x.Message, "\n")
		return nil, invalid("line %d, column %d: %s", x.Location.Line(), x.Location.Column()+1, message).WithHint("it may ask about answer, prompt, documents, agent, version, task, steps, errors and cost")
	}
	if ast.OutputType() != cel.BoolType {
		return nil, invalid("the condition gives %s and not true or false", ast.OutputType())
	}
	program, err := env.Program(ast, cel.CostLimit(maxRuleCost))
	if err != nil {
		return nil, fmt.Errorf("making a rule: %w", err)
	}
	return func(t *Texts) Found {
		docs := make([]string, len(t.Documents))
		for i, d := range t.Documents {
			docs[i] = d.Text
		}
		out, _, err := program.Eval(map[string]any{
			"answer": t.Answer, "prompt": t.Prompt, "documents": docs, "agent": t.Agent, "version": t.Version, "task": t.Task, "steps": t.Steps, "errors": t.Errors, "cost": t.Cost,
		})
		if err != nil {
			return Found{Text: "The rule could not be asked: " + cut(err.Error(), 200)}
		}
		if out.Value() == true {
			return Found{Verdict: Pass, Text: "The rule holds."}
		}
		return Found{Verdict: Fail, Text: "The rule does not hold: " + cut(e.When, 300)}
	}, nil
}

const maxVoiceRules = 200

func voiceCheck(e *Evaluator) (check, error) {
	if len(e.Rules) == 0 || len(e.Rules) > maxVoiceRules {
		return nil, invalid("a voice has 1 to %d rule files", maxVoiceRules).WithHint("rule files are those of Vale: existence, substitution, occurrence, repetition, capitalization, readability")
	}
	var all []*voice.Rule
	names := make([]string, 0, len(e.Rules))
	for n := range e.Rules {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		r, err := voice.Parse(n, []byte(e.Rules[n]))
		if err != nil {
			return nil, invalid("%s", cut(err.Error(), 500)).WithCause(err)
		}
		all = append(all, r)
	}
	return func(t *Texts) Found {
		if strings.TrimSpace(t.Answer) == "" {
			return Found{}
		}
		text := cut(t.Answer, ground.MaxAnswer)
		f := Found{Verdict: Pass, Text: "It speaks as the rules say."}
		n, errors := 0, 0
		for _, r := range all {
			for _, a := range r.Check(text) {
				if a.Level == "suggestion" {
					continue
				}
				if n++; a.Level == "error" {
					errors++
				}
				if len(f.Marks) < maxMarks {
					f.Marks = append(f.Marks, Mark{Start: a.Start, End: a.End, Text: cut(text[a.Start:a.End], maxMark), Says: r.Name + ": " + a.Message})
				}
			}
		}
		score := max(0, 1-float64(n)/max(1, float64(len(strings.Fields(text)))/20))
		f.Score = &score
		switch {
		case errors > 0:
			f.Verdict = Fail
		case n > 0:
			f.Verdict = Unsure
		}
		if n > 0 {
			f.Text = fmt.Sprintf("%d places are not as the rules say, %d of them serious.", n, errors)
		}
		return f
	}, nil
}

// schema is the part of JSON Schema that is checked; a keyword that is not here
// is refused, never ignored.
type schema struct {
	Type                 any                `json:"type"`
	Properties           map[string]*schema `json:"properties"`
	Required             []string           `json:"required"`
	AdditionalProperties *bool              `json:"additionalProperties"`
	Items                *schema            `json:"items"`
	Enum                 []any              `json:"enum"`
	Pattern              string             `json:"pattern"`
	MinLength            *int               `json:"minLength"`
	MaxLength            *int               `json:"maxLength"`
	MinItems             *int               `json:"minItems"`
	MaxItems             *int               `json:"maxItems"`
	Minimum              *float64           `json:"minimum"`
	Maximum              *float64           `json:"maximum"`
	Schema               string             `json:"$schema"`
	Title                string             `json:"title"`
	Description          string             `json:"description"`

	re *regexp.Regexp
}

const maxDepth = 20

func schemaCheck(e *Evaluator) (check, error) {
	if len(e.Schema) == 0 || len(e.Schema) > 64<<10 {
		return nil, invalid("a schema has 1 to %d bytes", 64<<10)
	}
	dec := json.NewDecoder(strings.NewReader(string(e.Schema)))
	dec.DisallowUnknownFields()
	var s schema
	if err := dec.Decode(&s); err != nil {
		return nil, invalid("the schema cannot be checked: %s", cut(err.Error(), 200)).WithHint("type, properties, required, additionalProperties, items, enum, pattern and bounds are known")
	}
	if err := s.compile(0); err != nil {
		return nil, err
	}
	return func(t *Texts) Found {
		text := strings.TrimSpace(t.Answer)
		// Models like to wrap JSON in a fence of Markdown.
		if inner, ok := strings.CutPrefix(text, "```"); ok {
			inner = strings.TrimPrefix(inner, "json")
			text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(inner), "```"))
		}
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return Found{Verdict: Fail, Text: "The answer is no JSON: " + cut(err.Error(), 200)}
		}
		if why := s.wrong("answer", v, 0); why != "" {
			return Found{Verdict: Fail, Text: why}
		}
		return Found{Verdict: Pass, Text: "The answer has the shape that is asked for."}
	}, nil
}

func (s *schema) compile(depth int) (err error) {
	if s == nil {
		return nil
	}
	if depth > maxDepth {
		return invalid("a schema is nested %d deep at most", maxDepth)
	}
	if s.Pattern != "" {
		if s.re, err = regexp.Compile(s.Pattern); err != nil {
			return invalid("pattern %.60q is not one of Go's (RE2)", s.Pattern).WithCause(err)
		}
	}
	for _, t := range s.types() {
		if !slices.Contains([]string{"object", "array", "string", "number", "integer", "boolean", "null"}, t) {
			return invalid("%.40q is no type", t)
		}
	}
	if err := s.Items.compile(depth + 1); err != nil {
		return err
	}
	for _, p := range s.Properties {
		if err := p.compile(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

func (s *schema) types() (out []string) {
	switch t := s.Type.(type) {
	case string:
		return []string{t}
	case []any:
		for _, x := range t {
			out = append(out, fmt.Sprint(x))
		}
	case nil:
	default:
		out = append(out, fmt.Sprint(t))
	}
	return out
}

func typeOf(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if x == math.Trunc(x) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// wrong says what is not as the schema wants it; "" when all is.
func (s *schema) wrong(at string, v any, depth int) string {
	if s == nil || depth > maxDepth {
		return ""
	}
	is := typeOf(v)
	if want := s.types(); len(want) > 0 && !slices.Contains(want, is) && !(is == "integer" && slices.Contains(want, "number")) {
		return fmt.Sprintf("%s is %s and should be %s.", at, is, strings.Join(want, " or "))
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e any) bool { return fmt.Sprint(e) == fmt.Sprint(v) }) {
		return fmt.Sprintf("%s is none of what it may be.", at)
	}
	outside := func(n int, least, most *int) bool { return least != nil && n < *least || most != nil && n > *most }
	switch x := v.(type) {
	case string:
		if outside(len([]rune(x)), s.MinLength, s.MaxLength) {
			return fmt.Sprintf("%s has %d characters.", at, len([]rune(x)))
		}
		if s.re != nil && !s.re.MatchString(x) {
			return fmt.Sprintf("%s does not match %s.", at, s.Pattern)
		}
	case float64:
		if s.Minimum != nil && x < *s.Minimum || s.Maximum != nil && x > *s.Maximum {
			return fmt.Sprintf("%s is %g.", at, x)
		}
	case []any:
		if outside(len(x), s.MinItems, s.MaxItems) {
			return fmt.Sprintf("%s has %d items.", at, len(x))
		}
		for i, e := range x[:min(len(x), 10_000)] {
			if why := s.Items.wrong(fmt.Sprintf("%s[%d]", at, i), e, depth+1); why != "" {
				return why
			}
		}
	case map[string]any:
		return s.wrongObject(at, x, depth)
	}
	return ""
}

func (s *schema) wrongObject(at string, x map[string]any, depth int) string {
	for _, name := range s.Required {
		if _, ok := x[name]; !ok {
			return fmt.Sprintf("%s has no %s.", at, name)
		}
	}
	names := make([]string, 0, len(x))
	for n := range x {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		p, known := s.Properties[n]
		if !known && s.AdditionalProperties != nil && !*s.AdditionalProperties {
			return fmt.Sprintf("%s has %s, which nobody asked for.", at, cut(n, 60))
		}
		if why := p.wrong(at+"."+cut(n, 60), x[n], depth+1); why != "" {
			return why
		}
	}
	return ""
}
