-- Makes a database what version 1 of the layout left: the same pages, rollups by hour and wiki only, and these empty.
CREATE TABLE name_accounts (name_no INTEGER NOT NULL, domain_no INTEGER NOT NULL, user_id TEXT NOT NULL,
    PRIMARY KEY (name_no, domain_no, user_id)) WITHOUT ROWID;
INSERT INTO name_accounts SELECT name_no, domain_no, user_id FROM accounts;
CREATE TABLE hour_counts (hour INTEGER NOT NULL, domain_no INTEGER NOT NULL, namespace INTEGER NOT NULL,
    is_bot INTEGER NOT NULL, is_redirect INTEGER NOT NULL, page_count INTEGER NOT NULL,
    PRIMARY KEY (hour, domain_no, namespace, is_bot, is_redirect)) WITHOUT ROWID;
CREATE INDEX domain_hours ON hour_counts (domain_no, hour);
DROP TABLE accounts;
DROP TABLE total_counts;
DROP TABLE domain_counts;
DROP TABLE user_counts;
DROP TABLE user_month_counts;
DROP TABLE uncounted;
DROP TABLE title_index;
DROP TABLE unindexed;
UPDATE schema_version SET version = 1;
