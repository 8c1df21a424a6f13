package labelled

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"reeve/internal/stat"
)

// readRewards reads rewards.csv (task_id, trial, reward) as tries by task.
func readRewards(dir string) (map[string]stat.Trials, error) {
	f, err := os.Open(filepath.Join(dir, "rewards.csv"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = 3
	out := map[string]stat.Trials{}
	for line := 1; ; line++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("rewards.csv: %w", err)
		}
		if line == 1 && row[0] == "task_id" {
			continue
		}
		reward, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			return nil, fmt.Errorf("rewards.csv, line %d: the reward %q is no number", line, row[2])
		}
		t := out[row[0]]
		t.Of++
		if reward >= 1 {
			t.Passed++
		}
		out[row[0]] = t
	}
	if len(out) == 0 {
		return nil, errors.New("rewards.csv has no row")
	}
	return out, nil
}

// passK is how repeatable an agent is: the chance that k tries of a task all pass.
func passK(_ context.Context, dir string, _ uint64) (*Report, error) {
	tasks, err := readRewards(dir)
	if err != nil {
		return nil, err
	}
	var list []stat.Trials
	var counts [][]int64
	var most int64
	for _, name := range sortedKeys(tasks) {
		t := tasks[name]
		list, counts = append(list, t), append(counts, []int64{t.Passed, t.Of - t.Passed})
		most = max(most, t.Of)
	}
	rep := &Report{About: fmt.Sprintf("%d tasks tried up to %d times: the chance that k tries of a task all pass, and that two end differently", len(list), most)}
	for k := int64(1); k <= min(most, 8); k++ {
		share, low, high, n, ok := stat.PassHat(list, k)
		if !ok {
			continue
		}
		rep.Figures = append(rep.Figures, Figure{Name: fmt.Sprintf("pass^%d", k), Value: share, N: int(n), Low: &low, High: &high})
	}
	if share, low, high, n, ok := stat.Spread(counts); ok {
		rep.Figures = append(rep.Figures, Figure{Name: "spread", Value: share, N: int(n), Low: &low, High: &high})
	}
	return rep, nil
}
