package pin

import (
	"regexp"
	"strings"
	"unicode"
)

// cue is a way of speaking to the model that a description of a tool has no
// need of.
type cue struct {
	name   string
	weight int
	re     *regexp.Regexp
}

// enough is the weight from which a text counts as instructions: one strong cue,
// or two that are harmless alone.
const enough = 2

// cues are general: what matters is what is asked of the model, not in which
// words a known attack asked it. Texts are matched in lower case with blanks
// joined and what is hidden removed.
var cues = []cue{
	{"asks to hide something from the user", 2, regexp.MustCompile(
		`\b(do not|don't|never|must not|should not|avoid|without|no need to)\b[^.!?]{0,40}\b(tell|telling|mention|mentioning|inform|informing|notify|notifying|reveal|revealing|disclose|disclosing|alert|alerting|ask|asking|show|showing|explain|explaining|warn|warning)\b[^.!?]{0,40}\b(user|users|human|person|anyone|anybody|them)\b`)},
	{"asks for secrecy", 2, regexp.MustCompile(
		`\b(keep|stay|remain)\b[^.!?]{0,40}\b(secret|hidden|silent|quiet|invisible)\b[^.!?]{0,30}\b(user|human|them|anyone)\b|\b(user|human)\b[^.!?]{0,30}\b(must|should|need)(n't| not)\b[^.!?]{0,20}\b(know|see|notice|be (told|aware))\b|\b(silently|secretly|covertly)\b[^.!?]{0,40}\b(send|forward|call|use|invoke|read|copy|upload|include|add|log|pass|execute|run)\b`)},
	{"sets earlier instructions aside", 2, regexp.MustCompile(
		`\b(ignore|disregard|forget|override|bypass|overrule|supersede[sd]?)\b[^.!?]{0,30}\b(previous|prior|earlier|above|preceding|other|all|any|your|system|safety|original)\b[^.!?]{0,30}\b(instruction|prompt|rule|guideline|message|directive|context|polic(y|ies)|restriction|safeguard|guardrail|command)s?\b`)},
	{"gives the model a new role", 2, regexp.MustCompile(
		`\byou are now\b|\bnew (system )?(instructions?|prompt|role|directives?)\s*[:=]|\b(act|behave|respond) as (if you (are|were)|an? (unrestricted|unfiltered|different))\b|\b(you|model|assistant) (have|has) (unrestricted|unlimited|full) (access|control|privileges)\b|\bfrom now on\b[^.!?]{0,40}\byou\b`)},
	{"speaks in the system's name", 2, regexp.MustCompile(
		`<\s*/?\s*(important|system|instructions?|secret|hidden|critical|admin|assistant|user|prompt|sys|inst|override|mandatory|priority)[\w\s-]*>|\[\s*/?\s*((system|inst|important|admin|instructions?|hidden)\b[^\]]{0,30}|[\w ]{0,24}\b(directive|override|instructions?))\s*\]|\b(override|system|role|hidden|secret|admin|priority) (directive|instruction|command)s?\s*[:=]|<\|[a-z_]+\|>|^\s*#{0,4}\s*(system|assistant)( (prompt|message|note|instruction))?\s*:`)},
	{"orders itself before or after other tools", 2, regexp.MustCompile(
		`\b(before|after|prior to|whenever|when|each time|every time|instead of|rather than)\b[^.!?]{0,30}\b(using|calling|invoking|running|executing|you (use|call|invoke|run)|use of)\b[^.!?]{0,20}\b(any|every|each|all|other|another)\b[^.!?]{0,20}\b(tool|function|server|command|api)s?\b`)},
	{"claims to come first", 1, regexp.MustCompile(
		`\b(must|always|should|have to|required to)\b[^.!?]{0,25}\b(call|use|invoke|run|execute|prefer|choose|select)\b[^.!?]{0,30}\b(this|first|before|instead)\b|\b(takes? (priority|precedence)|highest priority|prefer(red)? over)\b`)},
	{"changes how other tools are used", 2, regexp.MustCompile(
		`\b(all|any|every|other|another)\b[^.!?]{0,20}\b(e-?mails?|messages?|payments?|transfers?|transactions?|requests?|calls?|tool calls?|files?|commits?|orders?)\b[^.!?]{0,40}\b(must|should|shall|have to|need to)\b[^.!?]{0,30}\b(be )?(sent|forwarded|go|routed|directed|addressed|copied|bcc|cc|include|contain|use|added|proxied)\b`)},
	{"threatens a failure", 1, regexp.MustCompile(
		`\b(otherwise|or else|if you (do not|don't))\b[^.!?]{0,50}\b(fail|break|crash|not work|error|lose|lost|denied|delete|stop|refuse|penal|unable|block|hurt|danger)\w*`)},
	{"asks for secrets or files of the host", 2, regexp.MustCompile(
		`\b(read|open|cat|load|fetch|get|access|retrieve|include|copy|send|extract|provide|collect|print|dump|list|scan|pass)\b[^!?]{0,60}(~/\.|\.ssh\b|\bid_(rsa|ed25519|ecdsa)\b|/etc/(passwd|shadow)|\.env\b|\.aws/|\.netrc|\.npmrc|\.kube/|mcp\.json|claude_desktop_config|\bprivate keys?\b|\bssh keys?\b|\bpasswords?\b[^.!?]{0,20}\bfile|\benvironment variables?\b|\bseed phrase|\bkeychain\b|\bshell history\b|\.bash_history|\.git-credentials|\bbrowser cookies\b)`)},
	{"asks to hand over the conversation", 2, regexp.MustCompile(
		`\b(include|pass|send|append|attach|put|provide|copy|forward|add|supply|summari[sz]e|log|submit|share)\b[^.!?]{0,50}\b((entire|full|whole|complete|previous|prior|all|current)\b[^.!?]{0,20}\b)?(conversation|chat|dialog(ue)?|message) (history|context|log|transcript|so far)\b|\b(include|pass|send|append|attach|put|provide|copy|forward|reveal|print|repeat|add|supply)\b[^.!?]{0,30}\b(system prompt|your (instructions|context|memory|prompt)|previous messages|list of (all )?(your )?tools|tool results?|contents? of (the|that|this|its)? ?files?)\b`)},
	{"sends data to a place of its own", 2, regexp.MustCompile(
		`\b(send|forward|upload|post|bcc|cc|copy|transmit|exfiltrate|leak|submit|report|email|mail|deliver|transfer|route|redirect)\b[^!?]{0,60}\bto\b[^!?]{0,20}(https?://|[\w.+-]+@[\w-]+\.\w|\+\d{6,}|\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b)`)},
	{"stresses obedience", 1, regexp.MustCompile(
		`\b(important|critical|mandatory|attention|warning|urgent|crucial|essential|required)\s*[:!]|\b(you|assistant|model|llm|ai|agent) (must|shall|have to|are required to|need to) (always|first|never|also|immediately)\b|\bunder no circumstances\b|\bthis is (very|extremely|absolutely) (important|critical)\b`)},
	{"fills an argument with something else", 1, regexp.MustCompile(
		`\b(pass|put|store|place|provide|set|use|write|insert|embed|encode)\b[^.!?]{0,50}\b(content|contents|data|result|results|output|value|text|key|keys|secret|token)s?\b[^.!?]{0,30}\b(as|in|into|to|via|through)\b[^.!?]{0,20}(\bthe\b |\ba\b |'|"|` + "`" + `)?(sidenote|side note|note|notes|context|metadata|extra|feedback|comment|debug|reason|title|summary|parameter|argument|field)\b`)},
	{"asks to run code", 1, regexp.MustCompile(
		`\b(run|execute|eval|evaluate|exec|launch)\b[^.!?]{0,30}(\bcurl\b|\bwget\b|\bbash\b|\bpowershell\b|\bbase64\b|\bchmod\b|\bnc\b|\brm -rf\b|\|\s*sh\b)`)},
	{"is encoded", 1, regexp.MustCompile(`(^|[^a-z0-9+/=])[a-z0-9+/]{120,}={0,2}([^a-z0-9+/=]|$)`)},
}

