package storetest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
)

var ctx = context.Background()

var installationCases = []testCase{
	{"values are kept, replaced, and put once", func(w *World) {
		_, err := w.Store.Value(ctx, "sealed")
		w.WantCode(err, scaigrid.CodeNotFound)
		held, err := w.Store.PutValue(ctx, "sealed", "first")
		w.Must(err)
		w.Equal("put into nothing", held, "first")
		held, err = w.Store.PutValue(ctx, "sealed", "second")
		w.Must(err)
		w.Equal("put beside another", held, "first")
		w.Must(w.Store.SetValue(ctx, "sealed", "third"))
		held, err = w.Store.Value(ctx, "sealed")
		w.Must(err)
		w.Equal("after set", held, "third")
	}},
	{"signing keys retire and are dropped", func(w *World) {
		old := scaigrid.SigningKey{ID: "k1", Sealed: []byte{1, 0, 255}, CreatedAt: w.Now}
		w.Must(w.Store.AddSigningKey(ctx, old))
		w.WantCode(w.Store.AddSigningKey(ctx, old), scaigrid.CodeConflict)
		w.Must(w.Store.AddSigningKey(ctx, scaigrid.SigningKey{ID: "k2", Sealed: []byte("x"), CreatedAt: w.Now.Add(time.Hour)}))
		w.Must(w.Store.RetireSigningKey(ctx, "k1", w.Now.Add(2*time.Hour)))
		w.Must(w.Store.RetireSigningKey(ctx, "k1", w.Now.Add(9*time.Hour))) // the first time holds
		w.WantCode(w.Store.RetireSigningKey(ctx, "k9", w.Now), scaigrid.CodeNotFound)
		w.Must(w.Store.ResealSigningKey(ctx, "k2", []byte("y")))
		keys, err := w.Store.SigningKeys(ctx)
		w.Must(err)
		if len(keys) != 2 || keys[0].ID != "k2" || string(keys[0].Sealed) != "y" || keys[0].RetiredAt != nil ||
			!bytes.Equal(keys[1].Sealed, old.Sealed) || !keys[1].RetiredAt.Equal(w.Now.Add(2*time.Hour)) {
			w.T.Fatalf("keys are %+v", keys)
		}
		n, err := w.Store.DropSigningKeys(ctx, w.Now.Add(3*time.Hour))
		w.Must(err)
		w.Equal("dropped", n, int64(1))
	}},
	{"revocations come in the order of their ids, and none is missed", func(w *World) {
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				w.Note(w.Store.AddRevocation(ctx, scaigrid.Revocation{
					TenantID: w.Tenant.ID, BotID: w.Bot.ID, TokenID: fmt.Sprint("tok_", i), At: w.Now, Until: w.Now.Add(time.Duration(i) * time.Minute),
				}))
			})
		}
		seen, last := map[string]bool{}, int64(0)
		poll := func() {
			list, err := w.Store.RevocationsAfter(ctx, last)
			w.Must(err)
			for _, r := range list {
				if r.ID <= last {
					w.T.Fatalf("id %d after %d", r.ID, last)
				}
				last, seen[r.TokenID] = r.ID, true
			}
		}
		for len(seen) < 10 {
			poll()
		}
		wg.Wait()
		poll()
		w.Equal("seen", len(seen), 20)
		n, err := w.Store.DropDeadRevocations(ctx, w.Now.Add(10*time.Minute))
		w.Must(err)
		w.Equal("dead", n, int64(10))
		w.Must(w.Store.AddRevocation(ctx, scaigrid.Revocation{TenantID: w.Tenant.ID, BotID: w.Bot.ID, TokenID: "later", At: w.Now, Until: w.Now}))
		poll()
		w.Equal("the one after a clean-up is seen", seen["later"], true)
	}},
	{"the audit log is listed newest first", func(w *World) {
		for i := range 3 {
			w.Must(w.Store.AppendAudit(ctx, store.AuditEntry{ID: w.ID("audit"), TenantID: w.Tenant.ID, At: w.Now.Add(time.Duration(i) * time.Second), Action: fmt.Sprint("a", i), Details: []byte(`{"n":1}`)}))
		}
		list, next, err := w.Store.AuditLog(ctx, w.Tenant.ID, scaigrid.PageRequest{Limit: 2})
		w.Must(err)
		w.Equal("newest", list[0].Action, "a2")
		w.Equal("details", string(list[0].Details), `{"n":1}`)
		list, next, err = w.Store.AuditLog(ctx, w.Tenant.ID, scaigrid.PageRequest{Limit: 2, After: next.NextCursor})
		w.Must(err)
		if len(list) != 1 || list[0].Action != "a0" || next.NextCursor != "" {
			w.T.Fatalf("second page %+v, %+v", list, next)
		}
	}},
}

