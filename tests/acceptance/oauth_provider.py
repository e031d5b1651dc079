"""A real OAuth2 server, Django OAuth Toolkit, and an API behind it, on the loopback.

``python oauth_provider.py DIRECTORY`` prints its port. It grants by client credentials and by
password, rotates refresh tokens, and voids a whole consent when a used one comes back.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

LIFETIME_S = 300
RECORDS = 250
PAGE = 50
SECRET = "s3cret: a+b/c%41=ä"
asked: list[str] = []
"""Grants that were asked for, in order."""

settings.configure(
    SECRET_KEY="test",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(Path(sys.argv[1]) / "provider.db"),
        }
    },
    OAUTH2_PROVIDER={
        "ACCESS_TOKEN_EXPIRE_SECONDS": LIFETIME_S,
        "ROTATE_REFRESH_TOKEN": True,
        "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "SCOPES": {"read": "Read orders", "write": "Write orders"},
        "PKCE_REQUIRED": False,
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402 - after the settings
from django.utils import timezone  # noqa: E402
from oauth2_provider.decorators import protected_resource  # noqa: E402
from oauth2_provider.models import AccessToken, Application, RefreshToken  # noqa: E402
from oauth2_provider.views import TokenView  # noqa: E402


class CountedTokenView(TokenView):
    """The toolkit's own view, and what was asked of it."""

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> object:
        """Grant or refuse."""
        asked.append(request.POST.get("grant_type", ""))
        return super().post(request, *args, **kwargs)


@protected_resource(scopes=["read"])
def orders(request: HttpRequest) -> JsonResponse:
    """List orders to who shows a token."""
    start = int(request.GET.get("start", "0"))
    data = [{"id": number} for number in range(start, min(start + PAGE, RECORDS))]
    following = start + PAGE if start + PAGE < RECORDS else None
    return JsonResponse({"data": data, "next": following})


def admin(request: HttpRequest, what: str) -> JsonResponse:
    """Do what only the server can: end tokens, void consents, tell what was asked."""
    if what == "expire":
        AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    if what == "void":
        for token in RefreshToken.objects.filter(revoked__isnull=True):
            token.revoke()
    tokens = [*AccessToken.objects.all(), *RefreshToken.objects.all()]
    return JsonResponse({"asked": asked, "tokens": [token.token for token in tokens]})


urlpatterns = [
    path("o/token/", CountedTokenView.as_view()),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("api/orders", orders),
    path("admin/<str:what>", admin),
]


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
        """Keep quiet."""


def main() -> None:
    """Prepare the database and serve until killed."""
    call_command("migrate", verbosity=0)
    user = User.objects.create_user("ann", password="pw")
    for name, grant in (("machine", "client-credentials"), ("person", "password")):
        Application.objects.create(
            name=name,
            client_id=name,
            client_secret=SECRET,
            client_type="confidential",
            authorization_grant_type=grant,
            user=user,
        )
    server: WSGIServer = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
