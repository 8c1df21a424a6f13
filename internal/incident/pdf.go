package incident

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"codeberg.org/go-pdf/fpdf"
)

// PDF writes the Markdown of a review as a document to hand on: headings, lists,
// tables of two columns and paragraphs, which is what a review is made of. Letters
// beyond Western European ones become a dot: its fonts are those that every reader
// has.
func PDF(title, text string) ([]byte, error) {
	p := fpdf.New("P", "mm", "A4", "")
	p.SetTitle(title, true)
	p.SetCreator("Reeve", true)
	p.SetMargins(20, 18, 20)
	p.SetAutoPageBreak(true, 18)
	p.AliasNbPages("")
	latin := p.UnicodeTranslatorFromDescriptor("")
	p.SetFooterFunc(func() {
		p.SetY(-12)
		p.SetFont("Helvetica", "", 8)
		p.CellFormat(0, 5, latin(fmt.Sprintf("%s, page %d of {nb}", short(title, 120), p.PageNo())), "", 0, "C", false, 0, "")
	})
	p.AddPage()
	for _, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		writeLine(p, latin, line)
	}
	var out bytes.Buffer
	err := p.Output(&out)
	return out.Bytes(), err
}

func writeLine(p *fpdf.Fpdf, latin func(string) string, line string) {
	say := func(style string, size, height float64, text string) {
		p.SetFont("Helvetica", style, size)
		p.MultiCell(0, height, latin(plain(text)), "", "L", false)
	}
	trimmed := strings.TrimSpace(line)
	switch {
	case trimmed == "":
		p.Ln(2.5)
	case strings.HasPrefix(trimmed, "# "):
		say("B", 16, 8, trimmed[2:])
	case strings.HasPrefix(trimmed, "## "):
		p.Ln(2)
		say("B", 12.5, 7, trimmed[3:])
	case strings.HasPrefix(trimmed, "### "):
		say("B", 11, 6, trimmed[4:])
	case strings.HasPrefix(trimmed, "|"):
		writeRow(p, latin, trimmed)
	case strings.HasPrefix(trimmed, "- "):
		left, _, _, _ := p.GetMargins()
		item, mark := trimmed[2:], "-"
		for box, word := range map[string]string{"[ ] ": "open:", "[x] ": "done:"} {
			if rest, ok := strings.CutPrefix(item, box); ok {
				item, mark = rest, word
			}
		}
		p.SetFont("Helvetica", "", 10)
		p.SetX(left + 2)
		wide := p.GetStringWidth(mark) + 2.5
		p.CellFormat(wide, 5, mark, "", 0, "L", false, 0, "")
		p.SetLeftMargin(left + 2 + wide)
		p.MultiCell(0, 5, latin(plain(item)), "", "L", false)
		p.SetLeftMargin(left)
		p.SetX(left)
	default:
		say("", 10, 5, trimmed)
	}
}

// writeRow writes a row of a table; the line under its head says nothing.
func writeRow(p *fpdf.Fpdf, latin func(string) string, line string) {
	var cells []string
	for c := range strings.SplitSeq(strings.Trim(strings.ReplaceAll(line, `\|`, "\x00"), "|"), "|") {
		cells = append(cells, strings.TrimSpace(strings.ReplaceAll(c, "\x00", "|")))
	}
	all := strings.Join(cells, "")
	if strings.Trim(all, "-: ") == "" {
		return
	}
	p.SetFont("Helvetica", "B", 10)
	p.CellFormat(38, 5.5, latin(plain(cells[0])), "", 0, "L", false, 0, "")
	p.SetFont("Helvetica", "", 10)
	p.MultiCell(0, 5.5, latin(plain(strings.Join(cells[1:], "  "))), "", "L", false)
}

var escaped = regexp.MustCompile(`\\([\\\[\]` + "`" + `*_|])`)

// plain takes out what is Markdown of a line.
func plain(s string) string {
	if n := len(s); n > 2 && s[0] == '_' && s[n-1] == '_' {
		s = s[1 : n-1]
	}
	s = strings.ReplaceAll(escaped.ReplaceAllString(s, "$1"), "**", "")
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "\t", " ").Replace(s)
}
