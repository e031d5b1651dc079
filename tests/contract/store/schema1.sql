BEGIN TRANSACTION;
CREATE TABLE changes (
	tenant TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	record_no BIGINT NOT NULL, 
	op TEXT NOT NULL, 
	run BIGINT NOT NULL, 
	at BIGINT NOT NULL, 
	"before" TEXT, 
	PRIMARY KEY (tenant, seq)
)
 WITHOUT ROWID

;
INSERT INTO "changes" VALUES('default',1,1,'added',1,1772366400000,NULL);
INSERT INTO "changes" VALUES('default',2,2,'added',1,1772366400000,NULL);
INSERT INTO "changes" VALUES('default',3,3,'added',1,1772366400000,NULL);
INSERT INTO "changes" VALUES('default',4,1,'changed',2,1772366400000,'{"name": "Ada"}');
INSERT INTO "changes" VALUES('default',5,2,'deleted',2,1772366400000,'{"name": "it''s \u00e4"}');
INSERT INTO "changes" VALUES('other',1,4,'added',3,1772366400000,NULL);
CREATE TABLE claims (
	tenant TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	holder TEXT NOT NULL, 
	fence BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	PRIMARY KEY (tenant, kind, "key")
)
 WITHOUT ROWID

;
INSERT INTO "claims" VALUES('default','run','koha/patrons','',2,0);
INSERT INTO "claims" VALUES('other','run','koha/patrons','n1:a',1,1772366700000);
CREATE TABLE counters (
	tenant TEXT NOT NULL, 
	name TEXT NOT NULL, 
	value BIGINT NOT NULL, 
	PRIMARY KEY (tenant, name)
)
 WITHOUT ROWID

;
INSERT INTO "counters" VALUES('default','seq',5);
INSERT INTO "counters" VALUES('other','seq',1);
CREATE TABLE endpoints (
	tenant TEXT NOT NULL, 
	integration TEXT NOT NULL, 
	endpoint TEXT NOT NULL, 
	path TEXT NOT NULL, 
	PRIMARY KEY (tenant, integration, endpoint), 
	UNIQUE (path)
)
 WITHOUT ROWID

