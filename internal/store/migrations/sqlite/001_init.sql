-- The first schema. Times are microseconds since 1970 UTC, JSON is text, ids
-- are text with their kind in front. Foreign keys stand where rows are few;
-- the rows of a turn are held together by the transactions that write them.

-- +goose Up
-- "Scai": tells our file from any other.
PRAGMA application_id = 1399021929;

-- One value per name that belongs to the whole installation.
CREATE TABLE installation (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

-- Numbers handed out in commit order, which sequences do not promise.
CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  n    BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO counters (name, n) VALUES ('revocation', 0);

-- Customers of the installation.
CREATE TABLE tenants (
  id         TEXT PRIMARY KEY,
  slug       TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

-- People of a tenant's staff.
CREATE TABLE users (
  id         TEXT PRIMARY KEY,
  tenant_id  TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  email      TEXT NOT NULL,
  name       TEXT NOT NULL,
  role       TEXT NOT NULL,             -- tenant_admin, tenant_user, tenant_viewer or agent
  created_at BIGINT NOT NULL
);
CREATE INDEX users_tenant ON users (tenant_id, created_at, id);

-- Credentials for scripts and servers. The secret is not here, only its digest.
CREATE TABLE api_keys (
  id           TEXT PRIMARY KEY,
  tenant_id    TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name         TEXT NOT NULL,
  prefix       TEXT NOT NULL,           -- what may be shown of the key
  public_id    TEXT NOT NULL UNIQUE,    -- by which a key that is shown is found
  digest       BLOB NOT NULL,
  permissions  TEXT NOT NULL,           -- JSON list
  bot_ids      TEXT NOT NULL,           -- JSON list; empty: every bot of the tenant
  expires_at   BIGINT,
  last_used_at BIGINT,                  -- to the minute
  revoked_at   BIGINT,
  created_at   BIGINT NOT NULL
);
CREATE INDEX api_keys_tenant ON api_keys (tenant_id, created_at, id);
CREATE INDEX api_keys_user ON api_keys (user_id);

-- Keys that sign embed tokens.
CREATE TABLE signing_keys (
  id         TEXT PRIMARY KEY,
  sealed     BLOB NOT NULL,             -- sealed by the installation secret
  created_at BIGINT NOT NULL,
  retired_at BIGINT                     -- still verifies, signs no more
);

-- Embed tokens that were ended before their time.
CREATE TABLE revocations (
  id         BIGINT PRIMARY KEY,        -- from counters: grows in the order of commits
  tenant_id  TEXT NOT NULL,
  bot_id     TEXT NOT NULL,
  token_id   TEXT NOT NULL,             -- '' where it is not about one token
  visitor_id TEXT NOT NULL,             -- '' where it is not about one visitor
  at         BIGINT NOT NULL,
  until      BIGINT NOT NULL            -- no token that it ends can live longer
);
CREATE INDEX revocations_until ON revocations (until);

CREATE TABLE bots (
  id                TEXT PRIMARY KEY,
  tenant_id         TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  slug              TEXT NOT NULL,
  status            TEXT NOT NULL,      -- draft, active or archived
  version           BIGINT NOT NULL,    -- grows with every change
  config            TEXT NOT NULL,      -- JSON: everything an operator sets
  knowledge_version BIGINT NOT NULL,    -- grows when its documents change
  created_at        BIGINT NOT NULL,
  updated_at        BIGINT NOT NULL
);
CREATE UNIQUE INDEX bots_slug ON bots (tenant_id, slug);
CREATE INDEX bots_tenant ON bots (tenant_id, created_at, id);

-- What a bot was after each of its changes.
CREATE TABLE bot_versions (
  bot_id  TEXT NOT NULL REFERENCES bots (id) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  status  TEXT NOT NULL,
  config  TEXT NOT NULL,                -- JSON
  by_user TEXT NOT NULL,                -- user id; '' for the system
  at      BIGINT NOT NULL,
  PRIMARY KEY (bot_id, version)
);

-- People or browsers that talk with a bot. Only what the site vouched for is here.
CREATE TABLE visitors (
  id          TEXT PRIMARY KEY,
  tenant_id   TEXT NOT NULL,
  bot_id      TEXT NOT NULL,
  external_id TEXT,                     -- the site's own id; NULL for an anonymous visitor
  email       TEXT,
  name        TEXT,
  metadata    TEXT,                     -- JSON; NULL where the site gave none
  key_hash    BLOB,                     -- of the browser's key; NULL for a verified visitor
  key_dead    BOOLEAN NOT NULL,         -- the key was joined to a verified visitor and opens nothing
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX visitors_external ON visitors (bot_id, external_id);
CREATE UNIQUE INDEX visitors_key ON visitors (bot_id, key_hash);
CREATE INDEX visitors_tenant ON visitors (tenant_id, external_id);

CREATE TABLE conversations (
  id                TEXT PRIMARY KEY,
  tenant_id         TEXT NOT NULL,
  bot_id            TEXT NOT NULL,
  visitor_id        TEXT NOT NULL,      -- whose it is, as the token said
  status            TEXT NOT NULL,      -- open, waiting, human or closed
  claimed           TEXT,               -- JSON: what the page said of its visitor, never proof
  metadata          TEXT,               -- JSON: the visitor's, when the conversation began
  page              TEXT,               -- JSON: where the visitor last wrote
  locale            TEXT NOT NULL,
  preview           BOOLEAN NOT NULL,   -- by a preview token: not counted
  escalated         BOOLEAN NOT NULL,
  rating            TEXT NOT NULL,      -- newest given: up, down or ''
  message_count     BIGINT NOT NULL,    -- rows in messages; also the newest seq
  prompt_tokens     BIGINT NOT NULL,
  completion_tokens BIGINT NOT NULL,
  cost              REAL NOT NULL,
  created_at        BIGINT NOT NULL,
  updated_at        BIGINT NOT NULL     -- the last thing said
);
CREATE INDEX conversations_tenant ON conversations (tenant_id, created_at, id);
CREATE INDEX conversations_bot ON conversations (bot_id, created_at, id);
CREATE INDEX conversations_visitor ON conversations (visitor_id, created_at, id);

CREATE TABLE messages (
  id                TEXT PRIMARY KEY,
  conversation_id   TEXT NOT NULL,
  seq               BIGINT NOT NULL,    -- place in the conversation, from 1
  turn_id           TEXT NOT NULL,      -- the newest turn that is about this message
  role              TEXT NOT NULL,      -- user, assistant, agent or system
  status            TEXT NOT NULL,      -- complete, streaming, stopped, interrupted, failed or withdrawn
  content           TEXT NOT NULL,
  bot_id            TEXT,               -- this and the next two: NULL where the caller does not retry
  visitor_id        TEXT,
  client_message_id TEXT,               -- by which a retry is known
  citations         TEXT,               -- JSON
  passages          TEXT,               -- JSON
  prompt_tokens     BIGINT,             -- NULL where the provider did not say
  completion_tokens BIGINT,
  model             TEXT,
  first_token_ms    BIGINT,
  latency_ms        BIGINT,
  answered          BOOLEAN,
  confidence        REAL,
  error             TEXT,               -- JSON
  rating            TEXT NOT NULL,      -- up, down or ''
  comment           TEXT NOT NULL,
  created_at        BIGINT NOT NULL
);
CREATE UNIQUE INDEX messages_order ON messages (conversation_id, seq);
CREATE UNIQUE INDEX messages_retry ON messages (bot_id, visitor_id, client_message_id)
  WHERE client_message_id IS NOT NULL;

CREATE TABLE turns (
  id              TEXT PRIMARY KEY,
  tenant_id       TEXT NOT NULL,
  bot_id          TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  visitor_id      TEXT NOT NULL,
  message_id      TEXT NOT NULL,        -- the visitor's message
  reply_id        TEXT NOT NULL,        -- our answer
  anonymous       BOOLEAN NOT NULL,     -- counts against the bot's limit for anonymous visitors
  preview         BOOLEAN NOT NULL,
  state           TEXT NOT NULL,        -- running or done
  epoch           BIGINT NOT NULL,      -- grows when a finished turn goes on
  node            TEXT NOT NULL,        -- owner while it runs
  lease_until     BIGINT NOT NULL,      -- then the owner is taken for dead
  stop_requested  BOOLEAN NOT NULL,
  retryable       BOOLEAN NOT NULL,     -- a retry of the message begins a new turn
  marks           TEXT NOT NULL,        -- JSON: named events of its stream
  finish_reason   TEXT NOT NULL,
  steps           TEXT,                 -- JSON: time spent in each room
  created_at      BIGINT NOT NULL,
  finished_at     BIGINT
);
-- One running turn in a conversation; also how the running ones are found.
CREATE UNIQUE INDEX turns_running ON turns (conversation_id) WHERE state = 'running';

-- What turns cost. Stays when the conversation is deleted, and so do the limits.
CREATE TABLE usage (
  tenant_id         TEXT NOT NULL,
  day               BIGINT NOT NULL,    -- UTC, as yyyymmdd
  turn_id           TEXT NOT NULL,
  epoch             BIGINT NOT NULL,
  bot_id            TEXT NOT NULL,
  model             TEXT NOT NULL,
  anonymous         BOOLEAN NOT NULL,
  preview           BOOLEAN NOT NULL,
  prompt_tokens     BIGINT NOT NULL,
  completion_tokens BIGINT NOT NULL,
  cost              REAL NOT NULL,
  created_at        BIGINT NOT NULL,    -- when the turn began
  PRIMARY KEY (tenant_id, day, turn_id, epoch)
) WITHOUT ROWID;
CREATE INDEX usage_bot ON usage (bot_id, created_at, anonymous, prompt_tokens, completion_tokens);

CREATE TABLE documents (
  id            TEXT PRIMARY KEY,
  tenant_id     TEXT NOT NULL,
  bot_id        TEXT NOT NULL REFERENCES bots (id) ON DELETE CASCADE,
  name          TEXT NOT NULL,
  source        TEXT NOT NULL,          -- file, text, url or qa
  media_type    TEXT NOT NULL,
  url           TEXT NOT NULL,          -- where citations lead; ''
  bytes         BIGINT NOT NULL,
  sha256        TEXT NOT NULL,          -- of the original bytes, hex
  status        TEXT NOT NULL,          -- uploaded, extracting, indexing, indexed or failed
  error         TEXT,                   -- JSON
  chunks        BIGINT NOT NULL,        -- in the published version
  pages         BIGINT,                 -- NULL for formats without pages
  progress      REAL NOT NULL,         -- 0–1
  metadata      TEXT,                   -- JSON
  version       BIGINT NOT NULL,        -- grows with every replacement and every reading anew
  published     BIGINT NOT NULL,        -- version that answers come from; 0: none yet
  lease_until   BIGINT,                 -- NULL: nothing to do; 0: waits for a worker; else one has it until then
  lease_span    BIGINT NOT NULL,        -- for how long a sign of life renews the lease, microseconds
  lease_node    TEXT NOT NULL,          -- who has it; 'upload' while its bytes arrive
  attempts      BIGINT NOT NULL,        -- how often a worker began on this version
  sweep_at      BIGINT,                 -- when passages of older versions may go; NULL: there are none
  created_at    BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL,
  indexed_at    BIGINT
);
CREATE INDEX documents_bot ON documents (bot_id, created_at, id);
CREATE INDEX documents_hash ON documents (bot_id, sha256);
CREATE INDEX documents_work ON documents (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX documents_sweep ON documents (sweep_at) WHERE sweep_at IS NOT NULL;

-- Original bytes, as they were uploaded, in parts so that a large one keeps nobody waiting.
CREATE TABLE document_blobs (
  document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  version     BIGINT NOT NULL,          -- of the document, when they came
  part        BIGINT NOT NULL,          -- from 0
  body        BLOB NOT NULL,
  PRIMARY KEY (document_id, version, part)
);

-- Passages. Only those of the document's published version count; those of the
-- version before stay for a minute, for answers that are being found in them.
CREATE TABLE chunks (
  id          TEXT NOT NULL,
  document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  version     BIGINT NOT NULL,
  position    BIGINT NOT NULL,          -- in the document, from 0
  title       TEXT NOT NULL,
  heading     TEXT NOT NULL,
  body        TEXT NOT NULL,
  terms       BLOB,                     -- analysed form; the knowledge room's own
  PRIMARY KEY (document_id, version, position)
);
CREATE INDEX chunks_id ON chunks (id);

-- Who changed what. Only ever added to.
CREATE TABLE audit_log (
  id        TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  at        BIGINT NOT NULL,
  user_id   TEXT NOT NULL,              -- '' for the system
  key_id    TEXT NOT NULL,              -- API key used; '' for a session
  action    TEXT NOT NULL,              -- such as bot.update
  object_id TEXT NOT NULL,
  details   TEXT                        -- JSON
);
CREATE INDEX audit_log_tenant ON audit_log (tenant_id, at, id);
