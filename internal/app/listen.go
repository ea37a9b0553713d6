package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/scailabs/scaigrid/internal/config"
)

// listen opens an address; the error says which setting to change.
func listen(ctx context.Context, addr string, setting string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err == nil {
		return ln, nil
	}
	flag, env := names(setting)
	change := fmt.Sprintf("choose another with --%s or %s", flag, env)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("the address %s is in use by another program; stop it, or %s", addr, change)
	case errors.Is(err, syscall.EACCES), errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("the address %s may not be opened by this user; ports below 1024 need a privilege, so %s", addr, change)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("the address %s does not belong to this machine; %s", addr, change)
	}
	return nil, fmt.Errorf("the address %s can't be opened; %s: %w", addr, change, err)
}

// names of a setting, for messages.
func names(key string) (flag, env string) {
	for _, s := range config.Settings() {
		if s.Key == key {
			return s.Flag, s.Env
		}
	}
	return key, key
}

// secure wraps a listener in TLS, where the settings ask for it.
func secure(ln net.Listener, t *tls.Config) net.Listener {
	if t == nil {
		return ln
	}
	return tls.NewListener(ln, t)
}