var tenantCases = []testCase{
	{"the first start makes tenant and administrator once", func(w *World) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				tenant, admin, made, err := w.Store.EnsureTenant(ctx,
					scaigrid.Tenant{ID: fmt.Sprint("tenant_x", i), Slug: "default", Name: "X", CreatedAt: w.Now},
					scaigrid.User{ID: fmt.Sprint("usr_x", i), Role: scaigrid.RoleTenantAdmin, CreatedAt: w.Now})
				if err != nil {
					w.Note(err)
					return
				}
				if made || tenant.ID != w.Tenant.ID || admin.ID != w.Admin.ID {
					w.T.Errorf("got %v %v %v", tenant, admin, made)
				}
			})
		}
		wg.Wait()
		tenants, err := w.Store.Tenants(ctx)
		w.Must(err)
		w.Equal("tenants", len(tenants), 1)
		u, err := w.Store.User(ctx, w.Admin.ID)
		w.Must(err)
		w.Equal("user", *u, *w.Admin)
		_, err = w.Store.User(ctx, "usr_none")
		w.WantCode(err, scaigrid.CodeNotFound)
	}},
	{"API keys: found by their public part, listed, touched to the minute, revoked", func(w *World) {
		expires := w.Now.Add(24 * time.Hour)
		k := &scaigrid.APIKey{
			ID: w.ID("apikey"), TenantID: w.Tenant.ID, UserID: w.Admin.ID, Name: "ci", Prefix: "sgk_abc", PublicID: "abc", Digest: []byte{0, 1, 2},
			Permissions: []scaigrid.Permission{scaigrid.PermBotsRead}, BotIDs: []string{w.Bot.ID}, ExpiresAt: &expires, CreatedAt: w.Now,
		}
		w.Must(w.Store.CreateAPIKey(ctx, k))
		w.WantCode(w.Store.CreateAPIKey(ctx, k), scaigrid.CodeConflict)
		held, user, err := w.Store.APIKeyByPublicID(ctx, "abc")
		w.Must(err)
		w.Equal("key", *held, *k)
		w.Equal("its user", user.ID, w.Admin.ID)
		orphan := *k
		orphan.ID, orphan.PublicID, orphan.UserID = w.ID("apikey"), "def", "usr_none"
		w.WantCode(w.Store.CreateAPIKey(ctx, &orphan), scaigrid.CodeNotFound)
		used := w.Now.Add(90 * time.Second)
		w.Must(w.Store.TouchAPIKey(ctx, k.ID, used))
		w.Must(w.Store.TouchAPIKey(ctx, k.ID, w.Now)) // an older use changes nothing
		w.WantCode(w.Store.RevokeAPIKey(ctx, scaigrid.Caller{TenantID: "tenant_other"}, k.ID, used), scaigrid.CodeNotFound)
		w.Must(w.Store.RevokeAPIKey(ctx, scaigrid.Caller{TenantID: w.Tenant.ID}, k.ID, used))
		w.Must(w.Store.RevokeAPIKey(ctx, scaigrid.Caller{TenantID: w.Tenant.ID}, k.ID, used.Add(time.Hour)))
		list, _, err := w.Store.APIKeys(ctx, w.Tenant.ID, scaigrid.PageRequest{})
		w.Must(err)
		if len(list) != 1 || !list[0].RevokedAt.Equal(used) || !list[0].LastUsedAt.Equal(w.Now.Add(time.Minute)) {
			w.T.Fatalf("listed %+v", list)
		}
	}},
}
