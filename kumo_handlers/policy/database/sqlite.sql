-- The table of rules, for the processes of one machine, and what keeps count of its changes.
-- All of it may be run again; what is there stays.

CREATE TABLE IF NOT EXISTS listener_domains (
    -- '' is the general part, else IP:PORT
    section TEXT NOT NULL DEFAULT '' CHECK (typeof(section) = 'text'),
    -- example.com, *.example.com or *
    domain TEXT NOT NULL CHECK (typeof(domain) = 'text'),
    relay_to INTEGER CHECK (relay_to IN (0, 1)),  -- NULL, here and below: it is not given
    relay_from TEXT CHECK (json_type(relay_from) = 'array'),
    relay_from_authz TEXT CHECK (json_type(relay_from_authz) = 'array'),
    log_oob TEXT,                      -- true, false, Ignore, LogThenDrop or LogThenRelay
    log_arf TEXT,
    inherit INTEGER CHECK (inherit IN (0, 1)),
    PRIMARY KEY (section, domain)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS listener_domains_version (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version INTEGER NOT NULL,
    whole_since INTEGER NOT NULL,
    is_listing INTEGER NOT NULL  -- 0 only inside an import of very many rows
);
INSERT OR IGNORE INTO listener_domains_version VALUES (1, 1, 1, 1);

-- One row for each key that ever changed, with the version that changed it last.
CREATE TABLE IF NOT EXISTS listener_domains_changes (
    section TEXT NOT NULL,
    domain TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (section, domain)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS listener_domains_changes_version ON listener_domains_changes (version);

CREATE TRIGGER IF NOT EXISTS listener_domains_insert AFTER INSERT ON listener_domains
WHEN (SELECT is_listing FROM listener_domains_version) BEGIN
    UPDATE listener_domains_version SET version = version + 1;
    INSERT INTO listener_domains_changes
        SELECT NEW.section, NEW.domain, version FROM listener_domains_version WHERE true
        ON CONFLICT (section, domain) DO UPDATE SET version = excluded.version;
END;
CREATE TRIGGER IF NOT EXISTS listener_domains_update AFTER UPDATE ON listener_domains
WHEN (SELECT is_listing FROM listener_domains_version) BEGIN
    UPDATE listener_domains_version SET version = version + 1;
    INSERT INTO listener_domains_changes
        SELECT OLD.section, OLD.domain, version FROM listener_domains_version WHERE true
        ON CONFLICT (section, domain) DO UPDATE SET version = excluded.version;
    INSERT INTO listener_domains_changes
        SELECT NEW.section, NEW.domain, version FROM listener_domains_version WHERE true
        ON CONFLICT (section, domain) DO UPDATE SET version = excluded.version;
END;
CREATE TRIGGER IF NOT EXISTS listener_domains_delete AFTER DELETE ON listener_domains
WHEN (SELECT is_listing FROM listener_domains_version) BEGIN
    UPDATE listener_domains_version SET version = version + 1;
    INSERT INTO listener_domains_changes
        SELECT OLD.section, OLD.domain, version FROM listener_domains_version WHERE true
        ON CONFLICT (section, domain) DO UPDATE SET version = excluded.version;
END;
