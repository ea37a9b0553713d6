package httpapi

import (
	"slices"

	"github.com/scailabs/scaigrid"
)

// modelQuery narrows the list of models.
type modelQuery struct {
	Modality string `query:"modality" enum:"chat,embedding,image,audio" doc:"Only models of this kind; bots answer with chat models"`
	Status   string `query:"status" enum:"active,deprecated" doc:"Only models in this state"`
}

func (s *Server) listModels(c *call, q *modelQuery, page scaigrid.PageRequest) ([]scaigrid.Model, scaigrid.PageResult, error) {
	var bad []scaigrid.FieldError
	if q.Modality != "" && !slices.Contains([]string{"chat", "embedding", "image", "audio"}, q.Modality) {
		bad = append(bad, scaigrid.FieldError{Field: "query.modality", Message: "must be chat, embedding, image or audio"})
	}
	if q.Status != "" && q.Status != "active" && q.Status != "deprecated" {
		bad = append(bad, scaigrid.FieldError{Field: "query.status", Message: "must be active or deprecated"})
	}
	if err := scaigrid.InvalidFields(bad); err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	all, err := s.models.Models(c.ctx())
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	all = slices.DeleteFunc(slices.Clone(all), func(m scaigrid.Model) bool {
		return q.Modality != "" && m.Modality != q.Modality || q.Status != "" && m.Status != q.Status
	})
	return pageOfModels(all, page)
}

// pageOfModels cuts a page out of a list that is at hand whole. The cursor is
// the slug that came last.
func pageOfModels(all []scaigrid.Model, page scaigrid.PageRequest) ([]scaigrid.Model, scaigrid.PageResult, error) {
	if page.After != "" {
		i := slices.IndexFunc(all, func(m scaigrid.Model) bool { return m.Slug == page.After })
		if i < 0 {
			return nil, scaigrid.PageResult{}, scaigrid.Invalid("query.cursor", "is not a cursor of this list")
		}
		all = all[i+1:]
	}
	if len(all) <= page.Limit {
		return all, scaigrid.PageResult{}, nil
	}
	all = all[:page.Limit]
	return all, scaigrid.PageResult{NextCursor: all[len(all)-1].Slug}, nil
}

// modelRows are the rows about models.
func (s *Server) modelRows() []route {
	return []route{
		staffRow("Models")("GET", "/v1/models", "listModels", "What bots can answer with", scaigrid.PermModelsList, list(s.listModels)),
	}
}
