-- The table of rules, for many nodes, and what keeps count of its changes.
-- All of it may be run again; what is there stays.

CREATE TABLE IF NOT EXISTS listener_domains (
    section text NOT NULL DEFAULT '',  -- '' is the general part, else IP:PORT
    domain text NOT NULL,              -- example.com, *.example.com or *
    relay_to boolean,                  -- NULL, here and below: the option is not given
    relay_from text[],
    relay_from_authz text[],
    log_oob text,                      -- true, false, Ignore, LogThenDrop or LogThenRelay
    log_arf text,
    inherit boolean,
    PRIMARY KEY (section, domain)
);

CREATE TABLE IF NOT EXISTS listener_domains_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL,
    whole_since bigint NOT NULL
);
INSERT INTO listener_domains_version VALUES (true, 1, 1) ON CONFLICT DO NOTHING;

-- One row for each key that ever changed, with the version that changed it last.
CREATE TABLE IF NOT EXISTS listener_domains_changes (
    section text NOT NULL,
    domain text NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (section, domain)
);
CREATE INDEX IF NOT EXISTS listener_domains_changes_version ON listener_domains_changes (version);

CREATE OR REPLACE FUNCTION listener_domains_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    latest bigint;
    is_long boolean := true;
BEGIN
    -- Whoever counts holds this row until the commit: versions are in the order of the commits.
    UPDATE listener_domains_version SET version = version + 1 RETURNING version INTO latest;
    IF TG_OP <> 'TRUNCATE' THEN
        is_long := (SELECT count(*) > 50000 FROM touched);
    END IF;
    IF is_long THEN
        UPDATE listener_domains_version SET whole_since = latest;
        DELETE FROM listener_domains_changes;
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO listener_domains_changes SELECT section, domain, latest FROM former
            ON CONFLICT (section, domain) DO UPDATE SET version = EXCLUDED.version;
    END IF;
    INSERT INTO listener_domains_changes SELECT section, domain, latest FROM touched
        ON CONFLICT (section, domain) DO UPDATE SET version = EXCLUDED.version;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER listener_domains_insert AFTER INSERT ON listener_domains
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION listener_domains_changed();
CREATE OR REPLACE TRIGGER listener_domains_update AFTER UPDATE ON listener_domains
    REFERENCING OLD TABLE AS former NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION listener_domains_changed();
CREATE OR REPLACE TRIGGER listener_domains_delete AFTER DELETE ON listener_domains
    REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION listener_domains_changed();
CREATE OR REPLACE TRIGGER listener_domains_truncate AFTER TRUNCATE ON listener_domains
    FOR EACH STATEMENT EXECUTE FUNCTION listener_domains_changed();
