"""Pages of this room: connections, installations, and the guided form that makes an installation."""
