package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/scailabs/scaigrid/internal/auth"
	"github.com/scailabs/scaigrid/internal/config"
	"github.com/scailabs/scaigrid/internal/store"
	"github.com/scailabs/scaigrid/web"
)

// Finding is one thing that the doctor looked at.
type Finding struct {
	Topic  string `json:"topic"`
	Status string `json:"status"` // ok, warn or fail
	Text   string `json:"text"`
	Fix    string `json:"fix,omitempty"` // what to do
}

// Mark is how the finding begins in a list.
func (f Finding) Mark() string { return f.Status }

// Findings are all of them.
type Findings []Finding

// Err is nil unless a finding failed; it is ErrDatabase where the database did.
func (f Findings) Err() error {
	failed, database := 0, false
	for _, one := range f {
		if one.Status == "fail" {
			failed++
			database = database || one.Topic == "damage"
		}
	}
	switch {
	case failed == 0:
		return nil
	case database:
		return ErrDatabase
	case failed == 1:
		return errors.New("1 check failed")
	}
	return fmt.Errorf("%d checks failed", failed)
}

// doctor looks at an installation and changes nothing.
type doctor struct {
	cfg   *config.Loaded
	full  bool
	clock func() time.Time
	found Findings
}

func (d *doctor) ok(topic, format string, args ...any) {
	d.found = append(d.found, Finding{Topic: topic, Status: "ok", Text: fmt.Sprintf(format, args...)})
}

func (d *doctor) warn(topic, fix, format string, args ...any) {
	d.found = append(d.found, Finding{Topic: topic, Status: "warn", Text: fmt.Sprintf(format, args...), Fix: fix})
}

func (d *doctor) fail(topic, fix, format string, args ...any) {
	d.found = append(d.found, Finding{Topic: topic, Status: "fail", Text: fmt.Sprintf(format, args...), Fix: fix})
}

// Examine looks at everything that an installation needs. full reads the whole
// database. It changes nothing, also where a server is running.
func Examine(ctx context.Context, cfg *config.Loaded, full bool) Findings {
	d := &doctor{cfg: cfg, full: full, clock: time.Now}
	d.settings()
	if d.folder() {
		d.database(ctx)
	}
	d.server(ctx)
	d.certificate()
	if web.Built() {
		d.ok("widget", "The widget is built into this binary.")
	} else {
		d.warn("widget", `Run "make build" and use bin/scaigrid.`, "The widget is not built into this binary; pages will show no chat.")
	}
	d.providers(ctx)
	return d.found
}

func (d *doctor) settings() {
	from := "no settings file"
	if d.cfg.File != "" {
		from = d.cfg.File
	}
	d.ok("settings", "The settings are good (%s).", from)
	for _, w := range d.cfg.Warnings {
		d.warn("settings", "Correct or unset it.", "%s.", w)
	}
	if !d.cfg.Limits {
		d.warn("settings", "Set limits: on before others can reach the server.", "There are no request limits.")
	}
	if !config.Loopback(d.cfg.Addr) && !d.cfg.TLS() && len(d.cfg.TrustedProxies) == 0 {
		d.warn("settings", "Put a proxy with TLS in front and name it in trusted_proxies, or set tls_cert and tls_key.",
			"The server listens on %s without TLS and without a trusted proxy.", d.cfg.Addr)
	}
}

// folder tells whether there is something in the data folder to look at.
func (d *doctor) folder() bool {
	dir := d.cfg.DataDir
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.ok("folder", "The data folder %s is not there yet; the first start makes it.", dir)
		return d.cfg.DatabaseURL != ""
	case err != nil:
		d.fail("folder", "Check who owns the folders above it.", "The data folder %s can't be reached: %v.", dir, err)
		return false
	case !info.IsDir():
		d.fail("folder", "Name another with --data-dir.", "The data folder %s is a file.", dir)
		return false
	}
	probe, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		d.fail("folder", "Give it to the user that runs the server: chown and chmod u+rwx.", "The data folder %s can't be written to: %v.", dir, err)
		return false
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	if info.Mode().Perm()&0o077 != 0 {
		d.warn("folder", "chmod 700 "+dir, "Others on this machine may look into the data folder %s.", dir)
	} else {
		d.ok("folder", "The data folder %s is there and can be written to.", dir)
	}
	d.space(dir)
	return true
}

