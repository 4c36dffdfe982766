"""Makes Flask's settings from ours."""

from datetime import timedelta
from typing import Any

from tick.errors import SettingsError
from tick.settings import Settings

# Forms here are small; a larger body is refused unread.
MAX_BODY = 64 * 1024
YEAR_SECONDS = 365 * 24 * 3600


def from_settings(settings: Settings) -> dict[str, Any]:
    """Return the mapping for `app.config`. Raises SettingsError without a secret key."""
    if settings.secret_key is None:
        raise SettingsError(
            "TICK_SECRET_KEY is not set, and the console signs its sessions with it; make one by "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'."
        )
    return {
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "MAX_CONTENT_LENGTH": MAX_BODY,
        "SEND_FILE_MAX_AGE_DEFAULT": YEAR_SECONDS,
        # A browser takes a __Host- cookie only over https, for this very host and every path.
        "SESSION_COOKIE_NAME": "__Host-tick" if settings.cookie_secure else "tick",
        "SESSION_COOKIE_SECURE": settings.cookie_secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        # Sessions are rows with an idle time of their own: no cookie is sent anew for a poll.
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=settings.session_hours),
        "WTF_CSRF_TIME_LIMIT": None,  # a token lives as long as its session
    }
