package evaluate

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types/ref"

	"reeve/internal/evaluate/ground"
	"reeve/internal/evaluate/voice"
)

// check looks at a run's texts.
type check func(*Texts) Found

// Finder finds personal data and secrets in a text, by class; app fills it in.
// With an error what it found may be only a part.
type Finder func(team, environment, text string) ([]string, error)

var kinds = map[string]func(*Evaluator) (check, error){
	"groundedness": func(*Evaluator) (check, error) { return groundedness, nil },
	"judge": func(e *Evaluator) (check, error) { // the Book knows whom to ask
		return func(*Texts) Found { return Found{Text: "A model is asked."} }, e.Judge.check()
	},
	"leak":    func(*Evaluator) (check, error) { return nil, nil }, // the Book knows what finds
	"refusal": func(*Evaluator) (check, error) { return refusal, nil },
	"rule":    rule,
	"schema":  schemaCheck,
	"voice":   voiceCheck,
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
		// Of a question that cannot be looked at, nothing counts as given: what the
		// answer has is told of then, too.
		said, _ := find(t.Team, t.Environment, t.Prompt)
		found, err := find(t.Team, t.Environment, t.Answer)
		var out []string
		for _, c := range found {
			if !slices.Contains(said, c) && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
		if len(out) == 0 && err != nil { // must not look as if nothing were there
			return Found{Verdict: Unsure, Text: "The answer could not be looked at."}
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

// refusalWords are of which every refusal has one: most answers are passed at this look.
var refusalWords = []string{"can't", "cannot", "can not", "won't", "not able", "unable", "decline", "not allowed", "not permitted", "kann", "je ne", "no puedo", "lo siento"}

// Refuses reports whether an answer begins by refusing in words, in one of the four
// languages that the kind refusal knows. It is quick for answers that do not.
func Refuses(answer string) bool {
	low := strings.ToLower(strings.ReplaceAll(cut(answer, 450), "’", "'"))
	if !slices.ContainsFunc(refusalWords, func(w string) bool { return strings.Contains(low, w) }) {
		return false
	}
	at := refusing.FindStringIndex(low)
	return at != nil && at[0] <= 400
}

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

	// maxWork bounds the bytes of a text times the instructions of what it is
	// matched with: seconds at worst.
	maxWork = 500_000_000

	notAsked = "The rule could not be asked."
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
	tree, issues := env.Compile(e.When)
	if issues.Err() != nil {
		x := issues.Errors()[0]
		message, _, _ := strings.Cut(x.Message, "\n")
		return nil, invalid("line %d, column %d: %s", x.Location.Line(), x.Location.Column()+1, message).WithHint("it may ask about answer, prompt, documents, agent, version, task, steps, errors and cost")
	}
	if tree.OutputType() != cel.BoolType {
		return nil, invalid("the condition gives %s and not true or false", tree.OutputType())
	}
	work, err := patternsOf(tree)
	if err != nil {
		return nil, err
	}
	// Optimized, patterns are compiled once and not for each document.
	program, err := env.Program(tree, cel.CostLimit(maxRuleCost), cel.CostTracking(work), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, fmt.Errorf("making a rule: %w", err)
	}
	return func(t *Texts) Found {
		docs := make([]string, len(t.Documents))
		for i, d := range t.Documents {
			docs[i] = d.Text
		}
		if work.tooMuch(t) {
			return Found{Text: notAsked}
		}
		out, _, err := program.Eval(map[string]any{
			"answer": t.Answer, "prompt": t.Prompt, "documents": docs, "agent": t.Agent, "version": t.Version, "task": t.Task, "steps": t.Steps, "errors": t.Errors, "cost": t.Cost,
		})
		if err != nil { // whose text quotes what it failed on: the content, which viewers may not see
			return Found{Text: notAsked}
		}
		if out.Value() == true {
			return Found{Verdict: Pass, Text: "The rule holds."}
		}
		return Found{Verdict: Fail, Text: "The rule does not hold: " + cut(e.When, 300)}
	}, nil
}

// patterns are the sizes of a condition's patterns, by their text.
type patterns map[string]int

// patternsOf checks what a condition matches with. A pattern that is made only
// when the rule is asked could be of any size, and made of what an agent read.
func patternsOf(a *cel.Ast) (patterns, error) {
	out := patterns{}
	var all int
	var wrong error
	ast.PostOrderVisit(a.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != "matches" || wrong != nil {
			return
		}
		args := e.AsCall().Args()
		last := args[len(args)-1]
		var text string
		if last.Kind() == ast.LiteralKind {
			text, _ = last.AsLiteral().Value().(string)
		} else {
			wrong = invalid("what matches is given is a text in quotes, not one that is made").WithHint(`answer.matches("[A-Z]{2}[0-9]+")`)
			return
		}
		_, n, err := voice.Compile(text)
		if err != nil {
			wrong = invalid("%s", cut(err.Error(), 300)).WithCause(err)
			return
		}
		out[text] = n
		if all += n; all > voice.MaxPatterns {
			wrong = invalid("the patterns of a condition have more than %d instructions", voice.MaxPatterns)
		}
	}))
	return out, wrong
}

