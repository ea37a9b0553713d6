package httpapi

import (
	"strconv"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
)

// versionView is what a bot was after one of its changes.
type versionView struct {
	Version int64              `json:"version"`
	Status  scaigrid.BotStatus `json:"status" enum:"draft,active,archived"`
	Config  scaigrid.BotConfig `json:"config"`
	By      *string            `json:"by" doc:"Id of the user who made the change; null for the system"`
	At      time.Time          `json:"at"`
}

func viewVersion(v *store.BotVersion) versionView {
	return versionView{Version: v.Version, Status: v.Status, Config: v.Config, By: orNull(v.By), At: v.At}
}

func (s *Server) listBotVersions(c *call, _ *noQuery, page scaigrid.PageRequest) ([]versionView, scaigrid.PageResult, error) {
	id, err := c.pathBot()
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	versions, next, err := s.store.BotVersions(c.ctx(), c.caller.TenantID, id, page)
	if err != nil {
		return nil, next, err
	}
	out := make([]versionView, len(versions))
	for i := range versions {
		out[i] = viewVersion(&versions[i])
	}
	return out, next, nil
}

// restoreBot gives a bot the settings of one of its versions back, as a new
// version. Its state stays what it is.
func (s *Server) restoreBot(c *call) (botView, error) {
	number, err := strconv.ParseInt(c.r.PathValue("version"), 10, 64)
	if err != nil {
		return botView{}, scaigrid.NotFound()
	}
	return s.changeBot(c, func(id string, expected int64) (*scaigrid.Bot, error) {
		old, err := s.findVersion(c, id, number)
		if err != nil {
			return nil, err
		}
		if err := old.Config.Validate(); err != nil {
			return nil, err // by a rule that is younger than the version
		}
		return s.store.ReplaceBot(c.ctx(), c.caller.TenantID, id, old.Config, "", expected, c.caller.UserID, c.began)
	})
}

func (s *Server) findVersion(c *call, botID string, number int64) (*store.BotVersion, error) {
	page := scaigrid.PageRequest{Limit: maxPage}
	for {
		versions, next, err := s.store.BotVersions(c.ctx(), c.caller.TenantID, botID, page)
		if err != nil {
			return nil, err
		}
		for i := range versions {
			if versions[i].Version == number {
				return &versions[i], nil
			}
		}
		if next.NextCursor == "" || len(versions) > 0 && versions[len(versions)-1].Version < number {
			return nil, scaigrid.NotFound()
		}
		page.After = next.NextCursor
	}
}

// versionRows are the rows about what bots were.
func (s *Server) versionRows() []route {
	row := staffRow("Bots")
	return []route{
		row("GET", botPath+"/{bot}/versions", "listBotVersions", "What a bot was after each change, newest first", scaigrid.PermBotsRead, list(s.listBotVersions)),
		row("POST", botPath+"/{bot}/versions/{version}/restore", "restoreBot", "Give a bot the settings of one of its versions back", scaigrid.PermBotsUpdate, read(s.restoreBot)).
			versioned(),
	}
}
