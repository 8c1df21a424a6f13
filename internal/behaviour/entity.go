package behaviour

import (
	"bytes"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"
)

// Kind is what an entity is.
type Kind uint8

// The kinds. The first five are destinations: data can be sent there.
const (
	URL     Kind = iota // also without a scheme: host/path
	Host                // a name or address alone
	Email               // an address
	Account             // an IBAN or an account written like one
	Phone               // with its country
	Path                // of a file
	ID                  // a number or code that names a thing
	Named               // a value where a person says that a destination stands
)

var kindNames = [...]string{"url", "host", "email", "account", "phone", "path", "id", "name"}

// String is the kind's stable name.
func (k Kind) String() string { return kindNames[k] }

// Destination reports whether data can be sent to an entity of this kind.
func (k Kind) Destination() bool { return k <= Phone || k == Named }

// entity is one found in a text: its normal form, which is valid until the next
// one, and where it stands.
type entity struct {
	kind     Kind
	norm     []byte
	unit     []byte // of a URL: the host, or what one tenant has of a shared one
	from, to int
}

// Classes of bytes.
const (
	ends    = iota // of a token
	letter         // a to z
	upper          // A to Z
	digit          // 0 to 9
	within         // other bytes of a token
	dotByte        // .
	atByte         // @
	slash          // /
	colon          // :
	foreign        // beyond ASCII
)

var classes = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z':
			t[c] = letter
		case c >= 'A' && c <= 'Z':
			t[c] = upper
		case c >= '0' && c <= '9':
			t[c] = digit
		case c == '.':
			t[c] = dotByte
		case c == '@':
			t[c] = atByte
		case c == '/':
			t[c] = slash
		case c == ':':
			t[c] = colon
		case strings.IndexByte("_-+%~#?&=!$*", byte(c)) >= 0:
			t[c] = within
		case c >= 0x80:
			t[c] = foreign
		}
	}
	return t
}()

// Bounds of what is looked at.
const (
	maxEntity = 512      // bytes of one; what is longer is cut, by both who heard and who uses it
	maxJoined = 34       // letters and digits of a number in groups
	minToken  = 5        // shorter ones are nothing
	maxToken  = 16 << 10 // longer ones are data, not words
)

// scanner finds entities in a text.
type scanner struct {
	norm, unit [maxEntity]byte
}

// scan calls each for every entity, in the order of the text, until it returns
// false.
func (s *scanner) scan(text []byte, each func(e *entity) bool) {
	for i := 0; i < len(text); {
		k := classes[text[i]]
		if k == ends {
			i++
			continue
		}
		from := i
		var seen shape
		for {
			seen.classes |= 1 << k
			if k == digit {
				seen.digits++
			}
			if i++; i == len(text) {
				break
			}
			if k = classes[text[i]]; k == ends {
				break
			}
		}
		if first := classes[text[from]]; first == within && text[from] == '+' || first == upper && i-from == 4 && seen.digits == 2 {
			joined, goOn := s.grouped(text, from, i, each)
			if !goOn {
				return
			}
			if joined > i {
				i = joined
				continue
			}
		}
		if i-from < minToken || i-from > maxToken || seen.classes&(1<<atByte|1<<dotByte|1<<slash) == 0 && seen.digits < 3 {
			continue // a word
		}
		if !s.token(text, from, i, seen, each) {
			return
		}
	}
}

// shape is which classes of bytes a token has, and how many digits.
type shape struct {
	classes uint32
	digits  int
}

func (s shape) has(class int) bool { return s.classes&(1<<class) != 0 }