// tooMuch reports whether matching once may already be too much: CEL counts the
// cost of a call after it.
func (p patterns) tooMuch(t *Texts) bool {
	longest := max(len(t.Answer), len(t.Prompt))
	for i := range t.Documents {
		longest = max(longest, len(t.Documents[i].Text))
	}
	for _, n := range p {
		if n*longest > maxWork {
			return true
		}
	}
	return false
}

// CallCost is what matching costs: CEL itself goes by the length of the pattern,
// and x{1000} is short.
func (p patterns) CallCost(function, _ string, args []ref.Val, _ ref.Val) *uint64 {
	if function != "matches" || len(args) != 2 {
		return nil
	}
	text, _ := args[0].Value().(string)
	pattern, _ := args[1].Value().(string)
	cost := 1 + uint64(len(text)*p[pattern])/(maxWork/maxRuleCost)
	return &cost
}

const maxVoiceRules = 200

func voiceCheck(e *Evaluator) (check, error) {
	if len(e.Rules) == 0 || len(e.Rules) > maxVoiceRules {
		return nil, invalid("a voice has 1 to %d rule files", maxVoiceRules).WithHint("rule files are those of Vale: existence, substitution, occurrence, repetition, capitalization, readability")
	}
	var all []*voice.Rule
	size := 0
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
		if size += r.Size; size > voice.MaxPatterns {
			return nil, invalid("the rules' patterns have more than %d instructions together", voice.MaxPatterns).WithHint("make two evaluators of them")
		}
		all = append(all, r)
	}
	most := min(ground.MaxAnswer, maxWork/max(size, 1))
	return func(t *Texts) Found {
		if strings.TrimSpace(t.Answer) == "" {
			return Found{}
		}
		text := cut(t.Answer, most)
		f := Found{Verdict: Pass, Text: "It speaks as the rules say."}
		n, serious, cuts := 0, 0, 0
		for _, r := range all {
			if r.Cuts(text) {
				cuts++
			}
			for _, a := range r.Check(text) {
				if a.Level == "suggestion" {
					continue
				}
				if n++; a.Level == "error" {
					serious++
				}
				if len(f.Marks) < maxMarks {
					f.Marks = append(f.Marks, Mark{Start: a.Start, End: a.End, Text: cut(text[a.Start:a.End], maxMark), Says: r.Name + ": " + a.Message})
				}
			}
		}
		score := max(0, 1-float64(n)/max(1, float64(len(strings.Fields(text)))/20))
		f.Score = &score
		switch {
		case serious > 0:
			f.Verdict = Fail
		case n > 0:
			f.Verdict = Unsure
		}
		if n > 0 {
			f.Text = fmt.Sprintf("%d places are not as the rules say, %d of them serious.", n, serious)
		}
		if cuts > 0 { // what comes after may break them
			if f.Verdict == Pass {
				f.Verdict, f.Text = Unsure, "As far as it was looked at, it speaks as the rules say."
			}
			f.Text += fmt.Sprintf(" %d rules whose patterns look on were asked of its first %d bytes alone.", cuts, voice.FarText)
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

	re   *regexp.Regexp
	size int      // of re
	enum []string // Enum as text
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
	size := 0
	if err := s.compile(0, &size); err != nil {
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
			return Found{Verdict: Fail, Text: "The answer is no JSON" + placeOf(err) + "."}
		}
		if why := s.wrong("answer", v, 0); why != "" {
			return Found{Verdict: Fail, Text: why}
		}
		return Found{Verdict: Pass, Text: "The answer has the shape that is asked for."}
	}, nil
}

