package content

import (
	"bytes"
	"net/netip"
)

// personal finds what names a person or an account: e-mail and IP addresses,
// telephone and account numbers, national identity numbers. Numbers are read as
// tokens of digits and separators; whatever has check digits is checked.
type personal struct{ email, phone, iban, card, id, ip bool }

func (p personal) any() bool     { return p.numbers() || p.email }
func (p personal) numbers() bool { return p.phone || p.iban || p.card || p.id || p.ip }

const (
	maxLocal  = 64
	maxDomain = 120
	maxNumber = 48 // an IBAN in groups, a telephone number, an IPv6 address
)

var (
	localPart  = bytesOf("!#$%&'*+/=?^_`{|}~.-", true)
	localStart = bytesOf("_", true)
	domainPart = bytesOf(".-", true)
	word       = bytesOf("_", true)
	numberPart = bytesOf("+-. ()/:", true)
)

// find adds what text holds from a place on; final says that the text ends
// where it ends. It answers from where on it cannot say yet.
func (p personal) find(text []byte, from int, final bool, dst []match) ([]match, int) {
	hold := len(text)
	if p.email {
		var h int
		dst, h = findEmails(text, from, final, dst)
		hold = min(hold, h)
	}
	if p.numbers() {
		var h int
		dst, h = p.findNumbers(text, from, final, dst)
		hold = min(hold, h)
	}
	return dst, hold
}

// findEmails looks around each @.
func findEmails(text []byte, from int, final bool, dst []match) ([]match, int) {
	hold := len(text)
	if !final { // what could be the part before an @ that comes next
		s := len(text)
		for s > from && len(text)-s < maxLocal && localPart[text[s-1]] {
			s--
		}
		hold = s
	}
	for i := from; ; i++ {
		n := bytes.IndexByte(text[i:], '@')
		if n < 0 {
			return dst, hold
		}
		i += n
		s, e := i, i+1
		for s > 0 && i-s < maxLocal && localPart[text[s-1]] {
			s--
		}
		for s < i && !localStart[text[s]] {
			s++
		}
		for e < len(text) && e-i <= maxDomain && domainPart[text[e]] {
			e++
		}
		if e == len(text) && !final && e-i <= maxDomain && s < i {
			return dst, min(hold, max(s, from))
		}
		for e > i && (text[e-1] == '.' || text[e-1] == '-') { // the sentence's
			e--
		}
		if s < i && isDomain(text[i+1:e]) {
			dst = append(dst, match{start: s, end: e, at: s, class: "pii.email"})
		}
	}
}

