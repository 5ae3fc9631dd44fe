"""The dialer: keeps the promises to call, once each, whatever crashes."""
