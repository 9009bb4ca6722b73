-- The index of pages by wiki and title, newest first; a title may be given again.
CREATE TABLE title_index (
    domain_no INTEGER NOT NULL, page_title TEXT NOT NULL, created_at INTEGER NOT NULL, page_id TEXT NOT NULL,
    page_no INTEGER NOT NULL,
    PRIMARY KEY (domain_no, page_title, created_at DESC, page_id DESC)
) WITHOUT ROWID;

-- The pages whose numbers are in a row here await their entry in it: those of a store that did not have it.
CREATE TABLE unindexed (first_page_no INTEGER NOT NULL, last_page_no INTEGER NOT NULL, page_count INTEGER NOT NULL);