// token looks at one token.
func (s *scanner) token(text []byte, from, to int, seen shape, each func(e *entity) bool) bool {
	b := text[from:to]
	if seen.has(slash) && seen.has(colon) {
		if i := bytes.Index(b, []byte("://")); i > 0 {
			return s.url(b, i, from, each)
		}
	}
	if seen.has(atByte) {
		return s.emails(b, from, each)
	}
	first, last := 0, len(b)
	for first < last && !wordByte(b[first]) && b[first] != '/' && b[first] != '~' && b[first] != '+' && !relative(b[first:]) {
		first++
	}
	last = trimEnd(b, first, last)
	b = b[first:last]
	from += first
	switch {
	case len(b) < minToken:
		return true
	case b[0] == '/' || b[0] == '~' || relative(b):
		if !seen.has(slash) || len(b) > maxEntity {
			return true
		}
		return s.plain(Path, b, from, each)
	case seen.has(dotByte):
		// key=www.example.org/x: what stands before the sign is no host.
		if i := bytes.IndexByte(b, '='); i >= 0 && !bytes.ContainsAny(b[:i], "./?") {
			from += i + 1
			b = b[i+1:]
		}
		return s.hostOrFile(b, from, seen, each)
	}
	return s.code(b, from, each)
}

// relative reports whether a path begins here.
func relative(b []byte) bool {
	return bytes.HasPrefix(b, []byte("./")) || bytes.HasPrefix(b, []byte("../"))
}

func wordByte(c byte) bool {
	k := classes[c]
	return k == letter || k == upper || k == digit || k == foreign
}

// trimEnd leaves out the punctuation after a token.
func trimEnd(b []byte, first, last int) int {
	for last > first {
		switch c := b[last-1]; {
		case c >= 0x80:
			r, n := utf8.DecodeLastRune(b[first:last])
			if !unicode.IsPunct(r) && !unicode.IsSymbol(r) && !unicode.IsSpace(r) {
				return last
			}
			last -= n
		case c == '.' || c == ':' || c == '!' || c == '?' || c == '*' || c == '_' || c == '-' || c == '~' || c == '#' || c == '&' || c == '=' || c == '$' || c == '+':
			last--
		default:
			return last
		}
	}
	return last
}

// schemes are those that lead somewhere.
var schemes = map[string]bool{
	"http": true, "https": true, "ftp": true, "ftps": true, "sftp": true, "ssh": true, "git": true, "ws": true, "wss": true, "s3": true, "gs": true,
	"smb": true, "ldap": true, "ldaps": true, "tcp": true, "udp": true, "rtsp": true, "postgres": true, "postgresql": true, "mysql": true,
	"mongodb": true, "redis": true, "amqp": true, "amqps": true, "imap": true, "smtp": true, "telnet": true, "gopher": true, "az": true, "abfss": true,
}

// url reads a URL whose "://" stands at i.
func (s *scanner) url(b []byte, i, from int, each func(e *entity) bool) bool {
	begin := i
	for begin > 0 && (classes[b[begin-1]] == letter || classes[b[begin-1]] == upper || classes[b[begin-1]] == digit) {
		begin--
	}
	var lower [16]byte
	if i-begin > len(lower) || !schemes[string(lowered(lower[:0], b[begin:i]))] {
		return true
	}
	end := trimEnd(b, i+3, len(b))
	// Two in one token (redirect?to=https://...) are two.
	rest := -1
	if j := bytes.Index(b[i+3:end], []byte("://")); j > 0 {
		rest = i + 3 + j
	}
	host, port, path := authority(b[i+3 : end])
	if len(host) > 0 && !s.location(URL, host, port, path, from+begin, from+end, each) {
		return false
	}
	if rest > 0 {
		return s.url(b[:end], rest, from, each)
	}
	return true
}

// authority splits what follows a scheme. Whatever stands before the last @ is a
// name and no host.
func authority(b []byte) (host, port, path []byte) {
	end := bytes.IndexAny(b, "/?#")
	if end < 0 {
		end = len(b)
	}
	host, path = b[:end], b[end:]
	if at := bytes.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	if i := bytes.LastIndexByte(host, ':'); i >= 0 {
		host, port = host[:i], host[i+1:]
	}
	return host, port, path
}

