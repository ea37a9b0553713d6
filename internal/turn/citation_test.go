package turn

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scailabs/scaigrid"
)

func TestCitedIn(t *testing.T) {
	passages := []scaigrid.Passage{
		{ID: "psg_a", DocumentID: "doc_a", Title: "Returns", Text: "We are open daily. Goods may be returned within 30 days. Keep the receipt."},
		{ID: "psg_b", DocumentID: "doc_b", Title: "Shipping", Text: "Parcels leave on the same day."},
		{ID: "psg_c", DocumentID: "doc_c", Title: "开放时间", Text: "我们每天开放。周日休息。"},
	}
	for _, tc := range []struct {
		answer string
		want   []scaigrid.Citation
	}{
		{"No source.", []scaigrid.Citation{}},
		{"You have 30 days to return goods [1].", []scaigrid.Citation{
			{N: 1, DocumentID: "doc_a", Title: "Returns", Quote: "Goods may be returned within 30 days.", PassageID: "psg_a"},
		}},
		{"Sent the same day [2]. Returned within 30 days [1][2].", []scaigrid.Citation{
			{N: 1, DocumentID: "doc_a", Title: "Returns", Quote: "Goods may be returned within 30 days.", PassageID: "psg_a"},
			{N: 2, DocumentID: "doc_b", Title: "Shipping", Quote: "Parcels leave on the same day.", PassageID: "psg_b"},
		}},
		{"Numbers that were not given [0] [4] [999] are none.", []scaigrid.Citation{}},
		{"周日休息 [3]", []scaigrid.Citation{
			{N: 3, DocumentID: "doc_c", Title: "开放时间", Quote: "周日休息。", PassageID: "psg_c"},
		}},
	} {
		if diff := cmp.Diff(tc.want, citedIn(tc.answer, passages)); diff != "" {
			t.Errorf("%s\n%s", tc.answer, diff)
		}
	}
}
