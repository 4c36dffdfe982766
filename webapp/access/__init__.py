"""Who may come in: login, sessions, single sign-on, permissions and security headers."""
