"""Django with its own cache and sessions in Redis, in one file, for gunicorn."""

import os

from django.conf import settings
from django.core.cache import cache
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.cache import cache_page

settings.configure(
    SECRET_KEY="not a secret",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    INSTALLED_APPS=["django.contrib.sessions"],
    CACHES={"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": os.environ["REDIS_URL"]}},
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    SESSION_COOKIE_AGE=1000,
)


def answer(**values):
    return JsonResponse({"instance": os.getpid(), **values})


def login(request):
    request.session["name"] = request.GET["name"]
    request.session["cart"] = []
    request.session.cycle_key()
    return answer()


def me(request):
    return answer(name=request.session.get("name"), cart=request.session.get("cart"))


def put(request):
    request.session["cart"].append(request.GET["what"])
    request.session.modified = True
    return answer()


def logout(request):
    request.session.flush()
    return answer()


def counted(request):
    cache.add("counted", 0, timeout=None)
    return answer(counted=cache.incr("counted"))


@cache_page(1000)
def page(request):
    return answer(rendered=cache.get_or_set("renders", 0, timeout=None), again=cache.incr("renders"))


def everything(request):
    cache.set_many({"a": 1, "b": {"of": ["any", b"kind", 2.5]}}, timeout=500)
    cache.set("versioned", "one", version=1)
    cache.set("versioned", "two", version=2)
    return answer(
        many=repr(cache.get_many(["a", "b", "none"])),
        added=[cache.add("once", 1), cache.add("once", 2), cache.get("once")],
        touched=[cache.touch("a", 900), cache.touch("none", 900)],
        versions=[cache.get("versioned"), cache.get("versioned", version=2), cache.incr_version("versioned")],
        gone=[cache.delete("a"), cache.delete_many(["b", "none"]), cache.get("a", "default"), cache.has_key("b")],
        never=[cache.set("never", 1, timeout=0), cache.get("never")],
    )


urlpatterns = [path(view.__name__, view) for view in (login, me, put, logout, counted, everything)] + [path("page", page)]
application = get_wsgi_application()