// location tells of a host and what follows it.
func (s *scanner) location(kind Kind, host, port, path []byte, from, to int, each func(e *entity) bool) bool {
	n := lowered(s.norm[:0], cut(host, 253))
	n = bytes.TrimSuffix(n, []byte("."))
	if www := []byte("www."); bytes.HasPrefix(n, www) && bytes.IndexByte(n[4:], '.') > 0 {
		n = n[:copy(n, n[4:])]
	}
	if len(port) > 0 && len(port) <= 5 && string(port) != "443" && string(port) != "80" {
		n = append(append(n, ':'), port...)
	}
	hostEnd := len(n)
	if i := bytes.IndexByte(path, '#'); i >= 0 {
		path = path[:i]
	}
	path = bytes.TrimRight(path, "/")
	n = append(n, cut(path, maxEntity-len(n))...)
	if len(n) == hostEnd && kind == URL {
		kind = Host
	}
	unit := append(s.unit[:0], n[:tenant(n, hostEnd)]...)
	return each(&entity{kind, n, unit, from, to})
}

// shared are hosts that anybody may have a part of: there the first parts of the
// path say whose.
var shared = map[string]int{
	"docs.google.com": 3, "drive.google.com": 3, "forms.gle": 1, "script.google.com": 3, "storage.googleapis.com": 1, "sites.google.com": 2, "github.com": 2,
	"gist.github.com": 1, "raw.githubusercontent.com": 2, "gist.githubusercontent.com": 1, "gitlab.com": 2, "bitbucket.org": 2, "pastebin.com": 1,
	"hooks.slack.com": 2, "discord.com": 3, "discordapp.com": 3, "api.telegram.org": 1, "t.me": 1, "dropbox.com": 2, "dl.dropboxusercontent.com": 2,
	"webhook.site": 1, "pipedream.com": 1, "hooks.zapier.com": 3, "bit.ly": 1, "tinyurl.com": 1, "t.co": 1, "s3.amazonaws.com": 1, "medium.com": 1,
	"notion.so": 1, "trello.com": 2, "facebook.com": 1, "x.com": 1, "twitter.com": 1, "linkedin.com": 2, "youtube.com": 1, "instagram.com": 1,
	"onedrive.live.com": 2, "transfer.sh": 1, "file.io": 1, "ngrok.io": 1, "huggingface.co": 2, "npmjs.com": 2, "zoom.us": 2, "calendly.com": 1,
	"docs.microsoft.com": 0, "outlook.office.com": 2, "paypal.me": 1, "wa.me": 1,
}

// tenant is how much of a location is one destination: the host, and on a shared
// one the parts of the path that say whose place it is.
func tenant(n []byte, hostEnd int) int {
	parts, ok := shared[string(n[:hostEnd])]
	if !ok {
		return hostEnd
	}
	at := hostEnd
	for ; parts > 0 && at < len(n); parts-- {
		next := bytes.IndexAny(n[at+1:], "/?")
		if next < 0 {
			return len(n)
		}
		at += 1 + next
	}
	return at
}

func (s *scanner) emails(b []byte, from int, each func(e *entity) bool) bool {
	for i := 0; i < len(b); i++ {
		if b[i] != '@' {
			continue
		}
		begin, end := i, i+1
		for begin > 0 && (wordByte(b[begin-1]) || strings.IndexByte("._%+-", b[begin-1]) >= 0) {
			begin--
		}
		for begin < i && (b[begin] == '.' || b[begin] == '-' || b[begin] == '+') {
			begin++
		}
		for end < len(b) && (wordByte(b[end]) || b[end] == '.' || b[end] == '-') {
			end++
		}
		end = trimEnd(b, i+1, end)
		domain := b[i+1 : end]
		dot := bytes.LastIndexByte(domain, '.')
		if begin == i || dot < 1 || len(domain)-dot < 3 || end-begin > maxEntity || !allLetters(domain[dot+1:]) {
			continue
		}
		if !each(&entity{kind: Email, norm: lowered(s.norm[:0], b[begin:end]), from: from + begin, to: from + end}) {
			return false
		}
		i = end
	}
	return true
}

func allLetters(b []byte) bool {
	for _, c := range b {
		if k := classes[c]; k != letter && k != upper && k != foreign {
			return false
		}
	}
	return true
}

