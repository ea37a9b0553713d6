package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// chatToken is the tutorial's token endpoint: it mints a token for who is
// signed in and caches nothing.
func (s *shop) chatToken(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	data, err := s.mint(r.Context(), s.sessions.current(r))
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
		return
	}
	_, _ = w.Write(data)
}

// mint asks ScaiGrid for a token, over HTTP and with the API key, exactly as
// the tutorial's samples do: everything about an anonymous visitor is null.
func (s *shop) mint(ctx context.Context, v *Visitor) (json.RawMessage, error) {
	ask := map[string]any{"ttl_seconds": 3600, "visitor_id": nil, "visitor_email": nil, "metadata": nil}
	if v != nil {
		ask["visitor_id"], ask["visitor_email"], ask["visitor_name"] = v.ID, v.Email, v.Name
		ask["metadata"] = map[string]string{"plan": v.Plan}
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	address := s.APIURL + "/v1/modules/scaibot/bots/" + url.PathEscape(s.BotID) + "/embed-token"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.APIKey)
	req.Header.Set("Content-Type", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ScaiGrid can't be reached at %s", s.APIURL)
	}
	defer res.Body.Close()
	var answer struct {
		Data  json.RawMessage `json:"data"`
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&answer); err != nil {
		return nil, fmt.Errorf("ScaiGrid answered %d without JSON", res.StatusCode)
	}
	if res.StatusCode/100 != 2 || len(answer.Data) == 0 {
		return nil, fmt.Errorf("ScaiGrid answered %d %s: %s", res.StatusCode, answer.Error.Code, answer.Error.Message)
	}
	return answer.Data, nil
}
