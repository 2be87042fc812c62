"""Many messages at once: brought together by circle, so that each circle is worked on once."""
