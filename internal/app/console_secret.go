package app

import (
	"context"

	"github.com/scailabs/scaigrid/internal/auth"
)

// PrepareSecret puts a new installation secret before the old one in the file
// and seals nothing with it yet, so that every node can be given the file first.
func (c *Console) PrepareSecret() error {
	_, err := auth.RotateSecretFile(secretPath(&c.cfg.Config))
	return err
}

// FinishSecret seals everything with the first secret of the file and removes
// the others from it. A crash on the way loses nothing; it may be repeated.
func (c *Console) FinishSecret(ctx context.Context) error {
	path := secretPath(&c.cfg.Config)
	secret, err := auth.LoadSecretFile(path)
	if err != nil {
		return err
	}
	guard, err := auth.Open(ctx, auth.Options{Store: c.store, Secret: secret, Clock: c.clock, Log: c.log})
	if err != nil {
		return err
	}
	if err := guard.Reseal(ctx); err != nil {
		return err
	}
	return auth.DropOldSecrets(path)
}