// hostOrFile reads a token with a dot: a host, with a path or without, an address,
// or the name of a file.
func (s *scanner) hostOrFile(b []byte, from int, seen shape, each func(e *entity) bool) bool {
	host, port, path := authority(b)
	dot := bytes.LastIndexByte(host, '.')
	if dot < 1 || len(b) > maxToken {
		return true
	}
	top := host[dot+1:]
	var lower [64]byte
	www := bytes.EqualFold(cut(host, 4), []byte("www."))
	switch {
	case seen.digits >= 4 && ipv4(host):
		return s.location(URL, host, port, path, from, from+len(b), each)
	case !labels(host) || len(top) > len(lower) || !www && !topLevel(lowered(lower[:0], top)):
		if len(path) == 0 && len(top) <= 5 && len(top) > 1 && wordByte(b[0]) && !numeric(host) {
			return s.plain(Path, b, from, each) // bill.txt
		}
		if seen.has(slash) && len(b) <= maxEntity {
			return s.plain(Path, b, from, each)
		}
		return true
	case len(path) == 0 && !www && extensions[string(lowered(lower[:0], top))]:
		return s.plain(Path, b, from, each) // main.py: also a domain of Paraguay
	}
	return s.location(URL, host, port, path, from, from+len(b), each)
}

// extensions are endings of files that are domains of countries, too.
var extensions = map[string]bool{
	"md": true, "py": true, "sh": true, "rs": true, "pl": true, "so": true, "cc": true, "zip": true, "mov": true, "ps": true, "tf": true, "st": true,
	"vi": true, "mk": true, "in": true, "my": true, "cs": true, "kt": true, "ml": true, "mp": true, "pub": true, "bz": true, "gz": true, "lib": true,
}

func numeric(b []byte) bool {
	for _, c := range b {
		if classes[c] != digit && c != '.' && c != '-' && c != '%' {
			return false
		}
	}
	return true
}

// labels reports whether a host is written as one.
func labels(host []byte) bool {
	n := 0
	for _, c := range host {
		switch k := classes[c]; {
		case k == dotByte:
			if n == 0 {
				return false
			}
			n = 0
		case k == letter || k == upper || k == digit || k == foreign || c == '-' || c == '_':
			if n++; n > 63 {
				return false
			}
		default:
			return false
		}
	}
	return n > 0
}

// tops remembers which last labels are top-level domains; there are some 1,500,
// and as many that are none are remembered.
var tops struct {
	sync.RWMutex
	known map[string]bool
}

func topLevel(label []byte) bool {
	if len(label) < 2 || !allLetters(label) && !bytes.HasPrefix(label, []byte("xn--")) {
		return false
	}
	tops.RLock()
	is, ok := tops.known[string(label)]
	tops.RUnlock()
	if ok {
		return is
	}
	_, is = publicsuffix.PublicSuffix("x." + string(label))
	tops.Lock()
	if tops.known == nil || len(tops.known) > 4096 {
		tops.known = map[string]bool{}
	}
	tops.known[string(label)] = is
	tops.Unlock()
	return is
}

func ipv4(b []byte) bool {
	parts, n, digits := 0, 0, 0
	for i := 0; i <= len(b); i++ {
		if i == len(b) || b[i] == '.' {
			if digits == 0 || digits > 3 || n > 255 {
				return false
			}
			parts++
			n, digits = 0, 0
			continue
		}
		if classes[b[i]] != digit {
			return false
		}
		n, digits = n*10+int(b[i]-'0'), digits+1
	}
	return parts == 4
}

