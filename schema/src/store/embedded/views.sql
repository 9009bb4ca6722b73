-- The documented tables, by their names and columns, for whoever opens the database with other tools. Made anew at each
-- upgrade.

DROP VIEW IF EXISTS domains;
DROP VIEW IF EXISTS pages_by_id;
DROP VIEW IF EXISTS pages_by_user;
DROP VIEW IF EXISTS pages_by_domain;
DROP VIEW IF EXISTS pages_by_time;
DROP VIEW IF EXISTS pages_by_user_name;
DROP VIEW IF EXISTS latest_pages;
DROP VIEW IF EXISTS page_rows;

-- `pages` with the text of each event's id.
CREATE VIEW page_rows AS
    SELECT page_no, page_id, user_id, name_no, domain_no, wiki_no, created_at, namespace, is_redirect, is_bot, rev_id,
        version, page_title,
        CASE typeof(event_id)
            WHEN 'blob' THEN lower(
                substr(hex(event_id), 1, 8) || '-' || substr(hex(event_id), 9, 4) || '-' || substr(hex(event_id), 13, 4)
                || '-' || substr(hex(event_id), 17, 4) || '-' || substr(hex(event_id), 21)
            )
            ELSE event_id
        END AS event_id
    FROM pages;

CREATE VIEW domains AS SELECT domain, wiki FROM domain_names ORDER BY domain;

CREATE VIEW pages_by_id AS
    SELECT i.page_id, d.domain, CAST(p.user_id AS TEXT) AS user_id, n.user_name, p.page_title,
        datetime(p.created_at, 'unixepoch') AS created_at,
        w.wiki, p.namespace, p.is_redirect, p.is_bot, p.rev_id, p.event_id
    FROM id_index i CROSS JOIN page_rows p USING (page_no) JOIN domain_names d ON d.domain_no = i.domain_no
        JOIN user_names n USING (name_no) JOIN wiki_names w USING (wiki_no)
    ORDER BY i.page_id, d.domain;

CREATE VIEW pages_by_user AS
    SELECT i.user_id, datetime(i.created_at, 'unixepoch') AS created_at, i.page_id, i.domain, n.user_name, p.page_title,
        w.wiki, p.namespace, p.is_redirect, p.is_bot, p.rev_id, p.event_id
    FROM user_index i CROSS JOIN page_rows p USING (page_no)
        JOIN user_names n USING (name_no) JOIN wiki_names w USING (wiki_no)
    ORDER BY i.user_id, i.created_at DESC, i.page_id DESC, i.domain DESC;

CREATE VIEW pages_by_domain AS
    SELECT d.domain, datetime(i.created_at, 'unixepoch') AS created_at, i.page_id,
        CAST(p.user_id AS TEXT) AS user_id, n.user_name, p.page_title,
        w.wiki, p.namespace, p.is_redirect, p.is_bot, p.rev_id, p.event_id
    FROM domain_names d CROSS JOIN domain_index i ON i.domain_no = d.domain_no CROSS JOIN page_rows p USING (page_no)
        JOIN user_names n USING (name_no) JOIN wiki_names w USING (wiki_no)
    ORDER BY d.domain, i.created_at DESC, i.page_id DESC;

CREATE VIEW pages_by_time AS
    SELECT h.date_hour, i.user_id, datetime(i.created_at, 'unixepoch') AS created_at, i.page_id, i.domain,
        n.user_name, p.page_title,
        w.wiki, p.namespace, p.is_redirect, p.is_bot, p.rev_id, p.event_id
    FROM hours h CROSS JOIN time_index i ON i.hour = h.hour CROSS JOIN page_rows p USING (page_no)
        JOIN user_names n USING (name_no) JOIN wiki_names w USING (wiki_no)
    ORDER BY h.date_hour, i.user_id, i.created_at DESC, i.page_id DESC, i.domain DESC;

CREATE VIEW pages_by_user_name AS
    SELECT n.user_name, datetime(i.created_at, 'unixepoch') AS created_at, i.domain, i.page_id,
        CAST(p.user_id AS TEXT) AS user_id, p.page_title,
        w.wiki, p.namespace, p.is_redirect, p.is_bot, p.rev_id, p.event_id
    FROM user_names n CROSS JOIN user_name_index i ON i.name_no = n.name_no CROSS JOIN page_rows p USING (page_no)
        JOIN wiki_names w USING (wiki_no)
    ORDER BY n.user_name, i.created_at DESC, i.domain DESC, i.page_id DESC;

CREATE VIEW latest_pages AS
    SELECT h.date_hour, datetime(i.created_at, 'unixepoch') AS created_at, i.domain, i.page_id,
        CAST(p.user_id AS TEXT) AS user_id, n.user_name, p.page_title,
        w.wiki, p.namespace, p.is_redirect, p.is_bot, p.rev_id, p.event_id
    FROM hours h CROSS JOIN latest_index i ON i.created_at >= h.hour * 3600 AND i.created_at < (h.hour + 1) * 3600
        CROSS JOIN page_rows p USING (page_no)
        JOIN user_names n USING (name_no) JOIN wiki_names w USING (wiki_no)
    ORDER BY h.date_hour, i.created_at DESC, i.domain DESC, i.page_id DESC;