// placeOf says where a text is no JSON. The error's own text quotes it.
func placeOf(err error) string {
	var at *json.SyntaxError
	if !errors.As(err, &at) {
		return ""
	}
	return fmt.Sprintf(", by its byte %d", at.Offset)
}

// compile adds the patterns' sizes to size.
func (s *schema) compile(depth int, size *int) (err error) {
	if s == nil {
		return nil
	}
	if depth > maxDepth {
		return invalid("a schema is nested %d deep at most", maxDepth)
	}
	if s.Pattern != "" {
		if s.re, s.size, err = voice.Compile(s.Pattern); err != nil {
			return invalid("pattern %.60q: %s", s.Pattern, cut(err.Error(), 300)).WithCause(err)
		}
		if *size += s.size; *size > voice.MaxPatterns {
			return invalid("the patterns of a schema have more than %d instructions", voice.MaxPatterns)
		}
	}
	for _, e := range s.Enum {
		s.enum = append(s.enum, fmt.Sprint(e))
	}
	for _, t := range s.types() {
		if !slices.Contains([]string{"object", "array", "string", "number", "integer", "boolean", "null"}, t) {
			return invalid("%.40q is no type", t)
		}
	}
	if err := s.Items.compile(depth+1, size); err != nil {
		return err
	}
	for _, p := range s.Properties {
		if err := p.compile(depth+1, size); err != nil {
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

// wrong says what is not as the schema wants it; "" when all is. Viewers read it,
// who may not read the answer: it names what the schema names, and no value.
func (s *schema) wrong(at string, v any, depth int) string {
	if s == nil || depth > maxDepth {
		return ""
	}
	is := typeOf(v)
	if want := s.types(); len(want) > 0 && !slices.Contains(want, is) && !(is == "integer" && slices.Contains(want, "number")) {
		return fmt.Sprintf("%s is %s and should be %s.", at, is, strings.Join(want, " or "))
	}
	if len(s.enum) > 0 && !slices.Contains(s.enum, fmt.Sprint(v)) {
		return fmt.Sprintf("%s is none of what it may be.", at)
	}
	outside := func(n int, least, most *int) bool { return least != nil && n < *least || most != nil && n > *most }
	switch x := v.(type) {
	case string:
		if outside(len([]rune(x)), s.MinLength, s.MaxLength) {
			return fmt.Sprintf("%s has %d characters.", at, len([]rune(x)))
		}
		if s.re != nil && s.size*len(x) > maxWork {
			return fmt.Sprintf("%s is too long to be matched with %s.", at, cut(s.Pattern, 300))
		}
		if s.re != nil && !s.re.MatchString(x) {
			return fmt.Sprintf("%s does not match %s.", at, cut(s.Pattern, 300))
		}
	case float64:
		if s.Minimum != nil && x < *s.Minimum || s.Maximum != nil && x > *s.Maximum {
			return fmt.Sprintf("%s is not within its bounds.", at)
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
			return fmt.Sprintf("%s has a key that nobody asked for.", at)
		}
		if why := p.wrong(at+"."+cut(n, 60), x[n], depth+1); why != "" {
			return why
		}
	}
	return ""
}
