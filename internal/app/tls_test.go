package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// certificate writes a self-signed certificate for 127.0.0.1 and its key.
func certificate(t *testing.T, dir string, serial int64, until time.Time) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &priv.PublicKey, priv)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	plant(t, dir, map[string]string{
		"cert.pem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		"key.pem":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})),
	})
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(leaf)
	return cert, key, pool
}

func TestServesHTTPS(t *testing.T) {
	cert, key, pool := certificate(t, t.TempDir(), 1, time.Now().Add(time.Hour))
	p := launch(t, t.TempDir(), map[string]string{"tls_cert": cert, "tls_key": key})
	if !strings.HasPrefix(p.url, "https://127.0.0.1:") {
		t.Fatal(p.url)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	res, err := client.Get(p.url + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if body, _ := io.ReadAll(res.Body); res.ProtoMajor != 2 || !strings.Contains(string(body), "ok") {
		t.Errorf("%s %s", res.Proto, body)
	}
}

// A renewed certificate is taken without a restart; one that does not work
// leaves the old one in place.
func TestRenewedCertificateIsTaken(t *testing.T) {
	dir := t.TempDir()
	cert, key, _ := certificate(t, dir, 1, time.Now().Add(time.Hour))
	now := time.Now()
	c := &certificateFile{cert: cert, key: key, log: slog.New(slog.DiscardHandler), clock: func() time.Time { return now }}
	if err := c.load(); err != nil {
		t.Fatal(err)
	}
	serial := func() string {
		t.Helper()
		now = now.Add(lookEvery)
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return leaf.SerialNumber.String()
	}
	if s := serial(); s != "1" {
		t.Error(s)
	}
	plant(t, dir, map[string]string{"cert.pem": "half a file"})
	touch(t, cert, now.Add(time.Minute))
	if s := serial(); s != "1" {
		t.Errorf("after a broken file: %s", s)
	}
	certificate(t, dir, 2, time.Now().Add(time.Hour))
	touch(t, cert, now.Add(2*time.Minute))
	if s := serial(); s != "2" {
		t.Errorf("after the renewal: %s", s)
	}
}

func touch(t *testing.T, file string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}

// Over ACME only the hosts that were named get a certificate, and the
// challenge is answered on the same port.
func TestACMEAnswersForItsHostsAlone(t *testing.T) {
	cfg := settings(t, t.TempDir(), map[string]string{"tls_acme": "chat.example.com, b.example.com"})
	c, err := newTLS(&cfg.Config, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(c.NextProtos, "acme-tls/1") || c.MinVersion != tls.VersionTLS12 {
		t.Errorf("%v %x", c.NextProtos, c.MinVersion)
	}
	if _, err := c.GetCertificate(&tls.ClientHelloInfo{ServerName: "other.example.com"}); err == nil || !strings.Contains(err.Error(), "not configured") {
		t.Errorf("another host: %v", err)
	}
}
