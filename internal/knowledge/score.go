package knowledge

import "math"

// How sure we are that a passage answers, as a logistic model of how well it
// matches and how far it stands out. Fitted on question sets of several
// corpora at once, each of them left out in turn; see
// docs/decisions/0002-ranking.md.
const (
	sureBias  = -5.85
	sureGram  = 0.77
	sureGap   = 3.42
	sureMatch = 2.18

	// A passage is compared with the one at this place of the ranking.
	crowd = 10
)

// logit judges the i-th candidate of a ranking, whose words are worth total.
func logit(all []found, i int, total float64) float64 {
	s, other := all[i].score, 0.0
	if len(all) > crowd {
		other = all[crowd].score
	}
	if s <= 0 || total <= 0 {
		return sureBias
	}
	return sureBias + sureGram*all[i].look.gram + sureGap*max(0, s-other)/s + sureMatch*s/total
}

func logistic(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

func worthOf(q []word) float64 {
	total := 0.0
	for i := range q {
		total += q[i].worth()
	}
	return total
}
