// Package mood tells from what somebody wrote to an agent, and how often, whether
// they are losing patience: without a model, from signs that can be shown.
//
// What for: few people complain; many ask again, put it differently, ask for a
// human and go. That is seen in what they write long before a rating comes.
//
// Who calls it: topic, of each session's prompts in their order.
//
// Promises: pure functions. A score is a number from 0 to 1 made of its signs
// alone: each sign has a weight, and together they weigh one minus the product of
// what each leaves over, so that more signs never make less of it and one sign
// alone, other than asking for a human twice, is not yet frustration.
//
// How it fails: not at all; a text without signs has none. The words are English
// with the commonest of German, French and Spanish.
//
// Start reading at Signs and Score.
package mood

import (
	"regexp"
	"strings"
	"unicode"
)

// The signs.
const (
	ReAsk      = "re_ask"     // the same was asked before, in these words or others
	Correction = "correction" // the answer was not what was asked for
	Human      = "human"      // somebody asks for a person
	Words      = "words"      // anger
	Left       = "abandoned"  // the session ended without its task
)

// Kinds lists them.
var Kinds = []string{ReAsk, Correction, Human, Words, Left}

var weights = map[string]float64{ReAsk: .35, Correction: .35, Human: .4, Words: .4, Left: .3}

// Frustrated is the score from which a session counts: two different signs, or a
// sign twice.
const Frustrated = .5

// mostOfKind bounds how often one kind counts.
const mostOfKind = 3

// Score is that of a session with so many signs of each kind.
func Score(signs map[string]int) float64 {
	left := 1.0
	for kind, n := range signs {
		for range min(n, mostOfKind) {
			left *= 1 - weights[kind]
		}
	}
	return 1 - left
}

var (
	human = regexp.MustCompile(`(?i)\b(?:(?:speak|talk|chat|connect|transfer|put|get|escalate|forward|pass)\b[^.!?]{0,40}\b(?:human|(?:real|actual|live) (?:person|human|agent|one)|person|someone|somebody|representative|operator|supervisor|manager|advisor|adviser|staff|support team|mitarbeiter|menschen|conseiller|agente humano)` +
		`|(?:real|actual|live|human) (?:person|human|agent|being|representative|support|operator)|(?:want|need|give me|get me|is there) (?:a |an |to (?:speak|talk) (?:to|with) )(?:human|person|representative|operator|supervisor|manager)` +
		`|mit einem menschen|mit jemandem sprechen|parler à (?:un humain|quelqu'un|une personne)|hablar con (?:una persona|un humano|alguien))`)
	correction = regexp.MustCompile(`(?i)(?:^(?:no|nope|wrong|incorrect|nein|falsch|non)\b[,.! ]` +
		`|\b(?:that|this|it)(?:'s| is| was)(?: still)? (?:not (?:what|right|correct|true|it\b|my)|wrong|incorrect)|\b(?:isn't|wasn't|not) what i (?:asked|said|meant|wanted|need)|\bi (?:did not|didn't|never) (?:ask|say|mean|want)|\bi (?:meant|said|already (?:said|told|gave|asked|did|tried|explained))\b` +
		`|\byou (?:misunderstood|got (?:it|that) wrong|didn't (?:answer|understand|listen|read))|\b(?:read|answer) (?:my|the) (?:question|message) (?:again)?|das ist falsch|nicht was ich|ce n'est pas ce que|no es lo que)`)
	polite = regexp.MustCompile(`(?i)^no,? (?:problem|worries|thanks|thank you|need|rush|more questions|that's (?:all|it|fine))`)
	anger  = regexp.MustCompile(`(?i)\b(?:useless|ridiculous|terrible|horrible|awful|pathetic|unacceptable|outrageous|nonsense|garbage|worthless|frustrat(?:ed|ing)|annoy(?:ed|ing)|infuriat(?:ed|ing)|fed up|sick of|waste of (?:my )?time|wasting my time|stupid|idiot\w*|incompetent|joke of a|this is a joke|wtf|omfg|ffs|damn|bloody hell|bullshit|crap|fuck\w*|shit\w*|unverschämt|lächerlich|nutzlos|nul\b|ridicule|inútil)`)
	again  = regexp.MustCompile(`(?i)\b(?:for the (?:second|third|fourth|fifth|last|\d+(?:st|nd|rd|th)) time|how many times|(?:still|again) (?:not|no|doesn't|does not|isn't|won't|waiting|nothing)|asked (?:you )?(?:already|twice|before)|zum (?:zweiten|dritten|letzten) mal)`)
)

// maxRead bounds what is read of a text.
const maxRead = 4000

// Signs are those in one text. first says that nothing was answered before it:
// there is nothing to correct then.
func Signs(text string, first bool) []string {
	if len(text) > maxRead {
		text = strings.ToValidUTF8(text[:maxRead], "")
	}
	text = strings.NewReplacer("’", "'", "\n", " ").Replace(strings.TrimSpace(text))
	var out []string
	if !first && correction.MatchString(text) && !polite.MatchString(text) {
		out = append(out, Correction)
	}
	if human.MatchString(text) {
		out = append(out, Human)
	}
	if anger.MatchString(text) || shouting(text) || !first && again.MatchString(text) {
		out = append(out, Words)
	}
	return out
}

// shouting says whether a text is mostly capitals, or has several marks of
// exclamation. Short ones are names and codes.
func shouting(text string) bool {
	if strings.Contains(text, "!!!") || strings.Contains(text, "?!?") || strings.Contains(text, "???") {
		return true
	}
	letters, upper, words := 0, 0, len(strings.Fields(text))
	for _, r := range text {
		if unicode.IsLetter(r) {
			letters++
			if unicode.IsUpper(r) {
				upper++
			}
		}
	}
	return words >= 4 && letters >= 15 && upper*10 >= letters*8
}

// Same is the cosine from which two prompts of one session ask the same.
const Same = .75

// Repeats says whether a text asks what was asked before: the largest cosine with
// what came before in the session, where both say something.
func Repeats(cosine float64, text string) bool {
	return cosine >= Same && len(strings.Fields(text)) >= 3
}