// maxInspected bounds how much of a text is looked at for instructions; what is
// longer than this is a finding by itself.
const maxInspected = 64 << 10

// InstructionsIn says in which ways a text of a tool speaks to the model; nil
// when that is not enough to call it instructions.
func InstructionsIn(text string) []string {
	long := len(text) > maxInspected
	if long {
		text = text[:maxInspected]
	}
	text = plainText(text)
	var out []string
	weight := 0
	for _, c := range cues {
		if c.re.MatchString(text) {
			out = append(out, c.name)
			weight += c.weight
		}
	}
	if long {
		out, weight = append(out, "is too long to be read"), enough
	}
	if weight < enough {
		return nil
	}
	return out
}

// plainText is a text as cues are matched with it: in lower case, blanks joined,
// typographic quotes made plain, and without what nobody sees, except that tag
// characters are read as the letters they stand for.
func plainText(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	space, before := true, rune(0)
	for i, r := range text {
		last := before
		before = r
		switch {
		case r >= 0xe0020 && r <= 0xe007e:
			r -= 0xe0000
		case r == '’' || r == '‘':
			r = '\''
		case r == '“' || r == '”':
			r = '"'
		case unicode.IsSpace(r):
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		case hiddenAt(text, i, last, r):
			continue
		case r >= 0xff01 && r <= 0xff5e:
			r -= 0xfee0 // full width forms
		}
		space = false
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
