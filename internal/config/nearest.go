package config

// nearest returns the name most like s, where one differs by few letters; ""
// otherwise.
func nearest(s string, names []string) string {
	best, limit := "", max(2, len(s)/5)
	for _, n := range names {
		if d := distance(s, n); d <= limit {
			best, limit = n, d-1
		}
	}
	return best
}

// distance is the number of letters to insert, delete or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left, diagonal := i+1, i
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			left = min(left+1, row[j+1]+1, cost)
			row[j+1] = left
		}
		row[0] = i + 1
	}
	return row[len(b)]
}
