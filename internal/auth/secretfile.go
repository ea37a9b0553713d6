package auth

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	secretLine = "scaigrid-secret-1:"
	secretHead = "# Installation secret of ScaiGrid. Keep it as you would a password, and keep a copy:\n" +
		"# without it the signing keys in the database cannot be opened. The first line seals;\n" +
		"# lines below it only open what they once sealed.\n"
)

// LoadSecretFile reads the installation secret from a file that its owner
// alone (or his group) may read. A file that does not exist is made, with mode
// 0600, and so is its folder.
func LoadSecretFile(path string) (*Secret, error) {
	raws, err := readSecretFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeSecretFile(path); err == nil {
			raws, err = readSecretFile(path)
		}
	}
	if err != nil {
		return nil, err
	}
	return NewSecret(path, raws[0], raws[1:]...)
}

// RotateSecretFile puts a fresh secret before those in the file and returns
// all of them. Afterwards seal everything again with Guard.Reseal, give every
// node the file, and end with DropOldSecrets. A crash in between loses nothing.
func RotateSecretFile(path string) (*Secret, error) {
	raws, err := readSecretFile(path)
	if err != nil {
		return nil, err
	}
	fresh := make([]byte, SecretBytes)
	_, _ = rand.Read(fresh)
	raws = append([][]byte{fresh}, raws...)
	if err := replaceSecretFile(path, raws); err != nil {
		return nil, err
	}
	return NewSecret(path, raws[0], raws[1:]...)
}

// DropOldSecrets leaves only the sealing secret in the file.
func DropOldSecrets(path string) error {
	raws, err := readSecretFile(path)
	if err != nil || len(raws) == 1 {
		return err
	}
	return replaceSecretFile(path, raws[:1])
}

func readSecretFile(path string) ([][]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("installation secret: %w", err)
	}
	if info.Mode().Perm()&0o027 != 0 {
		return nil, fmt.Errorf("installation secret: %s may be read or written by others; run chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("installation secret: %w", err)
	}
	var raws [][]byte
	for n, line := range strings.Split(string(bytes.TrimRight(text, "\r\n")), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		code, ok := strings.CutPrefix(line, secretLine)
		raw, err := base64.RawURLEncoding.DecodeString(code)
		if !ok || err != nil || len(raw) != SecretBytes {
			return nil, fmt.Errorf("installation secret: line %d of %s is not a secret; put the file back from your copy", n+1, path)
		}
		raws = append(raws, raw)
	}
	if len(raws) == 0 {
		return nil, fmt.Errorf("installation secret: %s holds no secret; put the file back from your copy, or remove it if this installation is new", path)
	}
	return raws, nil
}

// makeSecretFile writes a fresh secret. Of two processes that start at once
// one wins, and both then read the winner's.
func makeSecretFile(path string) error {
	fresh := make([]byte, SecretBytes)
	_, _ = rand.Read(fresh)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("installation secret: %w", err)
	}
	temp, err := writeSecretFile(path, [][]byte{fresh})
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp) }()
	if err := os.Link(temp, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("installation secret: %w", err)
	}
	return syncFolder(path)
}

func replaceSecretFile(path string, raws [][]byte) error {
	temp, err := writeSecretFile(path, raws)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		_ = os.Remove(temp)
		return fmt.Errorf("installation secret: %w", err)
	}
	return syncFolder(path)
}

// writeSecretFile writes a synced file beside path and returns its name.
func writeSecretFile(path string, raws [][]byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("installation secret: %w", err)
	}
	var text strings.Builder
	text.WriteString(secretHead)
	for _, raw := range raws {
		text.WriteString(secretLine + base64.RawURLEncoding.EncodeToString(raw) + "\n")
	}
	_, err = f.WriteString(text.String())
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		_ = os.Remove(f.Name())
		return "", fmt.Errorf("installation secret: %w", err)
	}
	return f.Name(), nil
}

func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("installation secret: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
