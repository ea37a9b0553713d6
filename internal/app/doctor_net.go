package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/config"
)

// lookFor bounds each question over the network.
const lookFor = 5 * time.Second

// server asks the running server, or whether one could start.
func (d *doctor) server(ctx context.Context) {
	base := d.cfg.ExternalURL()
	running, isRunning := readNotice(d.cfg.DataDir)
	if isRunning {
		base = running.URL
	}
	client := &http.Client{Timeout: lookFor}
	status, body, _, err := ask(ctx, client, base+"/health/ready", "")
	switch {
	case err == nil && status == http.StatusOK:
		d.ok("server", "The server at %s is running and ready.", base)
	case err == nil && status == http.StatusServiceUnavailable:
		d.fail("server", "Its log says more.", "The server at %s is running but not ready: %s.", base, body)
	case err == nil:
		d.fail("server", "Check public_url and the proxy in front.", "%s answers, but not as ScaiGrid does (status %d).", base, status)
	case isRunning:
		d.warn("server", "If it is not running: scaigrid serve", "A server was started at %s but does not answer there.", base)
	default:
		d.port(ctx)
	}
}

func (d *doctor) port(ctx context.Context) {
	ln, err := listen(ctx, d.cfg.Addr, "addr")
	if err != nil {
		d.fail("server", "", "%s", sentence(err))
		return
	}
	_ = ln.Close()
	d.ok("server", "No server is running; the address %s is free.", d.cfg.Addr)
}

// soonExpired is when a certificate should have been renewed.
const soonExpired = 14 * 24 * time.Hour

func (d *doctor) certificate() {
	if d.cfg.TLSCert == "" {
		return
	}
	pair, err := tls.LoadX509KeyPair(d.cfg.TLSCert, d.cfg.TLSKey)
	if err != nil {
		d.fail("tls", "Check tls_cert and tls_key.", "The certificate and its key do not work together: %v.", err)
		return
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		d.fail("tls", "", "The certificate %s can't be read: %v.", d.cfg.TLSCert, err)
		return
	}
	switch left := leaf.NotAfter.Sub(d.clock()); {
	case left <= 0:
		d.fail("tls", "Renew it; the server takes the new file by itself.", "The certificate ended on %s.", leaf.NotAfter.Format(time.DateOnly))
	case left < soonExpired:
		d.warn("tls", "Renew it; the server takes the new file by itself.", "The certificate ends on %s.", leaf.NotAfter.Format(time.DateOnly))
	default:
		d.ok("tls", "The certificate is valid until %s.", leaf.NotAfter.Format(time.DateOnly))
	}
}

// providers asks each provider for its models, and its clock for the time.
func (d *doctor) providers(ctx context.Context) {
	all := d.cfg.AllProviders()
	if len(all) == 0 {
		d.ok("models", "No model provider is set; %s answers.", scaigrid.ExtractiveModel)
	}
	for i := range all {
		d.provider(ctx, &all[i])
	}
}

func (d *doctor) provider(ctx context.Context, p *config.Provider) {
	base := strings.TrimRight(p.BaseURL, "/")
	if base == "" {
		base = "https://api.openai.com/v1"
	}
	client := &http.Client{Timeout: lookFor}
	status, _, date, err := ask(ctx, client, base+"/models", p.APIKey.Reveal())
	switch {
	case err != nil:
		d.fail("models", "Check its base_url and that it runs.", "The provider %s can't be reached: %s.", p.Name, reason(err))
		return
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		d.fail("models", "Check its api_key.", "The provider %s refuses the key (status %d).", p.Name, status)
	case status == http.StatusNotFound:
		d.warn("models", "Check that base_url ends with its version path, such as /v1.", "The provider %s answers but has no list of models.", p.Name)
	case status >= 300:
		d.warn("models", "", "The provider %s answers with status %d.", p.Name, status)
	default:
		d.ok("models", "The provider %s answers and takes the key.", p.Name)
	}
	if off := date.Sub(d.clock()).Abs(); !date.IsZero() && off > time.Minute {
		d.warn("clock", "Let the machine keep its time (NTP): tokens are judged by it.", "This machine's clock differs from the provider %s by %s.", p.Name, off.Round(time.Second))
	}
}

// ask gets an address. What it returns of the body is a line for a person.
func ask(ctx context.Context, client *http.Client, url, key string) (status int, body string, date time.Time, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", date, err
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", date, err
	}
	defer func() { _ = res.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 500))
	date, _ = http.ParseTime(res.Header.Get("Date"))
	return res.StatusCode, strings.Join(strings.Fields(string(text)), " "), date, nil
}

// reason leaves out the method and address that net/http puts before an error.
func reason(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil || !strings.Contains(err.Error(), "://") {
			return err.Error()
		}
		err = inner
	}
}

// sentence is an error as a line of a report.
func sentence(err error) string {
	var e *scaigrid.Error
	text := err.Error()
	if errors.As(err, &e) {
		text = e.Message
		if e.Cause != nil {
			text = fmt.Sprintf("%s (%v)", text, e.Cause)
		}
	}
	if text != "" {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, ")") {
		text += "."
	}
	return text
}
