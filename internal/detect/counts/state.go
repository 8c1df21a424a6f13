package counts

// Kept is what a Rate has learned, for a file.
type Kept struct {
	Windows, Rest                     int
	Scatter, Weight, Events, Exposure float64
}

// Keep copies what was learned.
func (r *Rate) Keep() Kept {
	return Kept{r.windows, r.rest, r.scatter, r.weight, r.events, r.exposure}
}

// Restore takes what was kept in place of what was learned; the options stay.
func (r *Rate) Restore(k Kept) {
	r.windows, r.rest, r.scatter, r.weight = max(k.Windows, 0), max(k.Rest, 0), k.Scatter, k.Weight
	r.events, r.exposure = k.Events, k.Exposure
}
