package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/auth"
	"github.com/scailabs/scaigrid/internal/config"
	"github.com/scailabs/scaigrid/internal/httpapi"
	"github.com/scailabs/scaigrid/internal/knowledge"
	"github.com/scailabs/scaigrid/internal/llm"
	"github.com/scailabs/scaigrid/internal/store"
	"github.com/scailabs/scaigrid/internal/turn"
)

// hall holds the parts of one process that need no connection of a client: the
// database and the rooms on top of it. Server and commands share it.
type hall struct {
	cfg   *config.Loaded
	log   *slog.Logger
	clock func() time.Time
	node  string

	store  *store.Store
	tenant *scaigrid.Tenant
	admin  *scaigrid.User
	first  bool // this start made the tenant

	guard   *auth.Guard
	models  *llm.Registry
	library *knowledge.Library
	worker  *knowledge.Worker
	limits  *httpapi.Limits
	metrics *httpapi.Metrics
	turns   *turn.House
}

// hallOptions say how a hall is opened.
type hallOptions struct {
	cfg     *config.Loaded
	log     *slog.Logger
	clock   func() time.Time
	version string
	serve   bool // claim the data folder
}

// The one tenant that a start makes.
const (
	tenantSlug = "main"
	tenantName = "Main"
)

// openHall opens the database, brings it up to date and builds the rooms.
func openHall(ctx context.Context, o hallOptions) (_ *hall, err error) {
	h := &hall{cfg: o.cfg, log: o.log, clock: o.clock, node: scaigrid.NewID(scaigrid.KindNode, o.clock())}
	if err := checkFolder(&o.cfg.Config); err != nil {
		return nil, err
	}
	h.store, err = store.Open(ctx, store.Options{
		DataDir: o.cfg.DataDir, DatabaseURL: o.cfg.DatabaseURL.Reveal(), Release: o.version, Log: o.log,
	})
	if err != nil {
		return nil, databaseError(err)
	}
	defer func() {
		if err != nil {
			_ = h.store.Close()
		}
	}()
	if o.serve {
		if err := h.store.ClaimServe(); err != nil {
			return nil, err
		}
	}
	if err := h.store.Migrate(ctx); err != nil {
		return nil, databaseError(err)
	}
	if err := h.firstStart(ctx); err != nil {
		return nil, databaseError(err)
	}
	if err := h.openRooms(ctx); err != nil {
		return nil, databaseError(err)
	}
	return h, nil
}

// firstStart makes the tenant and its administrator, unless they are there.
func (h *hall) firstStart(ctx context.Context) (err error) {
	now := h.clock()
	h.tenant, h.admin, h.first, err = h.store.EnsureTenant(ctx,
		scaigrid.Tenant{ID: scaigrid.NewID(scaigrid.KindTenant, now), Slug: tenantSlug, Name: tenantName, CreatedAt: now},
		scaigrid.User{ID: scaigrid.NewID(scaigrid.KindUser, now), Name: "Administrator", Role: scaigrid.RoleTenantAdmin, CreatedAt: now})
	if err == nil && h.admin == nil {
		err = errors.New("the tenant has no administrator; restore the newest backup")
	}
	return err
}

func (h *hall) close() error {
	if h.models != nil {
		h.models.Close()
	}
	return h.store.Close()
}

// secretPath is where the installation secret lies.
func secretPath(cfg *config.Config) string {
	if cfg.SecretFile != "" {
		return cfg.SecretFile
	}
	return filepath.Join(cfg.DataDir, "secret")
}

// checkFolder refuses what would be taken for a new installation but is an old
// one that lost its database.
func checkFolder(cfg *config.Config) error {
	if cfg.DatabaseURL != "" || cfg.SecretFile != "" {
		return nil
	}
	if !exists(secretPath(cfg)) {
		return nil // a new folder, or one that store.Open complains about in its own words
	}
	db := filepath.Join(cfg.DataDir, "scaigrid.db")
	if info, err := os.Stat(db); err == nil && info.Size() > 0 || err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return &databaseFault{fmt.Errorf("the data folder %s was in use, but its database %s is missing or empty; restore it from a backup, or remove %s to begin anew",
		cfg.DataDir, filepath.Base(db), secretPath(cfg))}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// databaseFault is an error because of which the database must not be used.
type databaseFault struct{ cause error }

func (e *databaseFault) Error() string        { return e.cause.Error() }
func (e *databaseFault) Unwrap() error        { return e.cause }
func (e *databaseFault) Is(target error) bool { return target == ErrDatabase }

// databaseError marks an error that says that the database is damaged or newer
// than this program.
func databaseError(err error) error {
	var newer *store.NewerSchemaError
	if errors.As(err, &newer) || store.Damaged(err) {
		return &databaseFault{err}
	}
	return err
}
