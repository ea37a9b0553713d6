package knowledge

// coverage is how much of what a question asks stands in a chunk: the share
// of its words, each by how much it tells.
func (x *index) coverage(q []word, f *found) float64 {
	held := map[string]bool{}
	for _, t := range f.terms.terms {
		held[t.term] = true
	}
	have, all := 0.0, 0.0
	for _, w := range q {
		all += w.weight * w.idf
		best := 0.0
		for _, fm := range w.forms {
			if held[x.vocab.term(fm.term)] {
				best = max(best, fm.match)
			}
		}
		have += best * w.weight * w.idf
	}
	if all == 0 {
		return 0
	}
	return have / all
}