// isDomain wants two labels at least and letters in the last.
func isDomain(d []byte) bool {
	dot := bytes.LastIndexByte(d, '.')
	if dot < 1 || len(d)-dot-1 < 2 || len(d)-dot-1 > 24 || bytes.Contains(d, []byte("..")) || d[0] == '-' {
		return false
	}
	for _, c := range d[dot+1:] {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return true
}

// findNumbers walks over the words that hold digits.
func (p personal) findNumbers(text []byte, from int, final bool, dst []match) ([]match, int) {
	for i := from; i < len(text); {
		if !starts(text, i) {
			if word[text[i]] { // nothing begins within a word
				i = nextWord(text, i)
			} else {
				i++
			}
			continue
		}
		// The longest run that could be one number, which may have spaces in it.
		e := i
		for e < len(text) && e-i < maxNumber && numberPart[text[e]] && !(text[e] == ' ' && e > i && text[e-1] == ' ') {
			e++
		}
		if e == len(text) && !final && e-i < maxNumber {
			if lost(text[i:e]) { // letters: no number begins here, whatever comes
				i = nextWord(text, i)
				continue
			}
			return dst, i
		}
		next := nextWord(text, i)
		if m, ok := p.number(text, i, e); ok {
			dst = append(dst, m)
			next = max(next, m.end)
		}
		i = next
	}
	return dst, len(text)
}

// starts reports whether a number may begin at i: at a word's beginning, with a
// digit, a plus, a bracket, or the letters of an IBAN or an identity number.
func starts(text []byte, i int) bool {
	if i > 0 && (word[text[i-1]] || text[i-1] == '.' && i > 1 && word[text[i-2]] || text[i-1] == '-' && i > 1 && word[text[i-2]]) {
		return false
	}
	c := text[i]
	switch {
	case c >= '0' && c <= '9':
		return true
	case c == '+' || c == '(':
		return i+1 < len(text) && digit(text[i+1]) || i+1 == len(text)
	case c == ':':
		return i+1 < len(text) && text[i+1] == ':'
	case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'f':
		// A letter begins a number only when digits or hexadecimals follow soon.
		for j := i + 1; j < min(i+7, len(text)); j++ {
			if digit(text[j]) || text[j] == ':' {
				return true
			}
			if text[j] == ' ' && j == i+2 && j+1 < len(text) && digit(text[j+1]) { // "AB 12 34 56 C"
				return true
			}
			if !word[text[j]] {
				return false
			}
		}
		return i+7 > len(text)
	}
	return false
}

// lost reports whether a run that begins with letters has no digit within what
// identity numbers and accounts begin with.
func lost(run []byte) bool {
	for i, c := range run {
		if digit(c) || c == ':' || c == '+' || c == '(' {
			return false
		}
		if i >= 6 || c == ' ' || c == '.' {
			return true
		}
	}
	return false
}

func nextWord(text []byte, i int) int {
	i++
	for i < len(text) && word[text[i]] {
		i++
	}
	return i
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// number classifies what begins at i and could go on up to e.
func (p personal) number(text []byte, i, e int) (match, bool) {
	run := text[i:e]
	for _, k := range [...]struct {
		on    bool
		class string
		find  func([]byte) int
	}{
		{p.iban, "pii.payment.iban", iban},
		{p.card, "pii.payment.card", card},
		{p.ip, "pii.ip", address},
		{p.id, "pii.national_id", nationalID},
		{p.phone, "pii.phone", phone},
	} {
		if !k.on {
			continue
		}
		if n := k.find(run); n > 0 && (i+n == len(text) || !word[text[i+n]]) {
			return match{start: i, end: i + n, at: i, class: k.class}, true
		}
	}
	return match{}, false
}

// card is a payment card: 13 to 19 digits in a row or in groups, a known range,
// and Luhn's check.
func card(run []byte) int {
	var d [19]byte
	n := 0
	var sep byte
	for i, c := range run {
		switch {
		case digit(c):
			if n == len(d) {
				return 0
			}
			d[n] = c - '0'
			n++
		case (c == ' ' || c == '-') && i > 0 && digit(run[i-1]) && i+1 < len(run) && digit(run[i+1]) && (sep == 0 || sep == c) && n%2 == 0:
			if n >= 13 && cardNumber(d[:n]) {
				return i // what follows is another number
			}
			sep = c
		default:
			if word[c] {
				return 0
			}
			if cardNumber(d[:n]) {
				return i
			}
			return 0
		}
	}
	if cardNumber(d[:n]) {
		return len(run)
	}
	return 0
}

func cardNumber(d []byte) bool {
	if len(d) < 13 || !luhn(d) {
		return false
	}
	two, four := int(d[0])*10+int(d[1]), int(d[0])*1000+int(d[1])*100+int(d[2])*10+int(d[3])
	n := len(d)
	switch {
	case d[0] == 4:
		return n == 13 || n == 16 || n == 19
	case two >= 51 && two <= 55 || four >= 2221 && four <= 2720:
		return n == 16
	case two == 34 || two == 37:
		return n == 15
	case two == 36 || two == 38 || four >= 3000 && four <= 3059:
		return n == 14
	case four == 6011 || two == 65 || four >= 6440 && four <= 6499 || two == 62 || four >= 3528 && four <= 3589:
		return n >= 16
	case two == 50 || two >= 56 && two <= 69:
		return n >= 16 // Maestro also has shorter ones, which are too many numbers
	}
	return false
}

func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		v := int(d[len(d)-1-i])
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

// ibanLengths are the lengths by country (SWIFT's registry).
var ibanLengths = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28,
	"CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18,
	"GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32,
	"LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15,
	"PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
	"ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}

func iban(run []byte) int {
	if len(run) < 15 || !digit(run[2]) || !digit(run[3]) {
		return 0
	}
	want, ok := ibanLengths[string([]byte{run[0] &^ 0x20, run[1] &^ 0x20})]
	if !ok {
		return 0
	}
	var text [34]byte
	n := 0
	for i, c := range run {
		switch {
		case digit(c) || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
			if c >= 'a' {
				c -= 0x20
			}
			text[n] = c
			if n++; n == want {
				if mod97(text[:n]) {
					return i + 1
				}
				return 0
			}
		case c == ' ' && n%4 == 0:
		default:
			return 0
		}
	}
	return 0
}

// mod97 is the check of ISO 13616: the first four moved to the end, letters as
// two digits.
func mod97(text []byte) bool {
	rest := 0
	for i := range text {
		c := text[(i+4)%len(text)]
		if digit(c) {
			rest = (rest*10 + int(c-'0')) % 97
		} else {
			rest = (rest*100 + int(c-'A') + 10) % 97
		}
	}
	return rest == 1
}

// address is an IPv4 or IPv6 address that leads to somebody: those that stand
// for a house's inside, this machine or examples name nobody.
func address(run []byte) int {
	n := 0
	for n < len(run) && (digit(run[n]) || run[n] == '.' || run[n] == ':' || run[n]|0x20 >= 'a' && run[n]|0x20 <= 'f') {
		n++
	}
	for n > 0 && (run[n-1] == '.' || run[n-1] == ':' && (n < 2 || run[n-2] != ':')) {
		n--
	}
	if bytes.IndexFunc(run[:n], func(r rune) bool { return r >= '0' && r <= '9' }) < 0 {
		return 0 // a::b of C++
	}
	if dots := bytes.Count(run[:n], []byte(".")); n < 7 && bytes.Count(run[:n], []byte(":")) < 2 || dots != 3 && dots != 0 {
		return 0
	} else if dots == 3 { // a port may follow
		if colon := bytes.IndexByte(run[:n], ':'); colon > 0 && bytes.Count(run[:n], []byte(":")) == 1 {
			n = colon
		}
	}
	a, err := netip.ParseAddr(string(run[:n]))
	if err != nil || a.IsPrivate() || a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() {
		return 0
	}
	return n
}

// phone is a telephone number: international with + and 8 to 15 digits, or one
// with brackets or three groups as North America writes it.
func phone(run []byte) int {
	digits, end, groups := 0, 0, 0
	for i, c := range run {
		switch {
		case digit(c):
			if i == 0 || !digit(run[i-1]) {
				groups++
			}
			digits++
			end = i + 1
		case c == '+' && i == 0, c == '(' || c == ')' || c == ' ' || c == '-' || c == '.' || c == '/':
			if i > 0 && run[i-1] == c && c != ' ' {
				return phoneNumber(run[:end], digits, groups)
			}
		default:
			if word[c] && i > 0 && word[run[i-1]] {
				return 0
			}
			return phoneNumber(run[:end], digits, groups)
		}
		if digits > 15 {
			return 0
		}
	}
	return phoneNumber(run[:end], digits, groups)
}

func phoneNumber(run []byte, digits, groups int) int {
	if len(run) == 0 {
		return 0
	}
	if run[0] == '+' {
		if digits >= 8 && run[1] != '0' {
			return len(run)
		}
		return 0
	}
	country := 0
	if digits == 11 && run[0] == '1' && groups == 4 {
		country, run, digits, groups = 2, run[2:], 10, 3
	}
	// (415) 555-0132, 415-555-0132, 415.555.0132: area and exchange from 2 on.
	d := onlyDigits(run)
	if digits != 10 || groups != 3 || d[0] < '2' || d[3] < '2' {
		return 0
	}
	sizes := groupSizes(run)
	if sizes != [3]int{3, 3, 4} || !bytes.ContainsAny(run, "-.()") {
		return 0
	}
	return country + len(run)
}

func onlyDigits(run []byte) (d [16]byte) {
	n := 0
	for _, c := range run {
		if digit(c) && n < len(d) {
			d[n] = c
			n++
		}
	}
	return d
}

func groupSizes(run []byte) (sizes [3]int) {
	g := -1
	for i, c := range run {
		if !digit(c) {
			continue
		}
		if i == 0 || !digit(run[i-1]) {
			g++
		}
		if g >= 0 && g < len(sizes) {
			sizes[g]++
		}
	}
	return sizes
}
