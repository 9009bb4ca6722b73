-- The layout of the embedded store without the rollups (rollups.sql) and the index by title (titles.sql): a page is
-- stored once, and each table of the design is a narrow index in that table's order. Numbers as text where they decide an
-- order, as in tables.cql. The views at the end have the documented names and columns.

CREATE TABLE schema_version (version INTEGER NOT NULL);

CREATE TABLE domain_names (domain_no INTEGER PRIMARY KEY, domain TEXT NOT NULL UNIQUE, wiki TEXT NOT NULL);
CREATE TABLE wiki_names (wiki_no INTEGER PRIMARY KEY, wiki TEXT NOT NULL UNIQUE);
CREATE TABLE user_names (name_no INTEGER PRIMARY KEY, user_name TEXT NOT NULL UNIQUE);
CREATE TABLE hours (hour INTEGER PRIMARY KEY, date_hour TEXT NOT NULL UNIQUE);

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

CREATE VIEW domains AS SELECT domain, wiki FROM domain_names ORDER BY domain;

CREATE VIEW pages_by_id AS
    SELECT i.page_id, d.domain, CAST(p.user_id AS TEXT) AS user_id, n.user_name, p.page_title,
        datetime(p.created_at, 'unixepoch') AS created_at,
        w.wiki, p.namespace, p.is_redirect, p.is_bot, p.rev_id, p.event_id
    FROM id_index i CROSS JOIN pages p USING (page_no) JOIN domain_names d ON d.domain_no = i.domain_no
        JOIN user_names n USING (name_no) JOIN wiki_names w USING (wiki_no)
    ORDER BY i.page_id, d.domain;

CREATE VIEW pages_by_user AS
    SELECT i.user_id, datetime(i.created_at, 'unixepoch') AS created_at, i.page_id, i.domain, n.user_name, p.page_title,
        w.wiki, p.namespace, p.is_redirect, p.is_bot, p.rev_id, p.event_id
    FROM user_index i CROSS JOIN pages p USING (page_no)
        JOIN user_names n USING (name_no) JOIN wiki_names w USING (wiki_no)
    ORDER BY i.user_id, i.created_at DESC, i.page_id DESC, i.domain DESC;

CREATE VIEW pages_by_domain AS
    SELECT d.domain, datetime(i.created_at, 'unixepoch') AS created_at, i.page_id,
        CAST(p.user_id AS TEXT) AS user_id, n.user_name, p.page_title,
        w.wiki, p.namespace, p.is_redirect, p.is_bot, p.rev_id, p.event_id
    FROM domain_names d CROSS JOIN domain_index i ON i.domain_no = d.domain_no CROSS JOIN pages p USING (page_no)
        JOIN user_names n USING (name_no) JOIN wiki_names w USING (wiki_no)
    ORDER BY d.domain, i.created_at DESC, i.page_id DESC;

CREATE VIEW pages_by_time AS
    SELECT h.date_hour, i.user_id, datetime(i.created_at, 'unixepoch') AS created_at, i.page_id, i.domain,
        n.user_name, p.page_title,
        w.wiki, p.namespace, p.is_redirect, p.is_bot, p.rev_id, p.event_id
    FROM hours h CROSS JOIN time_index i ON i.hour = h.hour CROSS JOIN pages p USING (page_no)
        JOIN user_names n USING (name_no) JOIN wiki_names w USING (wiki_no)
    ORDER BY h.date_hour, i.user_id, i.created_at DESC, i.page_id DESC, i.domain DESC;

CREATE VIEW pages_by_user_name AS
    SELECT n.user_name, datetime(i.created_at, 'unixepoch') AS created_at, i.domain, i.page_id,
        CAST(p.user_id AS TEXT) AS user_id, p.page_title,
        w.wiki, p.namespace, p.is_redirect, p.is_bot, p.rev_id, p.event_id
    FROM user_names n CROSS JOIN user_name_index i ON i.name_no = n.name_no CROSS JOIN pages p USING (page_no)
        JOIN wiki_names w USING (wiki_no)
    ORDER BY n.user_name, i.created_at DESC, i.domain DESC, i.page_id DESC;

CREATE VIEW latest_pages AS
    SELECT h.date_hour, datetime(i.created_at, 'unixepoch') AS created_at, i.domain, i.page_id,
        CAST(p.user_id AS TEXT) AS user_id, n.user_name, p.page_title,
        w.wiki, p.namespace, p.is_redirect, p.is_bot, p.rev_id, p.event_id
    FROM hours h CROSS JOIN latest_index i ON i.created_at >= h.hour * 3600 AND i.created_at < (h.hour + 1) * 3600
        CROSS JOIN pages p USING (page_no)
        JOIN user_names n USING (name_no) JOIN wiki_names w USING (wiki_no)
    ORDER BY h.date_hour, i.created_at DESC, i.domain DESC, i.page_id DESC;
