"""Speech: texts and recordings become sound that Asterisk can play."""