;
INSERT INTO "endpoints" VALUES('default','shop','orders','p1');
CREATE TABLE events (
	no INTEGER NOT NULL, 
	tenant TEXT NOT NULL, 
	id TEXT NOT NULL, 
	integration TEXT NOT NULL, 
	endpoint TEXT NOT NULL, 
	dedup TEXT NOT NULL, 
	event TEXT NOT NULL, 
	status TEXT NOT NULL, 
	received_at BIGINT NOT NULL, 
	duplicates BIGINT NOT NULL, 
	headers TEXT NOT NULL, 
	body BLOB NOT NULL, 
	PRIMARY KEY (no), 
	UNIQUE (tenant, integration, endpoint, dedup)
);
INSERT INTO "events" VALUES(1,'default','evt_1','shop','orders','e1','order.paid','stored',1772366400000,1,'{"content-type":"application/json"}',X'7B226964223A20317D');
INSERT INTO "events" VALUES(2,'default','evt_3','shop','orders','e2','order.paid','stored',1772366400000,0,'{"content-type":"application/json"}',X'7B226964223A20317D');
CREATE TABLE meta (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "meta" VALUES('schema','1');
INSERT INTO "meta" VALUES('created_by','integrationd 0.1.0');
INSERT INTO "meta" VALUES('pings','1');
CREATE TABLE quarantine (
	no INTEGER NOT NULL, 
	tenant TEXT NOT NULL, 
	integration TEXT NOT NULL, 
	stream TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	source TEXT NOT NULL, 
	code TEXT NOT NULL, 
	field TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	first_at BIGINT NOT NULL, 
	last_at BIGINT NOT NULL, 
	PRIMARY KEY (no), 
	UNIQUE (tenant, integration, stream, fingerprint)
);
INSERT INTO "quarantine" VALUES(1,'default','koha','patrons','bad','{"who": "?"}','E310','name','no name','run_1',1772366400000,1772366400000);
CREATE TABLE readings (
	tenant TEXT NOT NULL, 
	integration TEXT NOT NULL, 
	stream TEXT NOT NULL, 
	partition TEXT NOT NULL, 
	cursor TEXT, 
	page_token TEXT, 
	walking BOOLEAN NOT NULL, 
	high_water TEXT, 
	mode TEXT, 
	fingerprint TEXT NOT NULL, 
	PRIMARY KEY (tenant, integration, stream, partition)
)
 WITHOUT ROWID

;
INSERT INTO "readings" VALUES('default','koha','patrons','','"2026-01-02"',NULL,0,NULL,NULL,'f1');
INSERT INTO "readings" VALUES('other','koha','patrons','',NULL,NULL,1,NULL,'full','f1');
CREATE TABLE records (
	no INTEGER NOT NULL, 
	tenant TEXT NOT NULL, 
	integration TEXT NOT NULL, 
	entity TEXT NOT NULL, 
	external_id TEXT NOT NULL, 
	id BLOB NOT NULL, 
	stream TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	changed_at BIGINT NOT NULL, 
	deleted TEXT, 
	digest BLOB, 
	data TEXT, 
	metadata TEXT, 
	PRIMARY KEY (no), 
	UNIQUE (tenant, integration, entity, external_id), 
	UNIQUE (tenant, id, integration)
);
INSERT INTO "records" VALUES(1,'default','koha','patron','a',X'00000000000000000000000000000001','patrons',4,1772366400000,NULL,X'7176F428EF5F8B3FEC2D9C09EFE8459D','{"name": "Eve"}',NULL);
INSERT INTO "records" VALUES(2,'default','koha','patron','b',X'00000000000000000000000000000002','patrons',5,1772366400000,'source',NULL,NULL,NULL);
INSERT INTO "records" VALUES(3,'default','koha','patron','c ',X'00000000000000000000000000000003','patrons',3,1772366400000,NULL,X'E98C802105C821E74461C954D650AC7E','{"name": "x"}',NULL);
INSERT INTO "records" VALUES(4,'other','koha','patron','a',X'00000000000000000000000000000005','patrons',1,1772366400000,NULL,X'C8229580AB6904BFB7B2B0C657E2732B','{"name": "Bob"}',NULL);
CREATE TABLE runs (
	no INTEGER NOT NULL, 
	tenant TEXT NOT NULL, 
	id TEXT NOT NULL, 
	integration TEXT NOT NULL, 
	stream TEXT NOT NULL, 
	"trigger" TEXT NOT NULL, 
	mode TEXT NOT NULL, 
	status TEXT NOT NULL, 
	resumed BOOLEAN NOT NULL, 
	began_seq BIGINT NOT NULL, 
	started_at BIGINT NOT NULL, 
	ended_at BIGINT, 
	error TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	read BIGINT NOT NULL, 
	added BIGINT NOT NULL, 
	changed BIGINT NOT NULL, 
	unchanged BIGINT NOT NULL, 
	deleted BIGINT NOT NULL, 
	filtered BIGINT NOT NULL, 
	quarantined BIGINT NOT NULL, 
	held BIGINT NOT NULL, 
	pages BIGINT NOT NULL, 
	requests BIGINT NOT NULL, 
	retries BIGINT NOT NULL, 
	waited_ms BIGINT NOT NULL, 
	PRIMARY KEY (no), 
	UNIQUE (tenant, id)
);
INSERT INTO "runs" VALUES(1,'default','run_1','koha','patrons','manual','full','done',0,0,1772366400000,1772366400000,'','',3,3,0,0,0,0,1,0,1,0,0,0);
INSERT INTO "runs" VALUES(2,'default','run_2','koha','patrons','manual','full','done',0,3,1772366400000,1772366400000,'','',1,0,1,0,1,0,0,0,1,0,0,0);
INSERT INTO "runs" VALUES(3,'other','run_3','koha','patrons','manual','full','running',0,0,1772366400000,NULL,'','',1,1,0,0,0,0,0,0,1,0,0,0);
CREATE TABLE seen (
	tenant TEXT NOT NULL, 
	run BIGINT NOT NULL, 
	part BIGINT NOT NULL, 
	nos BLOB NOT NULL, 
	PRIMARY KEY (tenant, run, part)
);
INSERT INTO "seen" VALUES('other',3,0,X'0400000000000000');
CREATE TABLE streams (
	tenant TEXT NOT NULL, 
	integration TEXT NOT NULL, 
	stream TEXT NOT NULL, 
	living BIGINT NOT NULL, 
	errors BIGINT NOT NULL, 
	last_run BIGINT NOT NULL, 
	last_done_at BIGINT, 
	PRIMARY KEY (tenant, integration, stream)
)
 WITHOUT ROWID

;
INSERT INTO "streams" VALUES('default','koha','patrons',2,0,2,1772366400000);
INSERT INTO "streams" VALUES('other','koha','patrons',1,0,3,NULL);
CREATE INDEX runs_by_stream ON runs (tenant, integration, stream, no);
COMMIT;
