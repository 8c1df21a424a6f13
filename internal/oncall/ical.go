package oncall

import (
	"crypto/subtle"
	"fmt"
	"strings"
	"time"
)

// Calendar is a schedule's shifts as iCalendar (RFC 5545), for who has the secret
// of its address. name gives people's names.
func (b *Book) Calendar(name, secret string, person func(id string) string) ([]byte, error) {
	s, err := b.Schedule(name)
	if err != nil || secret == "" || subtle.ConstantTimeCompare([]byte(secret), []byte(s.Feed)) != 1 {
		return nil, notFound("calendar")
	}
	now := b.now()
	var w strings.Builder
	line := func(format string, args ...any) { fold(&w, fmt.Sprintf(format, args...)) }
	line("BEGIN:VCALENDAR")
	line("VERSION:2.0")
	line("PRODID:-//Reeve//On call//EN")
	line("X-WR-CALNAME:%s", escape("On call: "+s.Name))
	const form = "20060102T150405Z"
	for _, x := range s.Shifts(now.Add(-7*24*time.Hour), now.Add(60*24*time.Hour)) {
		if x.Person == "" {
			continue
		}
		line("BEGIN:VEVENT")
		line("UID:%s-%d@reeve", s.Name, x.From.Unix())
		line("DTSTAMP:%s", now.Format(form))
		line("DTSTART:%s", x.From.UTC().Format(form))
		line("DTEND:%s", x.To.UTC().Format(form))
		line("SUMMARY:%s", escape(person(x.Person)+" is on call: "+s.Name))
		line("END:VEVENT")
	}
	line("END:VCALENDAR")
	return []byte(w.String()), nil
}

func escape(s string) string {
	return strings.NewReplacer("\\", "\\\\", ";", "\\;", ",", "\\,", "\n", "\\n", "\r", "").Replace(s)
}

// fold breaks a line after 75 bytes, never within a character.
func fold(w *strings.Builder, s string) {
	for n := 75; len(s) > n; n = 74 {
		cut := n
		for cut > 0 && s[cut]&0xC0 == 0x80 {
			cut--
		}
		w.WriteString(s[:cut] + "\r\n ")
		s = s[cut:]
	}
	w.WriteString(s + "\r\n")
}
