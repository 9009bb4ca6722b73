-- What is new in version 2 of the layout: accounts, and how many pages there are. Run for a new store after layout.sql,
-- and alone for a store of version 1.

-- The accounts and the names they ever had: a row each.
CREATE TABLE accounts (
    account_no INTEGER PRIMARY KEY, name_no INTEGER NOT NULL, domain_no INTEGER NOT NULL, user_id TEXT NOT NULL,
    UNIQUE (name_no, domain_no, user_id)
);
CREATE INDEX names_of_account ON accounts (user_id, domain_no);

-- The rollups. `start` is a period's first hour; `unit` its length: 0 an hour, 1 a day, 2 a month, 3 a year. `kind` is
-- namespace * 4 + is_bot * 2 + is_redirect. `family` is a place in ProjectFamily::ALL.
CREATE TABLE total_counts (
    unit INTEGER NOT NULL, start INTEGER NOT NULL, family INTEGER NOT NULL, kind INTEGER NOT NULL,
    page_count INTEGER NOT NULL,
    PRIMARY KEY (unit, start, family, kind)
) WITHOUT ROWID;
CREATE TABLE domain_counts (
    unit INTEGER NOT NULL, start INTEGER NOT NULL, domain_no INTEGER NOT NULL, kind INTEGER NOT NULL,
    page_count INTEGER NOT NULL,
    PRIMARY KEY (unit, start, domain_no, kind)
) WITHOUT ROWID;
-- Changed by a group's first page of a period only: the count is not in it.
CREATE INDEX counts_of_domain ON domain_counts (domain_no, unit, start);
-- Of an account by hour and by month: what lies between is few hours.
CREATE TABLE user_counts (
    start INTEGER NOT NULL, account_no INTEGER NOT NULL, kind INTEGER NOT NULL, page_count INTEGER NOT NULL,
    PRIMARY KEY (start, account_no, kind)
) WITHOUT ROWID;
CREATE INDEX counts_of_account ON user_counts (account_no, start);
CREATE TABLE user_month_counts (
    account_no INTEGER NOT NULL, start INTEGER NOT NULL, kind INTEGER NOT NULL, page_count INTEGER NOT NULL,
    PRIMARY KEY (account_no, start, kind)
) WITHOUT ROWID;

-- The pages whose numbers are in a row here await counting: those of a store that had no rollups, or is being repaired.
CREATE TABLE uncounted (first_page_no INTEGER NOT NULL, last_page_no INTEGER NOT NULL, page_count INTEGER NOT NULL);
