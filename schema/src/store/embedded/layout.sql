-- The layout of the embedded store without the rollups (rollups.sql), the index by title (titles.sql) and the views
-- (views.sql): a page is stored once, and each table of the design is a narrow index in that table's order. Numbers as text
-- where they decide an order, as in tables.cql.

CREATE TABLE schema_version (version INTEGER NOT NULL);

CREATE TABLE domain_names (domain_no INTEGER PRIMARY KEY, domain TEXT NOT NULL UNIQUE, wiki TEXT NOT NULL);
CREATE TABLE wiki_names (wiki_no INTEGER PRIMARY KEY, wiki TEXT NOT NULL UNIQUE);
CREATE TABLE user_names (name_no INTEGER PRIMARY KEY, user_name TEXT NOT NULL UNIQUE);
CREATE TABLE hours (hour INTEGER PRIMARY KEY, date_hour TEXT NOT NULL UNIQUE);

-- An event's id that is a UUID is stored as the 16 bytes of it, any other as its text.
CREATE TABLE pages (
    page_no INTEGER PRIMARY KEY,
    page_id INTEGER NOT NULL, user_id INTEGER NOT NULL, name_no INTEGER NOT NULL,
    domain_no INTEGER NOT NULL, wiki_no INTEGER NOT NULL,
    created_at INTEGER NOT NULL, namespace INTEGER NOT NULL, is_redirect INTEGER NOT NULL, is_bot INTEGER NOT NULL,
    rev_id INTEGER NOT NULL, version INTEGER NOT NULL, event_id TEXT, page_title TEXT NOT NULL
);

-- The tables.
CREATE TABLE id_index (
    page_id TEXT NOT NULL, domain_no INTEGER NOT NULL, created_at INTEGER NOT NULL, page_no INTEGER NOT NULL,
    PRIMARY KEY (page_id, domain_no)
) WITHOUT ROWID;
CREATE TABLE user_index (
    user_id TEXT NOT NULL, created_at INTEGER NOT NULL, page_id TEXT NOT NULL, domain TEXT NOT NULL,
    page_no INTEGER NOT NULL,
    PRIMARY KEY (user_id, created_at DESC, page_id DESC, domain DESC)
) WITHOUT ROWID;
CREATE TABLE domain_index (
    domain_no INTEGER NOT NULL, created_at INTEGER NOT NULL, page_id TEXT NOT NULL, page_no INTEGER NOT NULL,
    PRIMARY KEY (domain_no, created_at DESC, page_id DESC)
) WITHOUT ROWID;
CREATE TABLE time_index (
    hour INTEGER NOT NULL, user_id TEXT NOT NULL, created_at INTEGER NOT NULL, page_id TEXT NOT NULL,
    domain TEXT NOT NULL, page_no INTEGER NOT NULL,
    PRIMARY KEY (hour, user_id, created_at DESC, page_id DESC, domain DESC)
) WITHOUT ROWID;
CREATE TABLE user_name_index (
    name_no INTEGER NOT NULL, created_at INTEGER NOT NULL, domain TEXT NOT NULL, page_id TEXT NOT NULL,
    page_no INTEGER NOT NULL,
    PRIMARY KEY (name_no, created_at DESC, domain DESC, page_id DESC)
) WITHOUT ROWID;
-- An hour is a range of created_at: no column for it.
CREATE TABLE latest_index (
    created_at INTEGER NOT NULL, domain TEXT NOT NULL, page_id TEXT NOT NULL, page_no INTEGER NOT NULL,
    PRIMARY KEY (created_at DESC, domain DESC, page_id DESC)
) WITHOUT ROWID;

-- One account's pages, so that its reads do not depend on the accounts with its number on other wikis.
CREATE TABLE account_index (
    user_id TEXT NOT NULL, domain_no INTEGER NOT NULL, created_at INTEGER NOT NULL, page_id TEXT NOT NULL,
    page_no INTEGER NOT NULL,
    PRIMARY KEY (user_id, domain_no, created_at DESC, page_id DESC)
) WITHOUT ROWID;
CREATE TABLE pipeline_records (
    kind TEXT NOT NULL, record_key TEXT NOT NULL, payload BLOB NOT NULL,
    PRIMARY KEY (kind, record_key)
);
