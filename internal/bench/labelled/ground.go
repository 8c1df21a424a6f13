package labelled

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"reeve/internal/evaluate/ground"
)

// beginLabel is what people said of an answer in BEGIN.
const fullyAttributable = "fully attributable"

// groundRow is an answer with the text that it should rest on.
type groundRow struct {
	knowledge, answer string
	grounded          bool
}

// readBegin reads BEGIN's tables: tabs between columns, no quoting.
func readBegin(dir string) (out []groundRow, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.tsv"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("%s has no .tsv of BEGIN", dir)
	}
	slices.Sort(files)
	for _, name := range files {
		rows, err := readBeginFile(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		out = append(out, rows...)
	}
	return out, nil
}

func readBeginFile(name string) (out []groundRow, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewScanner(io.LimitReader(f, 64<<20))
	in.Buffer(nil, 4<<20)
	var knowledge, answer, label int
	for n := 1; in.Scan(); n++ {
		cells := strings.Split(strings.TrimSuffix(in.Text(), "\r"), "\t")
		if n == 1 {
			knowledge, answer, label = slices.Index(cells, "knowledge"), slices.Index(cells, "response"), slices.Index(cells, "begin_label")
			if knowledge < 0 || answer < 0 || label < 0 {
				return nil, fmt.Errorf("no columns knowledge, response and begin_label")
			}
			continue
		}
		if len(cells) <= max(knowledge, answer, label) {
			return nil, fmt.Errorf("line %d has %d columns", n, len(cells))
		}
		out = append(out, groundRow{cells[knowledge], cells[answer], strings.EqualFold(cells[label], fullyAttributable)})
	}
	return out, in.Err()
}

// groundedness measures the check without a model against people's labels. The
// line between grounded and not is the product's own (ground.PassAbove); it is
// not fitted here.
func groundedness(ctx context.Context, dir string, _ uint64) (*Report, error) {
	rows, err := readBegin(dir)
	if err != nil {
		return nil, err
	}
	scores, good := make([]float64, len(rows)), make([]bool, len(rows))
	var caught, missed, wrong, right float64
	unchecked, alerts, truly := 0, 0, 0
	began := time.Now()
	for i, r := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		found := ground.Check(r.answer, r.knowledge)
		scores[i], good[i] = found.Score, r.grounded
		if math.IsNaN(found.Score) {
			unchecked++
			scores[i] = 0 // it has no content word: nothing of it is in the text
		}
		if found.Band == ground.Alert {
			alerts++
			truly += whole(!r.grounded)
		}
		pass := found.Band == ground.Pass
		switch {
		case !pass && !r.grounded:
			caught++
		case pass && !r.grounded:
			missed++
		case !pass:
			wrong++
		default:
			right++
		}
	}
	took := time.Since(began)
	if caught+missed == 0 || wrong+right == 0 {
		return nil, fmt.Errorf("%s has answers of one label only", dir)
	}
	bad, fine := 2*caught/(2*caught+missed+wrong), 2*right/(2*right+missed+wrong)
	rep := &Report{About: fmt.Sprintf("%d answers of BEGIN: are they carried by their knowledge, by words alone?", len(rows))}
	rep.add("AUROC, fully attributable against all others", auroc(scores, good)).atLeast(.93).of(len(rows))
	rep.add(fmt.Sprintf("F1 of finding answers that are not, at %.2f", ground.PassAbove), bad).atLeast(.87).of(int(caught + missed))
	rep.add("  F1 of the fully attributable, at the same line", fine).of(int(wrong + right))
	rep.add("  mean of both", (bad+fine)/2)
	rep.add(fmt.Sprintf("share of alerts (below %.2f) that are right", ground.AlertBelow), float64(truly)/float64(max(alerts, 1))).of(alerts)
	rep.add("answers with too little to check", float64(unchecked))
	rep.add("time an answer, ms", float64(took.Microseconds())/1000/float64(len(rows))).atMost(1)
	return rep, nil
}