// lowSpace is when a disk is called nearly full.
const lowSpace = 1 << 30

func (d *doctor) space(dir string) {
	free, ok := freeBytes(dir)
	switch {
	case !ok:
	case free < lowSpace/10:
		d.fail("disk", "Make space; nothing can be stored on a full disk.", "The disk of %s has only %s left.", dir, humanize.IBytes(free))
	case free < lowSpace:
		d.warn("disk", "Make space soon.", "The disk of %s has %s left.", dir, humanize.IBytes(free))
	default:
		d.ok("disk", "The disk has %s left.", humanize.IBytes(free))
	}
}

func (d *doctor) database(ctx context.Context) {
	if err := checkFolder(&d.cfg.Config); err != nil {
		d.fail("damage", "Restore it from a backup.", "%v.", err)
		return
	}
	if d.cfg.DatabaseURL == "" {
		if _, err := os.Stat(filepath.Join(d.cfg.DataDir, "scaigrid.db")); err != nil {
			d.ok("database", "There is no database yet; the first start makes it.")
			return
		}
	}
	s, err := store.Open(ctx, store.Options{DataDir: d.cfg.DataDir, DatabaseURL: d.cfg.DatabaseURL.Reveal(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		d.fail(topicOf(err), "", "%s", sentence(err))
		return
	}
	defer func() { _ = s.Close() }()
	have, know, err := s.SchemaVersion(ctx)
	switch {
	case err != nil:
		d.fail(topicOf(err), "", "%s", sentence(err))
		return
	case have > know:
		d.fail("damage", "Install that release or a newer one.", "The database was written by a newer release (schema %d, this binary knows %d).", have, know)
		return
	case have < know:
		d.ok("database", "The database has schema %d; the next start brings it to %d and keeps a copy.", have, know)
	}
	damage, err := s.Check(ctx, d.full)
	switch {
	case err != nil:
		d.fail(topicOf(err), "Stop the server, keep a copy of the data folder, restore the newest backup.", "%s", sentence(err))
		return
	case len(damage) > 0:
		d.fail("damage", "Stop the server, keep a copy of the data folder, restore the newest backup.", "The database is damaged: %s.", strings.Join(damage[:min(3, len(damage))], "; "))
		return
	}
	d.ok("database", "The database (%s) is sound.", s.Engine())
	if have > 0 {
		d.secret(ctx, s)
	}
}

func topicOf(err error) string {
	if errors.Is(databaseError(err), ErrDatabase) {
		return "damage"
	}
	return "database"
}

// secret tells whether the installation secret opens what the database holds.
func (d *doctor) secret(ctx context.Context, s *store.Store) {
	path := secretPath(&d.cfg.Config)
	keys, err := s.SigningKeys(ctx)
	if err != nil {
		d.fail("database", "", "%s", sentence(err))
		return
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if len(keys) == 0 {
			d.ok("secret", "There is no installation secret yet; the first start makes it.")
			return
		}
		d.fail("secret", "Put it back from your copy, or name its place with SCAIGRID_SECRET_FILE.", "The installation secret %s is missing, and the database was sealed with it.", path)
		return
	}
	secret, err := auth.LoadSecretFile(path)
	if err != nil {
		d.fail("secret", "", "%s", sentence(err))
		return
	}
	for _, k := range keys {
		if secret.Old(k.Sealed) {
			if _, err := secret.Open(k.Sealed, "signing key "+k.ID); errors.Is(err, auth.ErrOtherSecret) {
				d.fail("secret", "Name the right file with SCAIGRID_SECRET_FILE.", "The installation secret %s is not the one with which the database was sealed.", path)
				return
			}
		}
	}
	d.ok("secret", "The installation secret opens the database's keys.")
}
