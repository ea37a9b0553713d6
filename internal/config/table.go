package config

// settings is the one table of all settings but providers, bound to the fields
// of c, in the order of the reference page.
func settings(c *Config) []Setting {
	var out []Setting
	for _, group := range []struct {
		name string
		of   func(*Config) []Setting
	}{
		{"Server", serverSettings},
		{"Storage", storageSettings},
		{"Logs", logsSettings},
		{"Models", modelsSettings},
		{"Limits", limitsSettings},
		{"Demo", demoSettings},
	} {
		for _, s := range group.of(c) {
			s.Group = group.name
			out = append(out, s.named())
		}
	}
	return out
}

func serverSettings(c *Config) []Setting {
	return []Setting{
		{
			Key: "addr", field: &c.Addr, Default: "127.0.0.1:8000", Unit: "host:port",
			Doc: "Where the server listens. The default is reachable from this machine alone; :8000 listens on every interface.",
		},
		{
			Key: "public_url", field: &c.PublicURL, Unit: "URL",
			Doc: "The address under which browsers reach this server, as it stands in snippets and links. Default: http:// " +
				"(https:// with TLS) and the listening address.",
		},
		{
			Key: "trusted_proxies", field: &c.TrustedProxies, Unit: "addresses or networks",
			Doc: "The proxies that may tell the client's address with X-Forwarded-For. Default: none; the address of the " +
				"connection counts.",
		},
		{
			Key: "tls_cert", field: &c.TLSCert, Unit: "path",
			Doc: "PEM file with the certificate and its chain, for an installation without a proxy. Needs tls_key.",
		},
		{
			Key: "tls_key", field: &c.TLSKey, Unit: "path",
			Doc: "PEM file with the certificate's private key. Needs tls_cert.",
		},
		{
			Key: "tls_acme", field: &c.TLSACME, Unit: "host names",
			Doc: "Host names for which a certificate is obtained and renewed over ACME (Let's Encrypt). Port 443 of this server " +
				"must be reachable from the internet; set addr to :443. The certificates are kept in the data folder.",
		},
		{
			Key: "shutdown_grace", field: &c.ShutdownGrace, Default: "25s", Unit: "duration",
			Doc: "How long running answers may go on after a stop was asked for, 0s–10m. Whatever runs then is recorded as " +
				"interrupted and can be resumed.",
		},
	}
}

func storageSettings(c *Config) []Setting {
	return []Setting{
		{
			Key: "data_dir", field: &c.DataDir, Default: "./data", Unit: "path",
			Doc: "The folder that holds everything: the database, the installation secret, certificates. Made at the first start, " +
				"readable by its owner alone.",
		},
		{
			Key: "database_url", field: &c.DatabaseURL, Unit: "URL",
			Doc: "postgres://… to share one PostgreSQL database between several nodes. Default: SQLite in the data folder.",
		},
		{
			Key: "secret_file", field: &c.SecretFile, Unit: "path",
			Doc: "The installation secret, which seals signing keys and stored credentials. Every node of one database needs the " +
				"same. Default: secret in the data folder, made at the first start.",
		},
	}
}

func logsSettings(c *Config) []Setting {
	return []Setting{
		{
			Key: "log_level", field: &c.LogLevel, Default: "info", Unit: "debug, info, warn or error",
			Doc: "The least important lines that are logged, to standard error. No level logs a token, a key, a message or an " +
				"e-mail address.",
		},
		{
			Key: "log_format", field: &c.LogFormat, Default: "text", Unit: "text or json",
			Doc: "How lines are written.",
		},
	}
}

func modelsSettings(c *Config) []Setting {
	return []Setting{
		{
			Key: "openai_api_key", field: &c.OpenAIAPIKey, Env: "OPENAI_API_KEY", Unit: "key",
			Doc: "Key of the provider named openai. It or openai_base_url is enough to make openai/… models usable.",
		},
		{
			Key: "openai_base_url", field: &c.OpenAIBaseURL, Env: "OPENAI_BASE_URL", Unit: "URL",
			Doc: "Base address of any server that speaks the OpenAI protocol, with its version path. Default: " +
				"https://api.openai.com/v1.",
		},
		{
			Key: "openai_models", field: &c.OpenAIModels, Env: "OPENAI_MODELS", Unit: "names",
			Doc: "The models that openai may be asked for. Default: any name.",
		},
	}
}

func limitsSettings(c *Config) []Setting {
	return []Setting{
		{
			Key: "limits", field: &c.Limits, Default: "on", Unit: "on or off",
			Doc: "off ends all request limits, for tests and benchmarks. Never on a server that others can reach.",
		},
		{
			Key: "limit_key_minute", field: &c.LimitKeyMinute, Default: "60", Unit: "requests a minute",
			Doc: "Management calls of one API key.",
		},
		{
			Key: "limit_user_minute", field: &c.LimitUserMinute, Default: "120", Unit: "requests a minute",
			Doc: "Management calls of one user, over all keys.",
		},
		{
			Key: "limit_tenant_minute", field: &c.LimitTenantMinute, Default: "1000", Unit: "requests a minute",
			Doc: "Management calls of one tenant, over all users.",
		},
		{
			Key: "limit_mint_minute", field: &c.LimitMintMinute, Default: "6000", Unit: "requests a minute",
			Doc: "Embed tokens minted with one API key. Counted apart, so that a busy site never starves its own administration.",
		},
		{
			Key: "limit_visitor_minute", field: &c.LimitVisitorMinute, Default: "20", Unit: "turns a minute",
			Doc: "Turns of one visitor. A bot's limits may set another number.",
		},
		{
			Key: "limit_visitor_day", field: &c.LimitVisitorDay, Default: "200", Unit: "turns a day",
			Doc: "Turns of one visitor. A bot's limits may set another number.",
		},
		{
			Key: "limit_address_minute", field: &c.LimitAddressMinute, Default: "60", Unit: "turns a minute",
			Doc: "Turns of all anonymous visitors behind one client address.",
		},
		{
			Key: "limit_anonymous_minute", field: &c.LimitAnonymousMinute, Default: "300", Unit: "requests a minute",
			Doc: "Requests without a valid credential from one client address.",
		},
		{
			Key: "limit_token_minute", field: &c.LimitTokenMinute, Default: "3000", Unit: "requests a minute",
			Doc: "Chat calls other than turns with one embed token. A static token is shared by all visitors of a site.",
		},
		{
			Key: "limit_bot_daily_turns", field: &c.LimitBotDailyTurns, Default: "20000", Unit: "turns a day",
			Doc: "Turns of all anonymous visitors of one bot. A bot's limits may set another number; 0 means no limit.",
		},
		{
			Key: "limit_bot_daily_tokens", field: &c.LimitBotDailyTokens, Default: "0", Unit: "tokens a day",
			Doc: "Model tokens that one bot may use. A bot's limits may set another number; 0 means no limit.",
		},
	}
}

func demoSettings(c *Config) []Setting {
	return []Setting{
		{
			Key: "demo_addr", field: &c.DemoAddr, Default: "localhost:8001", Unit: "host:port",
			Doc: "Where serve --demo puts the sample site. Another host name than addr, so that it is another site to a browser.",
		},
	}
}