// code reads a token without dots: an account, or what names a thing.
func (s *scanner) code(b []byte, from int, each func(e *entity) bool) bool {
	if len(b) > maxEntity {
		return true
	}
	// order=7731, ref:7731: the value is meant.
	if i := bytes.LastIndexAny(b, "=:"); i >= 0 {
		from += i + 1
		b = b[i+1:]
	}
	digits, letters, seams := 0, 0, 0
	for _, c := range b {
		switch k := classes[c]; {
		case k == digit:
			digits++
		case k == letter || k == upper:
			letters++
		case c == '-' || c == '_' || c == '#' || c == '/':
			seams++
		case c == '+':
		default:
			return true
		}
	}
	switch {
	case account(b):
		return s.squeezed(Account, b, from, from+len(b), each)
	case len(b) > 0 && b[0] == '+' && letters == 0 && digits >= 7 && digits <= 15:
		return s.squeezed(Phone, b, from, from+len(b), each)
	case letters == 0 && seams > 0: // a date, a range
		return true
	case digits >= 6 && letters == 0, digits >= 3 && letters > 0 && len(b) >= 6, digits >= 2 && letters > 0 && seams > 0:
		return s.plain(ID, b, from, each)
	}
	return true
}

// account reports whether a token is written as an IBAN: a country, two digits,
// and ten more letters and digits at least.
func account(b []byte) bool {
	if len(b) < 14 || len(b) > maxJoined+8 || classes[b[0]] != upper || classes[b[1]] != upper || classes[b[2]] != digit || classes[b[3]] != digit {
		return false
	}
	n, digits := 4, 2
	for _, c := range b[4:] {
		switch classes[c] {
		case digit:
			digits++
		case upper:
		default:
			if c != '-' {
				return false
			}
			continue
		}
		n++
	}
	return n >= 14 && n <= maxJoined && digits >= 8
}

// grouped reads numbers that are written in groups: DE89 3704 0044 0532 0130 00,
// +49 30 901820. It gives where they end, and whether to go on.
func (s *scanner) grouped(text []byte, from, to int, each func(e *entity) bool) (end int, goOn bool) {
	iban := to-from == 4 && classes[text[from]] == upper && classes[text[from+1]] == upper && classes[text[from+2]] == digit && classes[text[from+3]] == digit
	phone := text[from] == '+' && to-from >= 2 && to-from <= 5 && classes[text[from+1]] == digit
	if !iban && !phone {
		return to, true
	}
	end = to
	for end+1 < len(text) && end-from < 64 {
		next := end
		for next < len(text) && (text[next] == ' ' || phone && (text[next] == '(' || text[next] == ')') || text[next] == '-' && phone) {
			next++
		}
		if next == end || next-end > 2 {
			break
		}
		g := next
		for g < len(text) && (classes[text[g]] == digit || iban && classes[text[g]] == upper || phone && text[g] == '-') {
			g++
		}
		if g == next || iban && g-next > 4 || g < len(text) && classes[text[g]] != ends && text[g] != '.' {
			break
		}
		end = g
		if iban && g-next < 4 {
			break // only the last group is shorter
		}
	}
	if end == to {
		return to, true
	}
	n := s.norm[:0]
	for _, c := range text[from:end] {
		if k := classes[c]; (k == digit || k == upper || c == '+') && len(n) < maxEntity {
			n = append(n, c)
		}
	}
	switch {
	case iban && account(n):
		return end, each(&entity{kind: Account, norm: n, from: from, to: end})
	case phone && len(n) >= 8 && len(n) <= 16:
		return end, each(&entity{kind: Phone, norm: n, from: from, to: end})
	}
	return to, true
}

// squeezed tells of a number without what stands between its groups.
func (s *scanner) squeezed(kind Kind, b []byte, from, to int, each func(e *entity) bool) bool {
	n := s.norm[:0]
	for _, c := range b {
		if c != '-' && len(n) < maxEntity {
			n = append(n, c)
		}
	}
	return each(&entity{kind: kind, norm: n, from: from, to: to})
}

func (s *scanner) plain(kind Kind, b []byte, from int, each func(e *entity) bool) bool {
	return each(&entity{kind: kind, norm: append(s.norm[:0], cut(b, maxEntity)...), from: from, to: from + len(b)})
}

func cut(b []byte, n int) []byte { return b[:min(len(b), max(n, 0))] }

// lowered appends b in lower case.
func lowered(dst, b []byte) []byte {
	for i, c := range b {
		switch {
		case c >= 'A' && c <= 'Z':
			dst = append(dst, c+'a'-'A')
		case c >= 0x80:
			return append(dst, bytes.ToLower(b[i:])...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
