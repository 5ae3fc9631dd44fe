-- The customers of Noorderlicht Energie, as `company.py` puts them in a file. Dates are near today.
-- docs/connectors.md says why these telephone numbers belong to nobody.
CREATE TABLE customers (
    code TEXT PRIMARY KEY, name TEXT NOT NULL, language TEXT NOT NULL, postcode TEXT NOT NULL, house_number INTEGER NOT NULL,
    birth_date TEXT NOT NULL, email TEXT NOT NULL);
CREATE TABLE telephones (customer TEXT NOT NULL REFERENCES customers, number TEXT NOT NULL);
CREATE TABLE products (customer TEXT NOT NULL REFERENCES customers, product TEXT NOT NULL);
CREATE TABLE invoices (
    number TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES customers, amount REAL NOT NULL, due_on TEXT NOT NULL,
    description TEXT NOT NULL, paid_on TEXT);
CREATE TABLE cases (
    number TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES customers, subject TEXT NOT NULL, opened_on TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('new', 'in progress', 'with customer', 'closed')));
CREATE TABLE faults (
    number TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES customers, description TEXT NOT NULL, expected_end TEXT,
    status TEXT NOT NULL CHECK (status IN ('new', 'planned', 'solved')));
CREATE TABLE appointments (
    number TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES customers, starts_at TEXT NOT NULL, ends_at TEXT NOT NULL,
    description TEXT NOT NULL);
CREATE INDEX telephones_number ON telephones (number);

INSERT INTO customers VALUES
    ('501001', 'Femke Hoekstra', 'nl', '9712 AB', 12, '1985-04-12', 'femke@example.nl'),
    ('501002', 'Jelle Dijkstra', 'nl', '8911 CD', 7, '1979-11-30', 'jelle@example.nl'),
    ('501003', 'Sarah Mitchell', 'en', '9726 EF', 88, '1990-02-03', 'sarah@example.nl'),
    ('501004', 'Omar Haddad', 'nl', '9733 GH', 5, '1971-07-19', 'omar@example.nl'),
    ('501005', 'Leila Haddad', 'nl', '9733 GH', 5, '1974-01-25', 'leila@example.nl');
INSERT INTO telephones VALUES
    ('501001', '0500000201'), ('501002', '0580000202'), ('501003', '0500000203'),
    ('501004', '0500000204'), ('501005', '0500000204');
INSERT INTO products VALUES
    ('501001', 'gas'), ('501001', 'electricity'), ('501001', 'boiler'),
    ('501002', 'electricity'), ('501002', 'heat_pump'),
    ('501003', 'gas'), ('501003', 'electricity'), ('501003', 'boiler'),
    ('501004', 'gas'), ('501004', 'electricity'), ('501005', 'electricity');
INSERT INTO invoices VALUES
    ('F260117', '501001', 142.5, date('now', '-12 days'), 'november', NULL),
    ('F260102', '501001', 139.0, date('now', '-40 days'), 'oktober', date('now', '-30 days')),
    ('F260133', '501003', 87.2, date('now', '+9 days'), 'november', NULL);
INSERT INTO cases VALUES
    ('Z4711', '501002', 'de teruglevering', date('now', '-3 days'), 'in progress'),
    ('Z4690', '501001', 'een oud contract', date('now', '-90 days'), 'closed');
INSERT INTO faults VALUES ('S300', '501003', 'ketel', NULL, 'new');
INSERT INTO appointments VALUES
    ('A88', '501002', date('now', 'localtime') || ' 18:00', date('now', 'localtime') || ' 20:00', 'uw warmtepomp');
