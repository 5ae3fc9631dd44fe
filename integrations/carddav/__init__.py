"""Callers from an address book: CardDAV, as Nextcloud, Radicale, iCloud and many others offer it."""
