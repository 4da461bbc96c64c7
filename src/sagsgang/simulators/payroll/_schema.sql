-- SPDX-License-Identifier: MPL-2.0
-- State of the payroll simulator. Instants are UTC texts of equal length, so that they compare as
-- texts; kroner are whole ører in *_ore and decimal texts elsewhere.

CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS employment (
    number TEXT PRIMARY KEY, starts TEXT NOT NULL, ends TEXT, changed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS employment_changed ON employment (changed);

CREATE TABLE IF NOT EXISTS terms (
    number TEXT NOT NULL REFERENCES employment (number) ON DELETE CASCADE,
    valid_from TEXT NOT NULL, valid_to TEXT, agreement TEXT NOT NULL, hourly_rate TEXT NOT NULL,
    weekly_hours TEXT NOT NULL, wage_step TEXT NOT NULL, unit TEXT NOT NULL,
    cost_center TEXT NOT NULL, hourly_paid INTEGER NOT NULL, pension_qualified INTEGER NOT NULL,
    municipality_group TEXT NOT NULL,
    PRIMARY KEY (number, valid_from)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS wage_code (
    code TEXT PRIMARY KEY, text TEXT NOT NULL, external INTEGER NOT NULL,
    valid_from TEXT NOT NULL, valid_to TEXT, limit_ore INTEGER
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS account (
    account TEXT PRIMARY KEY, valid_from TEXT NOT NULL, valid_to TEXT
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS period (
    month TEXT PRIMARY KEY, state TEXT NOT NULL, closes_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, fingerprint BLOB NOT NULL,
    received_at TEXT NOT NULL, ready_at TEXT NOT NULL, processed INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS delivery_waiting ON delivery (ready_at, id) WHERE processed = 0;

CREATE TABLE IF NOT EXISTS line (
    id INTEGER PRIMARY KEY, delivery INTEGER NOT NULL REFERENCES delivery (id),
    reference TEXT NOT NULL, employment TEXT NOT NULL, wage_code TEXT NOT NULL,
    effective TEXT NOT NULL, period TEXT NOT NULL, quantity TEXT, rate TEXT, amount TEXT,
    account TEXT, text TEXT,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'accepted', 'rejected')),
    booked_ore INTEGER NOT NULL DEFAULT 0, returns TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX IF NOT EXISTS line_delivery ON line (delivery);
CREATE UNIQUE INDEX IF NOT EXISTS line_booked_once ON line (reference) WHERE state = 'accepted';

CREATE TABLE IF NOT EXISTS fault (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, operation TEXT NOT NULL, remaining INTEGER,
    rate REAL NOT NULL, seconds REAL, draws INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS journal (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, operation TEXT NOT NULL, key TEXT NOT NULL,
    outcome TEXT NOT NULL, body BLOB NOT NULL
);
